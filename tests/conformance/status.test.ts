/** Our server against opamp-go's client: reports, compression, identity, the end of a connection. */
import { toHex } from '@drover/protocol'
import { prepareRemoteConfig } from '@drover/server'
import { expect, it } from 'vitest'
import { describeWithPeers } from '../peers/index.ts'
import { description, everyCapability, health, startOf, transports } from './agent-values.ts'
import { GoClient } from './go-client.ts'
import { startRecordingServer } from './recording-server.ts'

await describeWithPeers("opamp-go's client reports its status", ['opamp-client'], (peers) => {
  const goClient = () => new GoClient(peers['opamp-client'])

  it.each(transports)(
    'is understood from its first report on, over %s [GEN-01] [S-HTTP-02] [S-HTTP-12] [S-HTTP-13] [CAP-11] [A2S-10] [HL-05]',
    async (transport) => {
      await using server = await startRecordingServer()
      await using client = goClient()
      const start = startOf(server, transport)
      await client.start(start)
      const report = await server.untilReport(() => true, 'a report')
      expect(report).toMatchObject({ uid: start.uid, first: true, connection: { transport, principal: 'test' } })
      expect(report.present).toEqual(expect.arrayContaining(['agentDescription', 'health', 'effectiveConfig', 'remoteConfigStatus', 'availableComponents']))
      expect(report.message.agentDescription?.identifyingAttributes.map(({ key }) => key)).toContain('service.name')
      expect(report.message.health?.componentHealthMap['pipeline:logs']?.componentHealthMap['receiver:otlp']?.status).toBe('StatusOK')
      expect(report.complete).toBe(true)
      expect(everyCapability.every((name) => report.capabilities.has(name))).toBe(true)
      await client.until((event) => event.event === 'message', 'answer')
    },
  )

  it.each(transports)('gets an answer to every message, heartbeats included, over %s [ST-05] [S2A-02] [HB-08] [SC-03]', async (transport) => {
    await using server = await startRecordingServer()
    await using client = goClient()
    const start = startOf(server, transport)
    await client.start(start)
    await server.until(() => (server.received.heartbeat >= 5 ? true : undefined), 'five heartbeats')
    const sent = server.received.heartbeat + server.received.report
    await client.until(() => client.answers >= sent, `${sent} answers`)
    expect(server.received.refused).toBe(0)
    expect(server.reports.filter((report) => report.present.length === 0)).toEqual([])
    expect(server.opamp.lastSeen(start.uid)).toBeGreaterThan(server.reports[0]?.connection.connectedAt ?? Infinity)
  })

  it('may compress its requests and gets compressed answers where it can read them [S-HTTP-16] [S-HTTP-17] [S-HTTP-20]', async () => {
    await using server = await startRecordingServer()
    const body = new TextEncoder().encode('receivers: {}\n'.repeat(1000))
    server.answer = () => ({ remoteConfig: prepareRemoteConfig([{ name: '', contentType: 'text/yaml', body }], new Uint8Array([1])) })
    await using client = goClient()
    await client.start(startOf(server, 'http', { compression: true }))
    const offered = await client.until((event) => event.remoteConfig !== undefined, 'offer')
    expect(Buffer.from(offered.remoteConfig?.config.configMap['']?.body ?? '', 'base64').length).toBe(body.length)
    expect(server.exchanges[0]?.requestHeaders['content-encoding']).toBe('gzip')
    expect(server.exchanges[0]?.responseHeaders['content-encoding']).toBe('gzip')
    await using plain = goClient()
    await plain.start(startOf(server, 'http'))
    const exchange = await server.until(() => server.exchanges.find((one) => one.requestHeaders['content-encoding'] === undefined), 'a plain request')
    expect(exchange.status).toBe(200)
  })

  it('may ask for permessage-deflate and is served with or without [B-WS-01]', async () => {
    await using server = await startRecordingServer()
    await using client = goClient()
    await client.start(startOf(server, 'websocket', { compression: true }))
    await client.until((event) => event.event === 'message', 'answer')
    expect(server.reports[0]?.complete).toBe(true)
  })

  it('goes on with compressed status after its connection broke, and is not asked for what is known [SC-03] [CN-17]', async () => {
    await using server = await startRecordingServer()
    await using client = goClient()
    const start = startOf(server, 'websocket')
    await client.start(start)
    await client.until((event) => event.event === 'message', 'answer')
    server.cutConnections()
    const again = await server.untilReport(
      (report) => report.first && report.connection.id !== server.reports[0]?.connection.id,
      'a report on a new connection',
    )
    expect(again).toMatchObject({ uid: start.uid, present: [], complete: true })
    expect(server.disconnections.map(({ uid }) => uid)).toEqual([start.uid])
    const beats = server.received.heartbeat
    await server.until(() => (server.received.heartbeat >= beats + 2 ? true : undefined), 'heartbeats')
    expect(server.reports.filter((report) => report.present.includes('agentDescription'))).toHaveLength(1)
  })

  it.each(transports)('is asked for its full state, once, by a server that does not know it, over %s [SC-04] [SC-05] [SC-06] [S2A-10]', async (transport) => {
    const first = await startRecordingServer()
    await using client = goClient()
    const start = startOf(first, transport)
    await client.start(start)
    await client.until((event) => event.event === 'message', 'answer')
    const { port } = first
    await first[Symbol.asyncDispose]()
    await using second = await startRecordingServer({ port })
    const before = await second.untilReport(() => true, 'a report')
    expect(before).toMatchObject({ uid: start.uid, first: true, complete: false })
    const full = await second.untilReport((report) => report.complete, 'the full state')
    expect(full.present).toEqual(expect.arrayContaining(['agentDescription', 'health', 'effectiveConfig', 'remoteConfigStatus', 'availableComponents']))
    const beats = second.received.heartbeat
    await second.until(() => (second.received.heartbeat >= beats + 3 ? true : undefined), 'heartbeats')
    expect(second.reports.filter((report) => report.present.includes('agentDescription'))).toHaveLength(1)
  })

  it('is asked for its full state when one of its messages was lost [SC-04] [SC-05] [SC-06]', async () => {
    await using server = await startRecordingServer()
    await using client = goClient()
    await client.start(startOf(server, 'http'))
    await client.until((event) => event.event === 'message', 'answer')
    server.admit = () => ({ kind: 'reject', status: 403, message: 'not now' })
    const refused = server.requests.length
    await client.setHealth(health(false, 'disk full')) // opamp-go drops a message that was answered 403
    await server.until(() => (server.requests.length > refused + 1 ? true : undefined), 'refused requests')
    server.admit = () => ({ kind: 'accept', principal: 'test' })
    const report = await server.untilReport(({ message }) => message.health?.lastError === 'disk full', 'the health that was lost')
    expect(report.present).toContain('agentDescription')
  })

  it.each(transports)('tells what changed, and only that, over %s [SC-03] [CAP-05]', async (transport) => {
    await using server = await startRecordingServer()
    await using client = goClient()
    await client.start(startOf(server, transport))
    await client.until((event) => event.event === 'message', 'answer')
    await client.setHealth(health(false, 'out of memory'))
    const unhealthy = await server.untilReport(({ message }) => message.health?.healthy === false, 'bad health')
    expect(unhealthy).toMatchObject({ present: ['health'], first: false, complete: true })
    await client.setDescription(description('2.0.0'))
    expect(
      (await server.untilReport((report) => report !== server.reports[0] && report.present.includes('agentDescription'), 'a new description')).present,
    ).toEqual(['agentDescription'])
    await client.setCapabilities(['ReportsStatus', 'ReportsHealth', 'ReportsHeartbeat'])
    const reduced = await server.untilReport((report) => !report.capabilities.has('AcceptsRemoteConfig'), 'other capabilities')
    expect(reduced.capabilities.names().toSorted()).toEqual(['ReportsHealth', 'ReportsHeartbeat', 'ReportsStatus'])
  })

  it('says goodbye on a WebSocket and is forgotten there [CN-16] [CN-07]', async () => {
    await using server = await startRecordingServer()
    await using client = goClient()
    const start = startOf(server, 'websocket')
    await client.start(start)
    await client.until((event) => event.event === 'message', 'answer')
    await client.stop()
    const gone = await server.until(() => server.disconnections[0], 'a disconnection')
    expect(gone).toMatchObject({ uid: start.uid, reason: 'agent-disconnect' })
    expect(server.opamp.connection(start.uid)).toBeUndefined()
  })

  it('over plain HTTP it just stops polling, and is missed [CN-09]', async () => {
    await using server = await startRecordingServer({ limits: { pollMs: 400, missedPolls: 2 } })
    await using client = goClient()
    const start = startOf(server, 'http')
    await client.start(start)
    await server.until(() => (server.received.heartbeat >= 2 ? true : undefined), 'polls')
    expect(server.disconnections).toEqual([])
    await client.stop()
    const gone = await server.until(() => server.disconnections[0], 'a disconnection')
    expect(gone).toMatchObject({ uid: start.uid, reason: 'missed-polls' })
  })

  it.each(transports)('is given an instance uid when it asks for one, over %s [UID-07] [UID-10] [UID-11]', async (transport) => {
    await using server = await startRecordingServer()
    await using client = goClient()
    const start = startOf(server, transport, { requestInstanceUid: true })
    await client.start(start)
    const { agentIdentification } = await client.until((event) => event.agentIdentification !== undefined, 'identification')
    const given = toHex(Buffer.from(agentIdentification?.newInstanceUid ?? '', 'base64'))
    expect(given).toHaveLength(32)
    expect(given[12]).toBe('7')
    const renamed = await server.untilReport((report) => report.uid.replaceAll('-', '') === given, 'a report under the new uid')
    expect(renamed.uid).not.toBe(start.uid)
  })

  it('two clients with one uid: the newcomer gets another and uses it [UID-13] [UID-14]', async () => {
    await using server = await startRecordingServer()
    await using first = goClient()
    const start = startOf(server, 'websocket')
    await first.start(start)
    await first.until((event) => event.event === 'message', 'answer')
    await using second = goClient()
    await second.start(startOf(server, 'websocket', { uid: start.uid }))
    const { agentIdentification } = await second.until((event) => event.agentIdentification !== undefined, 'identification')
    const duplicate = await server.until(() => server.duplicates[0], 'the duplicate')
    expect(duplicate.uid).toBe(start.uid)
    expect(duplicate.newUid.replaceAll('-', '')).toBe(toHex(Buffer.from(agentIdentification?.newInstanceUid ?? '', 'base64')))
    await server.untilReport((report) => report.uid === duplicate.newUid, 'a report under the new uid')
    expect(server.opamp.connection(start.uid)?.id).toBe(duplicate.existing.id)
    expect(first.events.some((event) => event.agentIdentification !== undefined)).toBe(false)
  })
})
