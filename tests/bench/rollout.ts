/**
 * Rollouts to many agents on real sockets, by hand: `node tests/bench/rollout.ts [--agents 10000] [--rest 30] [--cpu-prof FOLDER] [--write]`.
 * Prints a table; `--write` puts it into docs/operations/rollout-figures.md.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Rollout, RolloutDecision, RolloutPlan, RolloutStart } from '@drover/api'
import { presets } from '@drover/fleet'
import { Child } from '../harness/child.ts'
import { createTemporaryFolder } from '../harness/folder.ts'
import { startServer, sumMetric } from '../harness/server.ts'
import type { Server } from '../harness/server.ts'
import { readProcessUse } from './process-use.ts'
import type { ProcessUse } from './process-use.ts'
import { rolloutPage } from './rollout-page.ts'
import type { Figures, PushTimes, TurnTimes, WaveFigures } from './rollout-page.ts'

const { values: options } = parseArgs({
  options: {
    agents: { type: 'string', default: '10000' },
    rest: { type: 'string', default: '30' },
    'cpu-prof': { type: 'string' },
    write: { type: 'boolean', default: false },
  },
})
const agents = Number(options.agents)
const restSeconds = Number(options.rest)
const root = fileURLToPath(new URL('../../', import.meta.url))
const agentsProgram = fileURLToPath(new URL('rollout-agents.ts', import.meta.url))

const name = 'all'
const configBytes = 10_000
const concurrency = 2_000
const soakMs = 5_000
/** Own reports after a wave, and the agents' file, are there by then. */
const settleMs = 3_000
const limitMs = 600_000
const pollMs = 500
const turnParts = ['rules', 'turn'] as const

const plan: RolloutPlan = {
  ...(structuredClone(presets.standard) as unknown as RolloutPlan), // as: the engine's own type is the same, without anything to write to
  waves: [
    { kind: 'count', count: 100 },
    { kind: 'percent', percent: 10, soakMs: (restSeconds + 10) * 1000 },
    { kind: 'percent', percent: 50 },
    { kind: 'percent', percent: 100 },
  ],
  soakMs,
  concurrency,
}

/** The number stands in the first line. */
function numberedConfig(number: number): string {
  const head = `# number ${number}\nreceivers: {nop: {}}\nexporters: {nop: {}}\nservice:\n  pipelines:\n    logs: {receivers: [nop], exporters: [nop]}\n# `
  return `${head}${'x'.repeat(configBytes - head.length - 1)}\n`
}

class Bench {
  readonly #server: Server
  readonly #file: string

  constructor(server: Server, file: string) {
    this.#server = server
    this.#file = file
  }

  use(): Promise<ProcessUse> {
    return readProcessUse(this.#server.child.pid)
  }

  /** Share of one core over a while without anything to do. */
  async rest(seconds: number): Promise<number> {
    const before = await this.use()
    await delay(seconds * 1000)
    return (((await this.use()).cpuSeconds - before.cpuSeconds) / seconds) * 100
  }

  async untilConnected(): Promise<number> {
    const startedAt = performance.now()
    await this.#until(async () => (await this.#server.api.countAgents({})).data.healthy >= agents || undefined, `${agents} healthy agents`)
    return (performance.now() - startedAt) / 1000
  }

  /** Asks now and then: following each event of ten thousand agents would be a load of its own. */
  async #until<T>(look: () => Promise<T | undefined>, what: string): Promise<T> {
    for (const end = performance.now() + limitMs; performance.now() < end; await delay(pollMs)) {
      const found = await look()
      if (found !== undefined) return found
    }
    throw new Error(`${what}: not within ${limitMs} ms`)
  }

  /** Starts a rollout of that number; resolves with its id. */
  async begin(number: number, rollout: RolloutStart): Promise<string> {
    const { api } = this.#server
    const files = [{ name: 'main.yaml', body: numberedConfig(number) }]
    const what = { selector: '*', configs: [{ config: name, version: number }], ownTelemetry: null, rollout }
    if (number === 1) {
      await api.createConfig({ body: { name, files } })
      const { data } = await api.createGroup({ body: { name, ...what } })
      return data.rollout?.id ?? ''
    }
    await api.createVersion({ params: { name }, body: { files }, ifMatch: (await api.getConfig({ params: { name } })).etag ?? '*' })
    const { etag } = await api.getGroup({ params: { name } })
    const { data } = await api.setGroup({ params: { name }, body: what, ifMatch: etag ?? '*' })
    return data.rollout?.id ?? ''
  }

  untilState(rolloutId: string, isThere: (rollout: Rollout) => boolean, what: string): Promise<Rollout> {
    return this.#until(async () => {
      const { data } = await this.#server.api.getRollout({ params: { rolloutId } })
      return isThere(data) ? data : undefined
    }, what)
  }

  async decisions(rolloutId: string): Promise<readonly RolloutDecision[]> {
    const { data } = await this.#server.api.listRolloutDecisions({ params: { rolloutId }, query: { limit: 500 } })
    return data.items.toReversed()
  }

  /** When each agent had this configuration first, since then; ascending milliseconds since 1970. */
  async arrivals(number: number, since: number): Promise<readonly number[]> {
    const first = new Map<string, number>()
    for (const line of (await readFile(this.#file, 'utf8')).split('\n')) {
      const [agent = '', of, at] = line.split(' ')
      if (Number(of) === number && Number(at) >= since && !first.has(agent)) first.set(agent, Number(at))
    }
    return [...first.values()].toSorted((a, b) => a - b)
  }

  async turns(): Promise<Readonly<Record<(typeof turnParts)[number], ReadonlyMap<number, number>>>> {
    const response = await fetch(`${this.#server.consoleUrl}/metrics`, { headers: { authorization: `Bearer ${this.#server.token}` } })
    const text = await response.text()
    const bounds = [...text.matchAll(/^drover_rollout_turn_seconds_bucket\{.*?le="([^"]+)"/gm)].map(([, le = '']) => le)
    const of = (part: string) =>
      new Map(
        [...new Set(bounds)].map((le) => [
          le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le),
          sumMetric(text, 'drover_rollout_turn_seconds_bucket', { part, le }),
        ]),
      )
    return { rules: of('rules'), turn: of('turn') }
  }

  act(rolloutId: string, action: 'rollBack'): Promise<unknown> {
    return this.#server.api.actOnRollout({ params: { rolloutId, action }, body: { reason: 'to see how long it takes' } })
  }

  async worstDelayMs(): Promise<number> {
    return (await this.#server.metric('drover_event_loop_delay_seconds', { quantile: '1' })) * 1000
  }
}

const atOf = (decisions: readonly RolloutDecision[], kind: string, wave?: number) =>
  Date.parse(decisions.find((one) => one.kind === kind && (wave === undefined || one.wave === wave))?.at ?? '')

function pushTimes(arrivals: readonly number[], since: number): PushTimes {
  const times = arrivals.map((at) => at - since)
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN
  return { agents: times.length, p50Ms: at(0.5), p99Ms: at(0.99), lastMs: times.at(-1) ?? Number.NaN }
}

function turnTimes(before: ReadonlyMap<number, number>, after: ReadonlyMap<number, number>): TurnTimes {
  const counts = [...after]
    .map(([bound, count]) => ({ boundMs: bound * 1000, count: count - (before.get(bound) ?? 0) }))
    .toSorted((a, b) => a.boundMs - b.boundMs)
  const all = counts.at(-1)?.count ?? 0
  const within = (share: number) => counts.find(({ count }) => count >= all * share)?.boundMs ?? Number.POSITIVE_INFINITY
  return { turns: all, p50Ms: within(0.5), p99Ms: within(0.99), slowestMs: within(1), within10Ms: counts.find(({ boundMs }) => boundMs === 10)?.count ?? 0 }
}

/** To everybody at once. */
async function measureEveryone(bench: Bench, number: number) {
  const before = await bench.use()
  const id = await bench.begin(number, { preset: 'everyone' })
  await bench.untilState(id, ({ endedAt }) => endedAt !== null, 'the end of the rollout to everyone')
  const after = await bench.use()
  await delay(settleMs)
  const decisions = await bench.decisions(id)
  const openedAt = atOf(decisions, 'waveOpened')
  return {
    push: pushTimes(await bench.arrivals(number, openedAt), openedAt),
    seconds: (atOf(decisions, 'completed') - atOf(decisions, 'started')) / 1000,
    cpuSeconds: after.cpuSeconds - before.cpuSeconds,
  }
}

/** In waves; rests in the soak of the second one. */
async function measureWaves(bench: Bench, number: number) {
  const [before, turnsBefore] = [await bench.use(), await bench.turns()]
  await bench.worstDelayMs()
  const id = await bench.begin(number, { plan })
  await bench.untilState(id, ({ state, wave }) => state === 'soaking' && wave?.number === 2, 'the soak of the second wave')
  await delay(settleMs)
  const soakingPercent = await bench.rest(restSeconds)
  await bench.untilState(id, ({ endedAt }) => endedAt !== null, 'the end of the rollout in waves')
  // Each look at the metrics starts the lateness of the event loop anew.
  const [after, worstDelayMs, turns] = [await bench.use(), await bench.worstDelayMs(), await bench.turns()]
  await delay(settleMs)
  const decisions = await bench.decisions(id)
  const all = await bench.arrivals(number, 0)
  const waves = plan.waves.map((_, wave): WaveFigures => {
    const [openedAt, settledAt, nextAt] = [atOf(decisions, 'waveOpened', wave), atOf(decisions, 'soaking', wave), atOf(decisions, 'waveOpened', wave + 1)]
    const arrivals = all.filter((at) => at >= openedAt && !(at >= nextAt))
    return { wave: wave + 1, push: pushTimes(arrivals, openedAt), untilOutcomesMs: settledAt - openedAt }
  })
  return {
    id,
    waves,
    soakingPercent,
    worstDelayMs,
    rules: turnTimes(turnsBefore.rules, turns.rules),
    turn: turnTimes(turnsBefore.turn, turns.turn),
    seconds: (atOf(decisions, 'completed') - atOf(decisions, 'started')) / 1000,
    cpuSeconds: after.cpuSeconds - before.cpuSeconds,
  }
}

/** Everybody gets back what was before. */
async function measureRollback(bench: Bench, rolloutId: string, former: number) {
  const before = await bench.use()
  await bench.act(rolloutId, 'rollBack')
  await bench.untilState(rolloutId, ({ state }) => state === 'rolledBack', 'the end of the rollback')
  const after = await bench.use()
  await delay(settleMs)
  const decisions = await bench.decisions(rolloutId)
  const since = atOf(decisions, 'rollingBack')
  return {
    push: pushTimes(await bench.arrivals(former, since), since),
    seconds: (atOf(decisions, 'rolledBack') - since) / 1000,
    cpuSeconds: after.cpuSeconds - before.cpuSeconds,
  }
}

async function measure(): Promise<Figures> {
  await using folder = await createTemporaryFolder()
  const file = join(folder.path, 'arrivals')
  await writeFile(file, '')
  const profile = options['cpu-prof']
  await using server = await startServer(profile === undefined ? {} : { env: { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profile}` } })
  const { data: token } = await server.api.createEnrolmentToken({ body: { name: 'bench' } })
  const bench = new Bench(server, file)
  await using _agents = new Child({ title: 'agents', command: process.execPath, args: [agentsProgram, server.agentsUrl, token.token, String(agents), file] })
  const connectSeconds = await bench.untilConnected()
  await delay(10_000)
  const restPercent = await bench.rest(restSeconds)
  const { residentBytes: restBytes } = await bench.use()
  const everyone = await measureEveryone(bench, 1)
  const waves = await measureWaves(bench, 2)
  const rollback = await measureRollback(bench, waves.id, 1)
  const { residentBytes, peakBytes } = await bench.use()
  return { agents, configBytes, concurrency, restSeconds, connectSeconds, restPercent, restBytes, everyone, waves, rollback, residentBytes, peakBytes }
}

const startLoad = loadavg()[0] ?? 0
const page = rolloutPage(await measure(), { cores: cpus().length, node: process.versions.node, load: startLoad })
process.stdout.write(page)
if (options.write) await writeFile(join(root, 'docs', 'operations', 'rollout-figures.md'), page)
