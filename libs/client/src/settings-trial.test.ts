/** Offered OpAMP settings, from the offer to the end of their trial, over real sockets. */
import { createServer as createHttpServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { create } from '@bufbuild/protobuf'
import { type AgentToServer, ConnectionSettingsOffersSchema, ConnectionSettingsStatuses as Status, ServerErrorResponseType } from '@drover/protocol'
import { type AgentReport, createOpampServer, type Offer } from '@drover/server'
import { settle } from '@drover/testing'
import { describe, expect, it } from 'vitest'
import { capabilities, durableStore, nextStatus, offerOf, statusOf } from './test-offers.ts'
import { connected, deadPort, Queue, rawHttpServer, rawWebSocketServer, refuseUpgrade, settingsFor, testClient } from './test-peers.ts'
import { createCertificate } from './tls/test-certificates.ts'

describe('offered OpAMP settings that work', () => {
  it('are told as being applied, tried beside the old connection, which says goodbye before the new one speaks [K-09] [K-10] [K-11] [K-13] [K-14] [CN-13] [CN-14]', async () => {
    await using old = await rawWebSocketServer()
    await using next = await rawWebSocketServer()
    const store = durableStore()
    const adopted: string[] = []
    await using agent = await testClient(old.endpoint, {
      capabilities,
      store,
      handler: { onConnectionSettingsAdopted: ({ endpoint }) => adopted.push(endpoint) },
    })
    const first = await connected(old, agent)
    first.send(offerOf(1, next.endpoint, { headers: { headers: [{ key: 'authorization', value: 'Bearer new' }] } }))
    expect(statusOf(await nextStatus(first))).toEqual([1, Status.ConnectionSettingsStatuses_APPLYING])
    expect(await store.read('connection-settings-candidate')).toBeDefined()
    const second = await next.connections.next()
    expect(second.request.headers['authorization']).toBe('Bearer new')
    const last = await first.messages.next()
    expect(last.agentDisconnect).toBeDefined()
    const order: string[] = []
    void first.closed.then(() => order.push('closed'))
    const report = await second.messages.next()
    order.push('report')
    expect(order).toEqual(['closed', 'report'])
    expect(report.agentDescription).toBeDefined()
    expect(report.sequenceNum).toBe(last.sequenceNum + 1n)
    expect(statusOf(report)).toEqual([1, Status.ConnectionSettingsStatuses_APPLYING])
    second.send({})
    expect(statusOf(await nextStatus(second))).toEqual([1, Status.ConnectionSettingsStatuses_APPLIED])
    expect([adopted, agent.client.settings.endpoint]).toEqual([[next.endpoint], next.endpoint])
    expect(await store.read('connection-settings-candidate')).toBeUndefined()
    expect(old.connections.waiting).toBe(0)
  })

  it('are used after a restart as well, until others are configured [TF-08]', async () => {
    await using old = await rawWebSocketServer()
    await using next = await rawWebSocketServer()
    const store = durableStore()
    {
      await using agent = await testClient(old.endpoint, { capabilities, store })
      const first = await connected(old, agent)
      first.send(offerOf(1, next.endpoint))
      const second = await next.connections.next()
      expect(statusOf(await nextStatus(second))).toEqual([1, Status.ConnectionSettingsStatuses_APPLYING])
      expect(statusOf(await nextStatus(second))).toEqual([1, Status.ConnectionSettingsStatuses_APPLIED])
    }
    {
      await using again = await testClient(old.endpoint, { capabilities, store })
      again.client.start()
      const connection = await next.connections.next()
      expect(statusOf(await connection.messages.next())).toEqual([1, Status.ConnectionSettingsStatuses_APPLIED])
    }
    await using configured = await testClient(old.endpoint, { capabilities, store, settings: settingsFor(old.endpoint, { headers: [['x', 'y']] }) })
    configured.client.start()
    expect((await old.connections.next()).request.headers['x']).toBe('y')
  })

  it('at the same server are not taken for a second agent with the same uid, and keep it [CN-13] [CN-14] [UID-04]', async () => {
    const reports = new Queue<AgentReport>()
    const gone: string[] = []
    const duplicates: string[] = []
    const http = createHttpServer()
    await using server = createOpampServer({
      capabilities: ['AcceptsStatus', 'OffersConnectionSettings'],
      handler: {
        authenticate: ({ headers }) => ({ kind: 'accept', principal: headers['authorization'] ?? 'nobody' }),
        onReport: (report) => {
          reports.put(report)
          return undefined
        },
        onDisconnect: ({ reason }) => gone.push(reason),
        onDuplicate: ({ uid }) => duplicates.push(uid),
      },
    })
    server.attach(http)
    await using raw = await rawHttpServer(http)
    for (const scheme of ['ws', 'http']) {
      const endpoint = `${scheme}://localhost:${raw.port}/v1/opamp`
      await using agent = await testClient(endpoint, { capabilities })
      const uid = agent.client.instanceUid
      agent.client.start()
      await reports.next()
      await agent.statuses.find(({ state }) => state === 'connected')
      const offer: Offer = {
        connectionSettings: create(ConnectionSettingsOffersSchema, {
          ...offerOf(1, endpoint, { headers: { headers: [{ key: 'authorization', value: 'Bearer new' }] } }).connectionSettings,
        }),
      }
      server.offer(uid, offer)
      if (scheme === 'http') await agent.clock.advanceAsync(30_000)
      const applied = await reports.find(({ message }) => message.connectionSettingsStatus?.status === Status.ConnectionSettingsStatuses_APPLIED)
      expect([applied.uid, applied.connection.principal]).toEqual([uid, 'Bearer new'])
      expect(agent.client.instanceUid).toBe(uid)
    }
    expect(duplicates).toEqual([])
    expect(gone.slice(0, 1)).toEqual(['agent-disconnect'])
  })

  it('move an agent from WebSocket to plain HTTP and back [CN-08] [C-HTTP-07]', async () => {
    await using old = await rawWebSocketServer()
    await using http = await rawHttpServer()
    await using agent = await testClient(old.endpoint, { capabilities })
    const first = await connected(old, agent)
    first.send(offerOf(1, http.endpoint, { heartbeatIntervalSeconds: 7n }))
    expect((await first.messages.find(({ agentDisconnect }) => agentDisconnect !== undefined)).agentDisconnect).toBeDefined()
    const report = await http.exchanges.next()
    expect(report.message.agentDescription).toBeDefined()
    report.answer({ capabilities: 0x7fn })
    const applied = await http.exchanges.next()
    expect(statusOf(applied.message)).toEqual([1, Status.ConnectionSettingsStatuses_APPLIED])
    applied.answer()
    await settle()
    await agent.clock.advanceAsync(7_000)
    const poll = await http.exchanges.next()
    poll.answer(offerOf(2, old.endpoint))
    const applying = await http.exchanges.next()
    expect(statusOf(applying.message)).toEqual([2, Status.ConnectionSettingsStatuses_APPLYING])
    applying.answer()
    const last = await http.exchanges.next()
    expect(last.message.agentDisconnect).toBeDefined()
    last.answer()
    const back = await old.connections.next()
    expect((await back.messages.next()).agentDescription).toBeDefined()
  })

  it('that only change the interval need no new connection [HB-04]', async () => {
    await using server = await rawWebSocketServer()
    await using agent = await testClient(server.endpoint, { capabilities })
    const connection = await connected(server, agent)
    connection.send(offerOf(1, server.endpoint, { heartbeatIntervalSeconds: 5n }))
    const message = await connection.messages.find((sent) => statusOf(sent)?.[1] === Status.ConnectionSettingsStatuses_APPLIED)
    connection.send({})
    await settle()
    await agent.clock.advanceAsync(5_000)
    expect((await connection.messages.next()).sequenceNum).toBe(message.sequenceNum + 1n)
    expect(server.connections.waiting).toBe(0)
  })

  it('resume their trial after a crash [K-09]', async () => {
    await using old = await rawWebSocketServer()
    const held: { destroy(): void }[] = []
    await using next = await rawWebSocketServer({ refuse: (_, socket) => held.length === 0 && held.push(socket) > 0 })
    const store = durableStore()
    await using crashing = await testClient(old.endpoint, { capabilities, store })
    const first = await connected(old, crashing)
    first.send(offerOf(1, next.endpoint))
    await nextStatus(first)
    while (held.length === 0) await settle()
    // A copy of what is on the disk now, for another process.
    const copy = durableStore()
    for (const name of ['instance-uid', 'connection-settings-candidate']) await copy.write(name, (await store.read(name))!) // !: both are there
    await using agent = await testClient(old.endpoint, { capabilities, store: copy })
    agent.client.start()
    const connection = await next.connections.next()
    expect(statusOf(await nextStatus(connection))).toEqual([1, Status.ConnectionSettingsStatuses_APPLYING])
    expect(statusOf(await nextStatus(connection))).toEqual([1, Status.ConnectionSettingsStatuses_APPLIED])
    expect(old.connections.waiting).toBe(0)
    for (const socket of held) socket.destroy()
  })
})

describe('offered OpAMP settings that do not work', () => {
  it('for a reason that may pass are tried again for a while, leave the running connection alone, and are told as failed [K-15] [K-16] [K-20]', async () => {
    let attempts = 0
    await using old = await rawWebSocketServer()
    await using broken = await rawWebSocketServer({
      refuse: (_, socket) => {
        attempts += 1
        socket.destroy()
        return true
      },
    })
    await using agent = await testClient(old.endpoint, { capabilities, retry: { baseMs: 4_000 }, random: (bytes) => void bytes.fill(128) })
    const connection = await connected(old, agent)
    for (const endpoint of [broken.endpoint, `ws://localhost:${await deadPort()}/`]) {
      const hash = endpoint === broken.endpoint ? 1 : 2
      connection.send(offerOf(hash, endpoint))
      expect(statusOf(await nextStatus(connection))).toEqual([hash, Status.ConnectionSettingsStatuses_APPLYING])
      const told: AgentToServer[] = []
      void nextStatus(connection).then((message) => told.push(message))
      // Attempts take real time, the trial does not.
      for (let turn = 0; turn < 1_000 && told.length === 0; turn++) {
        await sleep(1)
        await agent.clock.advanceAsync(100)
      }
      const failed = told[0]
      expect(failed && statusOf(failed)).toEqual([hash, Status.ConnectionSettingsStatuses_FAILED])
      expect(failed?.connectionSettingsStatus?.errorMessage).toContain(hash === 1 ? 'closed the connection' : 'nothing accepts connections')
    }
    expect(attempts).toBeGreaterThan(2)
    expect(old.connections.all).toHaveLength(1)
    expect(agent.client.settings.endpoint).toBe(old.endpoint)
  })

  it('because the server refuses them (401) leave the running connection alone [K-15] [K-16] [K-20]', async () => {
    await using old = await rawWebSocketServer()
    await using next = await rawWebSocketServer({ refuse: (_, socket) => refuseUpgrade(socket, 401) })
    await using agent = await testClient(old.endpoint, { capabilities })
    const connection = await connected(old, agent)
    connection.send(offerOf(1, next.endpoint))
    await nextStatus(connection)
    const failed = await nextStatus(connection)
    expect(failed.connectionSettingsStatus).toMatchObject({
      status: Status.ConnectionSettingsStatuses_FAILED,
      errorMessage: 'the server refuses our credentials (HTTP 401)',
    })
    expect(failed.agentDisconnect).toBeUndefined()
    expect(old.connections.all).toHaveLength(1)
  })

  it('because of the certificate leave the running connection alone [K-15] [K-16] [TF-01] [CSR-02]', async () => {
    await using old = await rawWebSocketServer()
    const stranger = createCertificate('stranger', { hosts: ['localhost'] })
    await using next = await rawWebSocketServer({ http: createTlsServer({ cert: stranger.cert, key: stranger.key }), scheme: 'wss' })
    await using agent = await testClient(old.endpoint, { capabilities })
    const connection = await connected(old, agent)
    connection.send(offerOf(1, next.endpoint))
    await nextStatus(connection)
    const failed = await nextStatus(connection)
    expect(statusOf(failed)).toEqual([1, Status.ConnectionSettingsStatuses_FAILED])
    expect(failed.connectionSettingsStatus?.errorMessage).toContain('signed by an authority that is not trusted')
    expect(next.connections.all).toHaveLength(0)
    expect(old.connections.all).toHaveLength(1)
  })

  it('because nobody answers the report bring the agent back to the old settings [K-15] [K-16]', async () => {
    await using old = await rawWebSocketServer()
    await using next = await rawWebSocketServer()
    await using agent = await testClient(old.endpoint, { capabilities })
    const connection = await connected(old, agent)
    connection.send(offerOf(1, next.endpoint))
    await nextStatus(connection)
    const silent = await next.connections.next()
    await silent.messages.next()
    await agent.clock.advanceAsync(15_000)
    const back = await old.connections.next()
    const report = await back.messages.next()
    expect(report.agentDescription).toBeDefined()
    back.send({})
    const failed = statusOf(report)?.[1] === Status.ConnectionSettingsStatuses_FAILED ? report : await nextStatus(back)
    expect(failed.connectionSettingsStatus).toMatchObject({
      status: Status.ConnectionSettingsStatuses_FAILED,
      errorMessage: 'the server did not answer the first report',
    })
    expect(await silent.closed).toBe(1000)
  })

  it('because the server rejects the report bring the agent back to the old settings [K-15]', async () => {
    await using old = await rawWebSocketServer()
    await using next = await rawWebSocketServer()
    await using agent = await testClient(old.endpoint, { capabilities })
    const connection = await connected(old, agent)
    connection.send(offerOf(1, next.endpoint))
    await nextStatus(connection)
    await (await next.connections.next()).answer({ errorResponse: { type: ServerErrorResponseType.ServerErrorResponseType_BadRequest } })
    const back = await old.connections.next()
    const failed = await back.messages.find((message) => statusOf(message)?.[1] === Status.ConnectionSettingsStatuses_FAILED || (back.send({}), false))
    expect(failed.connectionSettingsStatus?.errorMessage).toBe('the server did not accept the first report')
  })

  it('over plain HTTP are found out by the first request, and the agent comes back [K-15] [K-16]', async () => {
    await using old = await rawHttpServer()
    await using next = await rawHttpServer()
    await using agent = await testClient(old.endpoint, { capabilities })
    agent.client.start()
    ;(await old.exchanges.next()).answer(offerOf(1, next.endpoint))
    ;(await old.exchanges.next()).answer()
    const last = await old.exchanges.next()
    expect(last.message.agentDisconnect).toBeDefined()
    last.answer()
    ;(await next.exchanges.next()).fail(401)
    const back = await old.exchanges.next()
    expect(back.message.agentDescription).toBeDefined()
    back.answer()
    const failed = statusOf(back.message)?.[1] === Status.ConnectionSettingsStatuses_FAILED ? back : await old.exchanges.next()
    expect(failed.message.connectionSettingsStatus?.errorMessage).toBe('the server refuses our credentials (HTTP 401)')
  })

  it('because the agent does not want them are not tried [K-07] [K-20]', async () => {
    await using server = await rawWebSocketServer()
    await using agent = await testClient(server.endpoint, { capabilities, handler: { refuseConnectionSettings: () => 'this agent stays where it is' } })
    const connection = await connected(server, agent)
    connection.send(offerOf(1, `ws://localhost:${server.port}/other`))
    const failed = await nextStatus(connection)
    expect(failed.connectionSettingsStatus).toMatchObject({ status: Status.ConnectionSettingsStatuses_FAILED, errorMessage: 'this agent stays where it is' })
    expect(server.connections.all).toHaveLength(1)
  })

  it('give way to a newer offer while they are on trial', async () => {
    await using old = await rawWebSocketServer()
    const held: { destroy(): void }[] = []
    await using slow = await rawWebSocketServer({ refuse: (_, socket) => held.push(socket) > 0 })
    await using next = await rawWebSocketServer()
    await using agent = await testClient(old.endpoint, { capabilities })
    const connection = await connected(old, agent)
    connection.send(offerOf(1, slow.endpoint))
    await nextStatus(connection)
    while (held.length === 0) await settle()
    connection.send(offerOf(2, next.endpoint))
    const second = await next.connections.next()
    expect(statusOf(await nextStatus(second))).toEqual([2, Status.ConnectionSettingsStatuses_APPLYING])
    expect(statusOf(await nextStatus(second))).toEqual([2, Status.ConnectionSettingsStatuses_APPLIED])
    for (const socket of held) socket.destroy()
  })
})
