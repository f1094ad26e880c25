/** Where agents send their own telemetry: offered to whom, when, and what becomes of it. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { create } from '@bufbuild/protobuf'
import { agentRoutes } from '@drover/api'
import type { OwnTelemetry } from '@drover/api'
import {
  AgentToServerSchema,
  ConnectionSettingsStatuses,
  agentCapabilities,
  decodeFrame,
  decodeServerToAgent,
  encodeAgentToServer,
  encodeFrame,
  instanceUidToBytes,
  toHex,
} from '@drover/protocol'
import type { AgentCapability, ConnectionSettingsOffers } from '@drover/protocol'
import { agentTraits, describeAgent, stockCapabilities } from '@drover/testing'
import { describe, expect, it } from 'vitest'
import { readTelemetryToken } from '../telemetry-token.ts'
import { GOOD, TO_DROVER, TestFleet } from './test-fleet.ts'

const { APPLIED, APPLYING, FAILED } = {
  APPLIED: ConnectionSettingsStatuses.ConnectionSettingsStatuses_APPLIED,
  APPLYING: ConnectionSettingsStatuses.ConnectionSettingsStatuses_APPLYING,
  FAILED: ConnectionSettingsStatuses.ConnectionSettingsStatuses_FAILED,
}
const params = (index: number) => ({ agentId: agentTraits(index).uid })
const group = (ownTelemetry: OwnTelemetry | null, more: object = {}) => ({ name: 'all', configs: [], ownTelemetry, ...more })
const otlp = (endpoint: string, headers: Record<string, string> = {}) => ({ kind: 'otlp', endpoint, headers }) as const

/** An agent that reports what became of its settings, or says nothing of them; by hand, so that every message counts. */
class Teller {
  readonly offers: ConnectionSettingsOffers[] = []
  readonly #fleet: TestFleet
  readonly #index: number
  readonly #capabilities: bigint
  #sequenceNum = 0n
  #connection: ReturnType<TestFleet['server']['connectInProcess']> | undefined

  constructor(fleet: TestFleet, index: number, capabilities: readonly AgentCapability[]) {
    this.#fleet = fleet
    this.#index = index
    this.#capabilities = agentCapabilities(['ReportsStatus', ...capabilities]).mask
  }

  get lastHash(): Uint8Array {
    return this.offers.at(-1)?.hash ?? new Uint8Array()
  }

  async connect(hash?: Uint8Array, status = APPLIED): Promise<void> {
    this.#connection = this.#fleet.server.connectInProcess({ headers: { authorization: 'token-1' } })
    this.#connection.onMessage((frame) => {
      const { connectionSettings } = decodeServerToAgent(decodeFrame(frame))
      if (connectionSettings !== undefined) this.offers.push(connectionSettings)
    })
    this.#sequenceNum = 0n
    await this.#send({ agentDescription: describeAgent(agentTraits(this.#index)), ...statusOf(hash, status), health: { healthy: true } })
  }

  async tell(status: ConnectionSettingsStatuses, hash = this.lastHash, errorMessage = ''): Promise<void> {
    await this.#send(statusOf(hash, status, errorMessage))
  }

  async changeHealth(healthy: boolean): Promise<void> {
    await this.#send({ health: { healthy } })
  }

  async disconnect(): Promise<void> {
    this.#connection?.close()
    await this.#fleet.clock.advanceAsync(10)
  }

  async #send(parts: object): Promise<void> {
    const message = create(AgentToServerSchema, {
      instanceUid: instanceUidToBytes(agentTraits(this.#index).uid),
      sequenceNum: this.#sequenceNum++,
      capabilities: this.#capabilities,
      ...parts,
    })
    this.#connection?.send(encodeFrame(encodeAgentToServer(message)))
    await this.#fleet.clock.advanceAsync(100)
  }
}

function statusOf(hash: Uint8Array | undefined, status: ConnectionSettingsStatuses, errorMessage = '') {
  return { connectionSettingsStatus: hash === undefined ? { status: 0 } : { lastConnectionSettingsHash: hash, status, errorMessage } }
}

const telling: readonly AgentCapability[] = ['ReportsOwnMetrics', 'ReportsOwnLogs', 'ReportsOwnTraces', 'ReportsConnectionSettingsStatus']

async function idOf(fleet: TestFleet, index: number): Promise<string> {
  return (await fleet.call(agentRoutes.getAgent, { params: params(index) })).data.id
}

describe('own telemetry settings', () => {
  it('go out complete with the first answer, with a token that tells whose they are [OT-02]', async () => {
    await using fleet = await TestFleet.open()
    await fleet.setGroups(group(TO_DROVER))
    const agent = new Teller(fleet, 1, telling)
    await agent.connect()
    expect(agent.offers).toHaveLength(1)
    const [offer] = agent.offers
    const all = [offer?.ownMetrics, offer?.ownLogs, offer?.ownTraces]
    expect(all.map((one) => one?.destinationEndpoint)).toEqual(['metrics', 'logs', 'traces'].map((signal) => `http://drover.example:4320/v1/${signal}`))
    for (const one of all) {
      const [header] = one?.headers?.headers ?? []
      expect(header?.key).toBe('Authorization')
      expect(readTelemetryToken(fleet.sealer, header?.value.slice('Bearer '.length) ?? '')).toBe(await idOf(fleet, 1))
    }
    expect(offer?.opamp).toBeUndefined()
  })

  it('have only what an agent can send, and a signal more when it can send more [K-01] [K-02] [K-03] [K-21]', async () => {
    await using fleet = await TestFleet.open()
    await fleet.setGroups(group(TO_DROVER))
    const offered = async (index: number, ...capabilities: readonly AgentCapability[]) => {
      const agent = new Teller(fleet, index, capabilities)
      await agent.connect()
      const [offer] = agent.offers
      return offer === undefined ? undefined : [offer.ownMetrics, offer.ownLogs, offer.ownTraces].map((one) => one !== undefined)
    }
    expect(await offered(1, 'ReportsOwnMetrics')).toEqual([true, false, false])
    expect(await offered(2, 'ReportsOwnLogs', 'ReportsOwnTraces')).toEqual([false, true, true])
    expect(await offered(3, 'AcceptsRemoteConfig')).toBeUndefined()
    // The same agent after an upgrade: other settings, so another hash.
    const before = new Teller(fleet, 4, ['ReportsOwnMetrics', 'ReportsConnectionSettingsStatus'])
    await before.connect()
    const after = new Teller(fleet, 4, telling)
    await before.disconnect()
    await after.connect(before.lastHash)
    expect(after.offers).toHaveLength(1)
    expect(toHex(after.lastHash)).not.toBe(toHex(before.lastHash))
  })

  it('are offered again only when they are others [OT-03] [OT-04]', async () => {
    await using fleet = await TestFleet.open()
    await fleet.setGroups(group(TO_DROVER))
    const agent = new Teller(fleet, 1, telling)
    await agent.connect()
    await agent.tell(APPLYING)
    await agent.tell(APPLIED)
    await agent.changeHealth(false)
    await fleet.setGroups(group(TO_DROVER, { revision: 2, configs: [] }))
    expect(agent.offers).toHaveLength(1)
    await fleet.setGroups(group({ ...TO_DROVER, metrics: otlp('https://otlp.example/v1/metrics') }))
    expect(agent.offers).toHaveLength(2)
    expect(agent.offers[1]).toMatchObject({ ownMetrics: { destinationEndpoint: 'https://otlp.example/v1/metrics' }, ownLogs: {}, ownTraces: {} })
    // Naming nothing any more leaves them as they are.
    await fleet.setGroups(group(null))
    expect(agent.offers).toHaveLength(2)
  })

  it('are compared with the hash that a returning agent reports [K-18] [K-19]', async () => {
    await using fleet = await TestFleet.open()
    await fleet.setGroups(group(TO_DROVER))
    const agent = new Teller(fleet, 1, telling)
    await agent.connect()
    await agent.tell(APPLIED)
    const right = agent.lastHash
    await agent.disconnect()
    await fleet.stop()
    await fleet.start()
    await agent.connect(right)
    expect(agent.offers).toHaveLength(1)
    await agent.disconnect()
    await agent.connect(Uint8Array.of(1, 2, 3))
    expect(agent.offers).toHaveLength(2)
    expect(agent.lastHash).toEqual(right)
    await agent.disconnect()
    await agent.connect(undefined)
    expect(agent.offers).toHaveLength(3)
  })

  it('are not repeated to agents that say nothing of them, unless the offer may have been lost', async () => {
    await using fleet = await TestFleet.open()
    await fleet.setGroups(group(TO_DROVER))
    const agent = new Teller(fleet, 1, ['ReportsOwnMetrics', 'ReportsHealth'])
    await agent.connect()
    await agent.changeHealth(true)
    await agent.disconnect()
    await agent.connect()
    await fleet.stop()
    await fleet.start()
    await agent.connect()
    expect(agent.offers).toHaveLength(1)
    await fleet.setGroups(group({ ...TO_DROVER, metrics: otlp('https://other.example/v1/metrics') }, { revision: 2 }))
    expect(agent.offers).toHaveLength(2)
    // Gone before it said anything.
    await agent.disconnect()
    await agent.connect()
    expect(agent.offers).toHaveLength(3)
  })

  it('that an agent refuses are not pressed on it, are told, and tried again when somebody forgives them', async () => {
    await using fleet = await TestFleet.open()
    await fleet.setGroups(group(TO_DROVER))
    const agent = new Teller(fleet, 1, telling)
    await agent.connect()
    await agent.tell(FAILED, agent.lastHash, 'no route to drover.example')
    await agent.disconnect()
    await agent.connect(agent.lastHash, FAILED)
    expect(agent.offers).toHaveLength(1)
    const id = await idOf(fleet, 1)
    expect(fleet.agents.fleet.outcome(id, 'all')).toBe('failed')
    expect((await fleet.events('agent.changed')).map(({ summary }) => summary)).toEqual([expect.stringContaining('no route to drover.example')])
    const { data } = await fleet.call(agentRoutes.getDesiredConfig, { params: params(1) })
    expect(data.reason).toContain('It refused where to send its own telemetry: ')
    await fleet.agents.fleet.allowRetry([id])
    fleet.agents.fleet.reconsider([id])
    await fleet.agents.settled()
    await fleet.clock.advanceAsync(10)
    expect(agent.offers).toHaveLength(2)
    expect(fleet.agents.fleet.outcome(id, 'all')).toBe('offered')
    await agent.tell(APPLIED)
    expect(fleet.agents.fleet.outcome(id, 'all')).toBe('applied')
    expect((await fleet.call(agentRoutes.getAgent, { params: params(1) })).data.connectionSettingsStatus).toMatchObject({ status: 'applied' })
  })

  it('come from the group with the highest priority that names a signal', async () => {
    await using fleet = await TestFleet.open()
    await fleet.setGroups(group({ metrics: otlp('https://low.example/m'), logs: otlp('https://low.example/l'), traces: null }), {
      name: 'high',
      priority: 5,
      configs: [],
      ownTelemetry: { metrics: otlp('https://high.example/m'), logs: null, traces: null },
    })
    const agent = new Teller(fleet, 1, telling)
    await agent.connect()
    const [offer] = agent.offers
    expect([offer?.ownMetrics?.destinationEndpoint, offer?.ownLogs?.destinationEndpoint, offer?.ownTraces]).toEqual([
      'https://high.example/m',
      'https://low.example/l',
      undefined,
    ])
  })

  it('go out in waves like everything of a revision, and count in its outcome', async () => {
    await using fleet = await TestFleet.open()
    fleet.config('base@1', GOOD)
    const from = group(null, { configs: ['base@1'] })
    await fleet.setGroups(from)
    const scripted: ConnectionSettingsOffers[] = []
    const stock = await fleet.connected(1, { onMessage: ({ connectionSettings }) => connectionSettings !== undefined && scripted.push(connectionSettings) })
    const agent = new Teller(fleet, 2, telling)
    await agent.connect()
    const ids = [await idOf(fleet, 1), await idOf(fleet, 2)] as const
    await fleet.clock.advanceAsync(6_000)
    fleet.rollouts.start('all', 1, 2, ids)
    await fleet.setRevisions({ current: 1, revisions: [from, group(TO_DROVER, { revision: 2, configs: ['base@1'] })] })
    expect([scripted.length, agent.offers.length]).toEqual([0, 0])
    for (const id of ids) fleet.rollouts.move('all', id, 'released')
    expect(fleet.agents.fleet.outcome(ids[1], 'all')).toBe('none')
    fleet.agents.fleet.reconsider(ids)
    await fleet.agents.settled()
    await fleet.clock.advanceAsync(10)
    expect([scripted.length, agent.offers.length, stock.tally.offers.length]).toEqual([1, 1, 1])
    // This one never says what became of settings: its configuration is what can be known.
    expect(fleet.agents.fleet.outcome(ids[0], 'all')).toBe('applied')
    expect(fleet.agents.fleet.outcome(ids[1], 'all')).toBe('offered')
    await agent.tell(APPLIED)
    expect(fleet.agents.fleet.outcome(ids[1], 'all')).toBe('applied')
  })

  it('may name secrets in headers, which are nowhere in the data folder and in no answer', async () => {
    await using fleet = await TestFleet.open()
    const canary = 'c4n4ry$S3cr3t-9f2b7d'
    fleet.secrets.set('key@1', canary)
    const destination = otlp('https://otlp.example/v1/metrics', { 'api-key': '${drover:secret.key}', site: '${drover:label.site}' })
    await fleet.setGroups(group({ metrics: destination, logs: null, traces: null }, { secrets: { key: 1 } }))
    const agent = new Teller(fleet, 1, telling)
    await agent.connect()
    // The label is missing, so nothing is sent, and the state says why.
    expect(agent.offers).toHaveLength(0)
    expect(fleet.agents.fleet.outcome(await idOf(fleet, 1), 'all')).toBe('failed')
    const { data, etag = '' } = await fleet.call(agentRoutes.getAgent, { params: params(1) })
    expect((await fleet.call(agentRoutes.getDesiredConfig, { params: params(1) })).data.reason).toContain('header site uses ${drover:label.site}')
    await fleet.call(agentRoutes.setLabels, { params: params(1), body: { labels: { site: 'ber' } }, ifMatch: etag })
    await fleet.clock.advanceAsync(10)
    expect(agent.offers[0]?.ownMetrics?.headers?.headers.map(({ key, value }) => [key, value])).toEqual([
      ['api-key', canary],
      ['site', 'ber'],
    ])
    await agent.tell(FAILED, agent.lastHash, `401 with ${canary}`)
    const answers = [data, await fleet.call(agentRoutes.getAgent, { params: params(1) }), await fleet.call(agentRoutes.getDesiredConfig, { params: params(1) })]
    expect(JSON.stringify([...answers, await fleet.events()])).not.toContain(canary)
    await fleet.stop()
    for (const file of readdirSync(fleet.dir)) expect(readFileSync(join(fleet.dir, file)).includes(canary)).toBe(false)
    await fleet.start()
  })

  it('do not go to agents that send nothing of it, which hold nobody up', async () => {
    await using fleet = await TestFleet.open()
    await fleet.setGroups(group(TO_DROVER))
    await fleet.connected(1, { capabilities: stockCapabilities & ~agentCapabilities(['ReportsOwnMetrics']).mask })
    expect(fleet.agents.fleet.outcome(await idOf(fleet, 1), 'all')).toBe('ineligible')
  })
})
