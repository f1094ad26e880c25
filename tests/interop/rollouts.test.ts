/** Two real supervisors with real Collectors among 200 scripted agents: changes go out in waves, and one that loses data is taken back though every agent stays healthy. */
import type { Rollout, RolloutPlan } from '@drover/api'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createTemporaryFolder, freePort, startOtlpSink, startServer } from '../harness/index.ts'
import type { OtlpSink, Server, TemporaryFolder } from '../harness/index.ts'
import { describeWithPeers } from '../peers/index.ts'
import { attemptsOf, createConfig, isUp, untilAgent } from './agents.ts'
import { ScriptedFleet } from './rollout-fleet.ts'
import { forwardSpans, loseSpans, sendSpans, startLoad, startRefusingBackend } from './rollout-pipelines.ts'
import type { Backend } from './rollout-pipelines.ts'
import { Supervisor, drover } from './supervisor.ts'

const scriptedAgents = 200
const scriptedCanaries = 10
const secondMs = 1000
/** Evidence needs half a minute of a soak, and a fail counts when the next round, ten seconds later, fails as well. */
const soakMs = 45 * secondMs
const rolloutLimitMs = 180 * secondMs
const testLimitMs = 600 * secondMs

const limit = { maxCount: 1, maxPercent: 2, minSample: 20 }
const canariesFirst: RolloutPlan = {
  version: 1,
  waves: [
    { kind: 'ring', name: 'canary', selector: 'label.ring = canary' },
    { kind: 'percent', percent: 100 },
  ],
  soakMs,
  gates: [
    { kind: 'health', limit },
    { kind: 'ownTelemetry', metric: 'sendFailed', against: 'control', maxRatio: 1.5, minSample: 3 },
    { kind: 'ownTelemetry', metric: 'refused', against: 'control', maxRatio: 1.5, minSample: 3 },
  ],
  budget: limit,
  schedule: { notBefore: null, windows: [] },
  approval: 'none',
  concurrency: 500,
  retries: { count: 0, delayMs: 0 },
  deadlineMs: null,
  onFail: 'rollback',
  weights: [],
  times: {
    applyTimeoutMs: 60 * secondMs,
    lostWithinMs: 60 * secondMs,
    lostGraceMs: 30 * secondMs,
    gateEveryMs: 10 * secondMs,
    patienceMs: 60 * secondMs,
  },
}

/** A host with a supervisor and a Collector. */
interface Host {
  readonly name: string
  readonly supervisor: Supervisor
  readonly otlpPort: number
  readonly agentId: string
}

await describeWithPeers('rollouts over real Collectors and 200 scripted agents', ['supervisor', 'collector'], (peers) => {
  let server: Server
  let folder: TemporaryFolder
  let sink: OtlpSink
  let refusing: Backend
  let fleet: ScriptedFleet
  let load: Disposable
  const hosts: Host[] = []

  async function startHost(name: string, supervisor: string): Promise<void> {
    const pasted = await drover(server, 'tokens', 'create', name, '--for', 'supervisor')
    const [otlpPort, metricsPort] = [await freePort(), await freePort()]
    const env = { OTLP_PORT: String(otlpPort) }
    const process = new Supervisor({ supervisor, collector: peers.collector, folder: `${folder.path}/${name}`, pasted, metricsPort, env })
    await process.start()
    const { items } = await server.until(
      async (api) => {
        const { data } = await api.listAgents({})
        return data.items.some(({ id, connected, healthy }) => !hosts.some(({ agentId }) => agentId === id) && connected && healthy === true) ? data : undefined
      },
      { what: `${name} connected and healthy`, timeoutMs: 90 * secondMs },
    )
    const agentId = items.find(({ id }) => !hosts.some((host) => host.agentId === id))?.id ?? ''
    await untilAgent(server, isUp, { what: `${name} with everything reported`, agentId })
    hosts.push({ name, supervisor: process, otlpPort, agentId })
  }

  beforeAll(async () => {
    folder = await createTemporaryFolder()
    sink = await startOtlpSink()
    refusing = await startRefusingBackend()
    server = await startServer()
    await startHost('stock', peers.supervisor)
    await startHost('ours', 'drover')
    const { data: token } = await server.api.createEnrolmentToken({ body: { name: 'scripted' } })
    fleet = new ScriptedFleet(server, token.token, scriptedAgents)
    await server.until(
      async (api) => ((await api.listAgents({ query: { filter: 'drover.healthy = true', limit: 1 } })).data.total === scriptedAgents + 2 ? true : undefined),
      { what: 'everybody connected and healthy' },
    )
    for (const agentId of [...hosts.map((host) => host.agentId), ...(await scriptedIds(scriptedCanaries))]) await setRing(agentId)
    load = startLoad(hosts.map(({ otlpPort }) => otlpPort))
  }, testLimitMs)

  afterAll(async () => {
    load?.[Symbol.dispose]()
    fleet?.[Symbol.dispose]()
    for (const { supervisor } of hosts) await supervisor[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
    await sink?.[Symbol.asyncDispose]()
    await refusing?.[Symbol.asyncDispose]()
    await folder?.[Symbol.asyncDispose]()
  })

  async function scriptedIds(count: number): Promise<readonly string[]> {
    const { data } = await server.api.listAgents({ query: { filter: 'exists(service.role)', limit: count } })
    return data.items.map(({ id }) => id)
  }

  async function setRing(agentId: string): Promise<void> {
    const { etag } = await server.api.getAgent({ params: { agentId } })
    await server.api.setLabels({ params: { agentId }, body: { labels: { ring: 'canary' } }, ...(etag === null ? {} : { ifMatch: etag }) })
  }

  const agent = async ({ agentId }: Host) => (await server.api.getAgent({ params: { agentId } })).data
  const effective = async ({ agentId }: Host) => (await server.api.getEffectiveConfig({ params: { agentId } })).data.files[0]?.body ?? ''

  async function changeConfig(body: string): Promise<void> {
    const { etag } = await server.api.getConfig({ params: { name: 'pipeline' } })
    const files = [{ name: 'pipeline.yaml', body }]
    await server.api.createVersion({ params: { name: 'pipeline' }, body: { files }, ...(etag === null ? {} : { ifMatch: etag }) })
  }

  /** Gives the group the config's newest version by the plan; the rollout that it makes. */
  async function change(config: string, rollout: { plan: RolloutPlan } | { preset: 'everyone' }): Promise<string> {
    const version = (await server.api.getConfig({ params: { name: config } })).data.latest.version
    const { data, etag } = await server.api.getGroup({ params: { name: 'collectors' } })
    const body = { selector: data.selector, ownTelemetry: data.revision.ownTelemetry, configs: [{ config, version }], rollout }
    const changed = await server.api.setGroup({ params: { name: 'collectors' }, body, ...(etag === null ? {} : { ifMatch: etag }) })
    return changed.data.rollout?.id ?? ''
  }

  async function untilOver(rolloutId: string, limitMs = rolloutLimitMs): Promise<Rollout> {
    return server.until(
      async (api) => {
        const { data } = await api.getRollout({ params: { rolloutId } })
        return ['completed', 'rolledBack', 'paused', 'stopped', 'superseded'].includes(data.state) ? data : undefined
      },
      { what: `the end of ${rolloutId}`, timeoutMs: limitMs },
    )
  }

  const decisionsOf = async (rolloutId: string) =>
    (await server.api.listRolloutDecisions({ params: { rolloutId }, query: { limit: 100 } })).data.items.map(({ sentence }) => sentence).toReversed()

  /** What the agent counted per second, of the whole agent, newest first. */
  async function rates(agentId: string, metric: string): Promise<readonly number[]> {
    const { data } = await server.api.getAgentMetrics({ params: { agentId }, query: { range: '1h' } })
    const points = data.series.find((series) => series.metric === metric && series.component === null)?.points ?? []
    return points.flatMap(([, value]) => (value === null ? [] : [value])).toReversed()
  }

  it('tells both Collectors where to send their own metrics, together with their first configuration, and gets them', { timeout: testLimitMs }, async () => {
    await createConfig(server, 'pipeline', forwardSpans(sink.url, 'first'))
    const body = { name: 'collectors', selector: '*', configs: [{ config: 'pipeline', version: 1 }], rollout: { preset: 'everyone' as const } }
    const { data: group } = await server.api.createGroup({ body })
    expect((await untilOver(group.rollout?.id ?? '')).state).toBe('completed')
    for (const host of hosts) {
      await sink.untilReceived('traces', 'load')
      await server.until(async () => ((await rates(host.agentId, 'sent')).some((rate) => rate > 1) ? true : undefined), {
        what: `sent items of ${host.name} in its own metrics`,
      })
      const shown = await drover(server, 'agents', 'metrics', host.agentId)
      expect(shown).toMatch(/^accepted +agent +[1-9]\d*(\.\d+)? items\/s/m)
      expect(shown).toMatch(/^memory +agent +[1-9]/m)
      expect(await drover(server, 'agents', 'logs', host.agentId)).toContain('Everything is ready')
      // One start for the configuration and the settings, which came together.
      expect((await attemptsOf(server, host.agentId)).map(({ state }) => state)).toEqual(['applied'])
    }
  })

  it('takes back in the first wave what loses data, by own telemetry alone, and nobody else ever gets it', { timeout: testLimitMs }, async () => {
    const before = await Promise.all(hosts.map(agent))
    const after = await server.lastEventId()
    await changeConfig(loseSpans(refusing.url))
    const rolloutId = await change('pipeline', { plan: canariesFirst })
    const rollout = await untilOver(rolloutId)
    console.info((await decisionsOf(rolloutId)).join('\n'))
    expect(rollout).toMatchObject({ state: 'rolledBack', wave: { number: 1 } })
    expect(rollout.waves.map(({ state }) => state)).toEqual(['open', 'ahead'])
    // By own telemetry alone: nobody failed, nobody was lost, everybody stayed healthy.
    const [healthGate, ...telemetryGates] = rollout.gates.map(({ verdict }) => verdict)
    expect(healthGate).toBe('pass')
    // Whichever is sure first takes the change back.
    expect(telemetryGates).toContain('fail')
    const { data: events } = await server.api.listEvents({ query: { after, limit: 500, kind: 'attempt.failed,attempt.timedOut,agent.disconnected' } })
    expect(events.items).toEqual([])
    expect((await decisionsOf(rolloutId)).join('\n')).toMatch(/items per second that could not be sent|refused items per second/)
    expect(rollout.counts).toEqual({ restored: scriptedCanaries + 2, pending: scriptedAgents - scriptedCanaries })
    for (const [index, host] of hosts.entries()) {
      const is = await untilAgent(server, (one) => isUp(one) && one.configState === 'applied', { what: `${host.name} back`, agentId: host.agentId })
      expect(is.remoteConfigStatus).toMatchObject({ status: 'applied', hash: before[index]?.desiredConfigHash })
      expect(await effective(host)).toContain(sink.url)
      expect(await effective(host)).not.toContain(refusing.url)
      // The real ones told of what they lost as well.
      expect((await rates(host.agentId, 'sendFailed')).some((rate) => rate > 1)).toBe(true)
      expect(await sendSpans(host.otlpPort, `back at ${host.name}`)).toBe(true)
      await sink.untilReceived('traces', `back at ${host.name}`)
    }
    const canary = await server.api.listAgentAttempts({ params: { agentId: hosts[0]?.agentId ?? '' }, query: { limit: 10 } })
    const bad = canary.data.items.find(({ hash }) => hash !== before[0]?.desiredConfigHash)?.hash ?? ''
    expect(bad).not.toBe('')
    expect(fleet.offered(bad)).toHaveLength(scriptedCanaries)
  })

  it('gives everybody what does no harm, wave after wave', { timeout: testLimitMs }, async () => {
    await changeConfig(forwardSpans(sink.url, 'second'))
    const rolloutId = await change('pipeline', { plan: canariesFirst })
    const rollout = await untilOver(rolloutId, 2 * rolloutLimitMs)
    console.info((await decisionsOf(rolloutId)).join('\n'))
    expect(rollout).toMatchObject({ state: 'completed', counts: { applied: scriptedAgents + 2 } })
    expect(rollout.gates.map(({ verdict }) => verdict)).toEqual(['pass', 'pass', 'pass'])
    for (const host of hosts) expect(await agent(host)).toMatchObject({ healthy: true, configState: 'applied' })
  })
})
