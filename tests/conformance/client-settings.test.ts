/** Our client against opamp-go's server and a raw one: connection settings are tried, adopted when they are good, and reverted when not. */
import { memoryStore } from '@drover/client'
import type { ClientStore } from '@drover/client'
import { ConnectionSettingsStatuses } from '@drover/protocol'
import type { AgentToServer } from '@drover/protocol'
import { describe, expect, it } from 'vitest'
import { freePort } from '../harness/index.ts'
import { everyCapability, health, transports } from './agent-values.ts'
import { AgentUnderTest, durableStore, fasterClock } from './client-under-test.ts'
import type { AgentOptions } from './client-under-test.ts'
import { RawServer } from './raw-server.ts'
import { everyServerCapability } from './scripted-server.ts'
import type { Answer } from './scripted-server.ts'
import { describeWithServers } from './servers.ts'

const { ConnectionSettingsStatuses_APPLIED, ConnectionSettingsStatuses_APPLYING, ConnectionSettingsStatuses_FAILED } = ConnectionSettingsStatuses

const capabilities = [...everyCapability, 'ReportsConnectionSettingsStatus', 'ReportsOwnMetrics', 'ReportsOwnLogs', 'AcceptsOtherConnectionSettings'] as const

type Offers = NonNullable<Answer['connectionSettings']>

const offering = (hash: number, offers: Offers): Answer => ({
  capabilities: everyServerCapability,
  connectionSettings: { hash: Uint8Array.of(hash), ...offers },
})
const movingTo = (url: string, hash = 1): Answer =>
  offering(hash, { opamp: { destinationEndpoint: url, heartbeatIntervalSeconds: 20n, headers: { headers: [{ key: 'Authorization', value: 'Bearer new' }] } } })

const has =
  (status: ConnectionSettingsStatuses, hash = 1) =>
  ({ connectionSettingsStatus: one }: AgentToServer) =>
    one?.status === status && one.lastConnectionSettingsHash[0] === hash

/** What a power cut would leave of it at this moment. */
async function copyOf(store: ClientStore, names: ReadonlySet<string>): Promise<ClientStore> {
  const copy = durableStore()
  for (const name of names) {
    const value = await store.read(name)
    if (value !== undefined) await copy.write(name, value)
  }
  return copy
}

/** A store that tells the names that were ever written. */
function namedStore(): { readonly store: ClientStore; readonly names: ReadonlySet<string> } {
  const [store, names] = [memoryStore(), new Set<string>()]
  return {
    names,
    store: {
      isDurable: true,
      read: (name) => store.read(name),
      remove: (name) => store.remove(name),
      write: (name, value) => {
        names.add(name)
        return store.write(name, value)
      },
    },
  }
}

await describeWithServers('our client is offered connection settings', (startServer, transport) => {
  const start = (server: { url(of: typeof transport): string }, options: AgentOptions = {}) =>
    AgentUnderTest.start(server, transport, { capabilities, ...options })

  it('that it tries while the old connection stands, adopts when the new server answered, and keeps across a restart [K-10] [K-11] [K-13] [K-14] [KM-02] [CN-08] [A2S-07] [TF-08]', async () => {
    await using first = await startServer()
    await using second = await startServer()
    const store = memoryStore()
    const agent = await start(first, { store })
    await using _ = agent
    await agent.untilStatus('connected')
    await first.answer(movingTo(second.url(transport)))
    agent.client.setHealth(health(false))
    const applied = await second.untilMessage(has(ConnectionSettingsStatuses_APPLIED), 'APPLIED at the new server')
    expect(applied.connectionSettingsStatus?.errorMessage).toBe('')
    expect(first.messages.some(({ message }) => has(ConnectionSettingsStatuses_APPLYING)(message))).toBe(true)
    await first.untilMessage(({ agentDisconnect }) => agentDisconnect !== undefined, 'the goodbye at the old server')
    expect(second.messages.some(({ message }) => message.agentDescription !== undefined)).toBe(true)
    expect(second.requests.every(({ headers }) => headers['authorization']?.[0] === 'Bearer new')).toBe(true)
    await agent.untilCount(agent.adopted, 1, 'the adoption')
    expect(agent.client.settings).toMatchObject({ endpoint: second.url(transport), heartbeatIntervalSeconds: 20 })
    const { length } = second.messages
    agent.client.setHealth(health(true))
    expect((await second.message(length)).connectionSettingsStatus).toBeUndefined()
    await agent.client.stop()
    const heard = first.requests.length
    await using restarted = await start(first, { store })
    await restarted.untilStatus('connected')
    expect(restarted.client.settings.endpoint).toBe(second.url(transport))
    expect(first.requests).toHaveLength(heard)
  })

  // Over plain HTTP nothing is a legal answer too.
  const unfit = ['unreachable', 'refusing', ...(transport === 'http' ? [] : (['silent'] as const))] as const
  it.each(unfit)('of a server that is %s, and stays where it is and says why [K-07] [K-15] [K-16] [K-20]', async (kind) => {
    await using first = await startServer()
    await using second = await startServer()
    await second.refuse({ status: 401, times: kind === 'refusing' ? 1_000 : 0 })
    await second.setSilent(kind === 'silent')
    const port = await freePort()
    const url = kind === 'unreachable' ? `${transport === 'http' ? 'http' : 'ws'}://127.0.0.1:${port}/v1/opamp` : second.url(transport)
    await using agent = await start(first, { clock: fasterClock(20) })
    await agent.untilStatus('connected')
    await first.answer(movingTo(url))
    agent.client.setHealth(health(false))
    const failed = await first.untilMessage(has(ConnectionSettingsStatuses_FAILED), 'FAILED at the old server')
    expect(failed.connectionSettingsStatus?.errorMessage).not.toBe('')
    expect(failed.connectionSettingsStatus?.errorMessage).not.toContain('Bearer')
    expect(agent.client.settings.endpoint).toBe(first.url(transport))
    expect(agent.adopted).toEqual([])
    const { length } = first.messages
    agent.client.setHealth(health(true))
    await first.message(length)
    expect(agent.client.status).toMatchObject({ state: 'connected', endpoint: first.url(transport) })
  })

  it('for its own telemetry, and passes them on as far as it can use them, once, and keeps the rest as it is [K-22] [K-23] [K-24] [CAP-06] [OT-06] [K-14] [K-16]', async () => {
    await using server = await startServer()
    await using agent = await start(server, {
      handler: {
        onConnectionSettings: ({ ownLogs }) => (ownLogs === undefined ? Promise.resolve() : Promise.reject(new Error('no way to log there'))),
      },
    })
    await agent.untilStatus('connected')
    const metrics = { ownMetrics: { destinationEndpoint: 'http://127.0.0.1:4318/v1/metrics' } }
    let sent = 0
    const send = async (answer: Answer) => {
      await server.answer(answer)
      const lastError = `report ${++sent}`
      agent.client.setHealth(health(false, lastError))
      await server.untilMessage(({ health: tree }) => tree?.lastError === lastError, lastError)
    }
    await send(offering(1, { ...metrics, ownTraces: { destinationEndpoint: 'http://127.0.0.1:4318/v1/traces' } }))
    await server.untilMessage(has(ConnectionSettingsStatuses_APPLIED, 1), 'APPLIED')
    await send(offering(1, metrics))
    await send(offering(2, { ownLogs: { destinationEndpoint: 'http://127.0.0.1:4318/v1/logs' } }))
    const failed = await server.untilMessage(has(ConnectionSettingsStatuses_FAILED, 2), 'FAILED')
    expect(failed.connectionSettingsStatus?.errorMessage).toContain('no way to log there')
    await send(offering(3, { otherConnections: { kafka: { destinationEndpoint: 'kafka:9092', headers: { headers: [] }, otherSettings: { topic: 'a' } } } }))
    await server.untilMessage(has(ConnectionSettingsStatuses_APPLIED, 3), 'APPLIED')
    expect(
      agent.settingsOffers.map((offer) =>
        Object.entries(offer).flatMap(([name, value]) => (value === undefined || Object.keys(value).length === 0 ? [] : [name])),
      ),
    ).toEqual([['ownMetrics'], ['ownLogs'], ['otherConnections']])
    expect(agent.settingsOffers[2]?.otherConnections['kafka']?.otherSettings).toEqual({ topic: 'a' })
    expect(agent.client.settings.endpoint).toBe(server.url(transport))
    expect(agent.client.settings.heartbeatIntervalSeconds).toBe(30)
  })

  it('with a certificate that it could not keep, and refuses them [K-17] [K-07] [K-16]', async () => {
    await using server = await startServer()
    await using agent = await start(server, { store: memoryStore() })
    await agent.untilStatus('connected')
    const pem = new TextEncoder().encode('-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n')
    const opamp = { destinationEndpoint: server.url(transport), heartbeatIntervalSeconds: 30n, certificate: { cert: pem, privateKey: pem } }
    await server.answer(offering(1, { opamp }))
    agent.client.setHealth(health(false))
    const failed = await server.untilMessage(has(ConnectionSettingsStatuses_FAILED), 'FAILED')
    expect(failed.connectionSettingsStatus?.errorMessage).toMatch(/kept/)
    expect(server.messages.every(({ message }) => message.agentDisconnect === undefined)).toBe(true)
  })

  it('and takes leave on the old connection before it says anything on the new one [CN-14] [CN-13] [CN-08]', async () => {
    await using server = await startServer()
    await using agent = await start(server)
    await agent.untilStatus('connected')
    const [first] = server.messages.map(({ connection }) => connection)
    await server.answer(movingTo(server.url(transport)))
    agent.client.setHealth(health(false))
    await server.untilMessage(has(ConnectionSettingsStatuses_APPLIED), 'APPLIED')
    const goodbye = server.messages.findIndex(({ message }) => message.agentDisconnect !== undefined)
    expect(goodbye).toBeGreaterThan(0)
    const after = server.messages.slice(goodbye + 1)
    expect(after[0]?.message.agentDescription).toBeDefined()
    if (transport === 'websocket') {
      expect(after.map(({ connection }) => connection)).not.toContain(first)
      expect(server.closed).toEqual([first])
    }
  })

  it('that it takes none of without the capability, but for the heartbeat interval that it promised to keep [CAP-06] [HB-04] [T-19]', async () => {
    await using server = await startServer()
    await using second = await startServer()
    await using agent = await start(server, { capabilities: everyCapability.filter((name) => name !== 'AcceptsOpAMPConnectionSettings') })
    await agent.untilStatus('connected')
    await server.answer(movingTo(second.url(transport)))
    agent.client.setHealth(health(false))
    const { length } = server.messages
    agent.client.setHealth(health(true))
    await server.message(length)
    expect(second.requests).toHaveLength(0)
    expect(agent.client.settings.endpoint).toBe(server.url(transport))
  })
})

describe('our client dies while it tries offered settings', () => {
  it.each(transports)('and goes on trying afterwards, over %s [K-09]', async (transport) => {
    await using first = await RawServer.start()
    await using second = await RawServer.start()
    await second.setSilent(true)
    const release = second.hold()
    const { store, names } = namedStore()
    await using agent = await AgentUnderTest.start(first, transport, { capabilities, store })
    await agent.untilStatus('connected')
    await first.answer(movingTo(second.url(transport)))
    agent.client.setHealth(health(false))
    await second.message(0)
    const left = await copyOf(store, names)
    await second.setSilent(false)
    await using revived = await AgentUnderTest.start(first, transport, { capabilities, store: left })
    expect(revived.client.settings.endpoint).toBe(first.url(transport))
    await second.message(1)
    release()
    await revived.untilCount(revived.adopted, 1, 'the adoption')
    await second.untilMessage(has(ConnectionSettingsStatuses_APPLIED), 'APPLIED', 1)
    expect(revived.client.settings.endpoint).toBe(second.url(transport))
  })
})
