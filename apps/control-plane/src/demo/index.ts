/** `--demo N`: scripted agents inside the server, over the real protocol, so that a newcomer sees a fleet at work. */
import { setImmediate } from 'node:timers/promises'
import { mergeFiles, parseYaml, pipelinesOf, toYaml } from '@drover/agent-config'
import { RemoteConfigStatuses, fromHex } from '@drover/protocol'
import { ScriptedAgent, TimerQueue, agentTraits, createRandom, createTelemetrySender, portLink, systemClock } from '@drover/testing'
import type { CollectorMemory, ScriptedFile, ScriptedPipeline } from '@drover/testing'
import type { DemoOptions, RecalledAgent } from '../seams.ts'

/** Waits of all agents end in common ticks: a fleet at rest wakes the process a few times a second. */
const TIMER_GRANULARITY_MS = 200
/** Agents that start within one tick: a thousand a second. */
const STARTED_TOGETHER = 200
/** And those before the event loop gets its turn. */
const STARTED_AT_ONCE = 20
/** Anything from two seconds to ten, so that progress can be watched. */
const APPLY_MIN_MS = 2_000
const APPLY_SPREAD_MS = 8_000
/** Own metrics of all agents together: at most so many requests a second, and none more often than Drover keeps points. */
const REPORTS_PER_SECOND = 50
const REPORT_MIN_MS = 10_000

export async function startDemo({ server, agents: count, token, log, recall }: DemoOptions): Promise<AsyncDisposable> {
  const timers = new TimerQueue({ clock: systemClock, granularityMs: TIMER_GRANULARITY_MS })
  const { merge, pipelines } = createReader()
  const agents: ScriptedAgent[] = []
  const sender = createTelemetrySender()
  const telemetry = { sender, intervalMs: Math.max(REPORT_MIN_MS, (count / REPORTS_PER_SECOND) * 1000) }
  const stopped = new AbortController()
  const openLink = portLink(() => server.connectInProcess({ headers: { authorization: `Bearer ${token}` }, remoteAddress: '127.0.0.1' }))
  const startSome = async (from: number): Promise<void> => {
    for (let index = from; index < Math.min(count, from + STARTED_TOGETHER); index++) {
      if (index % STARTED_AT_ONCE === 0) await setImmediate()
      const traits = agentTraits(index, { 'demo.agent': true })
      const random = createRandom(index)
      const memory = toMemory(await recall?.(traits.uid))
      if (stopped.signal.aborted) return
      const agent = new ScriptedAgent({
        traits,
        openLink,
        timers,
        random,
        merge,
        pipelines,
        telemetry,
        times: { applyMs: APPLY_MIN_MS + random() * APPLY_SPREAD_MS },
        ...(memory === undefined ? {} : { memory }),
      })
      agents.push(agent)
      agent.start()
    }
    if (from + STARTED_TOGETHER < count) timers.after(TIMER_GRANULARITY_MS, () => void start(from + STARTED_TOGETHER))
    else log.info({ agents: count }, 'demo agents started')
  }
  const start = (from: number): Promise<void> => startSome(from).catch((error: unknown) => log.error({ err: error }, 'demo agents not started'))
  await start(0)
  return {
    async [Symbol.asyncDispose]() {
      stopped.abort()
      for (const agent of agents) agent.kill()
      timers.clear()
      sender[Symbol.dispose]()
    },
  }
}

/** Thousands get the same files; they are merged and read once. */
function createReader() {
  const merged = createMemo((files: readonly ScriptedFile[]) => toYaml(mergeFiles(files.map((file) => ({ ...file, contentType: 'text/yaml' }))).merged))
  const pipelines = createMemo((config: string): readonly ScriptedPipeline[] =>
    pipelinesOf(parseYaml(config, '').document ?? {}).map(({ id, receivers, processors, exporters }) => ({
      id,
      components: [
        ...receivers.map((name) => `receiver:${name}`),
        ...processors.map((name) => `processor:${name}`),
        ...exporters.map((name) => `exporter:${name}`),
      ],
    })),
  )
  return { merge: merged, pipelines }
}

const MAX_KNOWN = 100

function createMemo<Argument, Result>(compute: (argument: Argument) => Result): (argument: Argument) => Result {
  const known = new Map<string, Result>()
  return (argument) => {
    const key = JSON.stringify(argument)
    const found = known.get(key)
    if (found !== undefined) return found
    const result = compute(argument)
    if (known.size >= MAX_KNOWN) known.clear()
    known.set(key, result)
    return result
  }
}

const statuses: Readonly<Record<RecalledAgent['status'], RemoteConfigStatuses>> = {
  unset: RemoteConfigStatuses.RemoteConfigStatuses_UNSET,
  // A supervisor that is started again applies what it was given.
  applying: RemoteConfigStatuses.RemoteConfigStatuses_APPLIED,
  applied: RemoteConfigStatuses.RemoteConfigStatuses_APPLIED,
  failed: RemoteConfigStatuses.RemoteConfigStatuses_FAILED,
}

function toMemory(recalled: RecalledAgent | undefined): CollectorMemory | undefined {
  if (recalled === undefined || recalled.hash === '') return undefined
  return { hash: fromHex(recalled.hash), status: statuses[recalled.status], errorMessage: recalled.errorMessage, config: recalled.effectiveConfig }
}
