/** A configuration that turns out to be bad: the last good one comes back, by itself. */
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RemoteConfigStatuses } from '@drover/protocol'
import type { AgentToServer } from '@drover/protocol'
import { freePort } from '../../../harness/index.ts'
import { sendLogLine } from '../../collector-configs.ts'
import { effectiveText } from '../opamp-peer.ts'
import { differs, ok } from '../scenario.ts'
import type { Chapter, Outcome, Stage } from '../scenario.ts'
import type { Settings } from '../subject.ts'
import { forwarding, isHealthy, running, takePort, telemetryReturns, untilApplied, untilFailed, untilHealthy } from '../steps.ts'
import { until } from '../subject.ts'

const { RemoteConfigStatuses_FAILED: FAILED } = RemoteConfigStatuses

/** A Collector that comes to harm when its configuration has something `doomed`: `before` in its own process, `later` beside it. For the real one. */
async function doomed(stage: Stage, { before = ':', later = ':' }: { before?: string; later?: string }): Promise<{ collector?: string }> {
  if (stage.collectorKind === 'stub') return {}
  const collector = join(stage.folder, 'doomed')
  await mkdir(stage.folder, { recursive: true })
  const isDoomed = `case "$1" in --config) grep -q doomed "$2";; --config=*) grep -q doomed "\${1#--config=}";; *) false;; esac`
  const harm = `if ${isDoomed}; then ${before}; (${later}) </dev/null >/dev/null 2>&1 & fi`
  await writeFile(collector, `#!/bin/sh\n${harm}\nexec '${stage.collector}' "$@"\n`)
  await chmod(collector, 0o755)
  return { collector }
}

/** The Collector lives for 5 s with it. */
function crashing(stage: Stage, port: number): string {
  if (stage.collectorKind === 'stub') return forwarding({ port, sink: stage.sink, stub: { crash_after_ms: 5000 } })
  return forwarding({ port, sink: stage.sink, batch: 'batch/doomed', more: { processors: { 'batch/doomed': {} } } })
}

const crash = (stage: Stage) => doomed(stage, { later: 'sleep 5; kill -SEGV $$' })

/** Somewhat more than it needs at rest. */
const memoryLimitKib = 1_700_000
const floodLineChars = 1_000_000

/** What comes in is kept for hours. */
function hoarding(stage: Stage, port: number): string {
  const processors = { 'batch/doomed': { timeout: '5h', send_batch_size: 100_000_000 } }
  return forwarding({ port, sink: stage.sink, batch: 'batch/doomed', more: { processors } })
}

/** Sends logs until nobody takes them any more. */
async function flood(port: number): Promise<void> {
  const text = 'x'.repeat(floodLineChars)
  const isTaken = () =>
    sendLogLine(port, text).then(
      () => true,
      () => false,
    )
  await until(isTaken, 'the Collector on the bad configuration')
  while (await isTaken());
}

interface BadOptions {
  readonly settings?: Settings
  readonly collector?: string
  /** When the verdict is expected; default: while it is watched. */
  readonly verdict?: 'failed' | 'applied-first'
  /** Called when it was offered, with the port that it was made for. */
  readonly meanwhile?: (badPort: number) => Promise<void>
}

/** Offers a bad configuration and looks whether the good one is back without anybody's help. */
async function backAfter(stage: Stage, bad: (port: number) => Promise<string> | string, options: BadOptions = {}): Promise<Outcome> {
  const { peer, subject, port } = await running(stage, options.settings, options.collector)
  const goodEffective = effectiveText(peer.agent(subject.uid))
  const badPort = await freePort()
  const hash = peer.offerConfig(subject.uid, { 'bad.yaml': await bad(badPort) })
  await options.meanwhile?.(badPort)
  if (options.verdict === 'applied-first') {
    await untilApplied(peer, subject.uid, hash)
    const before = peer.agent(subject.uid).reports.length
    const isDown = (one: AgentToServer) => one.health?.healthy === false || one.remoteConfigStatus?.status === FAILED
    await peer.until(subject.uid, (agent) => agent.reports.slice(before).some(isDown), { what: 'the crash' })
  } else console.info(`${stage.kind}: ${await untilFailed(peer, subject.uid, hash)}`)
  const verdictAt = performance.now()
  if (!(await telemetryReturns(stage, port))) {
    const told = options.verdict === 'applied-first' ? 'APPLIED is not taken back' : 'FAILED is reported'
    return differs(`${told}; telemetry stays down: the Collector is started on the bad configuration again and again`)
  }
  console.info(
    `${stage.kind}: telemetry is back ${options.verdict ?? 'failed'} ${stage.folder.split('/').at(-1)} ${Math.round(performance.now() - verdictAt)} ms after the verdict`,
  )
  if (options.verdict === 'applied-first') await untilFailed(peer, subject.uid, hash)
  const seen = await peer.within(subject.uid, (agent) => (isHealthy(agent) && effectiveText(agent) === goodEffective) || undefined, stage.soonMs)
  if (seen === undefined) return differs('telemetry goes through again, but what runs is not reported')
  if (subject.collectors().length !== 1) return differs('more than one Collector runs')
  return ok('FAILED with the reason; the last good configuration is back by itself, telemetry goes through again, and what runs is reported')
}

const local = 'The last good configuration comes back locally, also when no server is there to offer it again; the stock supervisor goes on with the bad one'

export const rollback: Chapter = {
  title: 'A configuration that turns out to be bad',
  scenarios: [
    {
      id: 'refused-at-start',
      title: 'A configuration that passes validation and is refused at the start is taken back',
      stock: 'differs',
      reason: local,
      run: (stage) => backAfter(stage, async (port) => forwarding({ port, sink: stage.sink, stub: { fails_at_start: 'no such device' } })),
    },
    {
      id: 'port-taken',
      title: 'A configuration that validates but cannot bind its port is taken back',
      collectors: ['stub', 'real'],
      stock: 'differs',
      reason: local,
      run: async (stage) => {
        await using taken = await takePort()
        return await backAfter(stage, async () => forwarding({ port: taken.port, sink: stage.sink }))
      },
    },
    {
      id: 'crash-while-applying',
      title: 'A configuration that crashes the Collector after 5 s of health, while it is watched, is taken back',
      collectors: ['stub', 'real'],
      stock: 'differs',
      reason: local,
      run: async (stage) => backAfter(stage, (port) => crashing(stage, port), { settings: { agent: { config_apply_timeout: '8s' } }, ...(await crash(stage)) }),
    },
    {
      id: 'crash-after-applied',
      title: 'A configuration that crashes the Collector after 5 s of health, when it was applied already, is taken back',
      collectors: ['stub', 'real'],
      stock: 'differs',
      reason: 'A configuration stays under suspicion for a while after APPLIED; a crash in that time takes it back',
      run: async (stage) =>
        backAfter(stage, (port) => crashing(stage, port), {
          settings: { agent: { config_apply_timeout: '3s' } },
          verdict: 'applied-first',
          ...(await crash(stage)),
        }),
    },
    {
      id: 'memory',
      title: 'A configuration that eats memory until it is killed is taken back',
      collectors: ['stub', 'real'],
      stock: 'differs',
      reason: local,
      run: async (stage) => {
        if (stage.collectorKind === 'stub') return backAfter(stage, (port) => forwarding({ port, sink: stage.sink, stub: { eat_mib: 128 } }))
        const settings = { agent: { config_apply_timeout: '20s' } }
        const limited = await doomed(stage, { before: `ulimit -v ${memoryLimitKib}` })
        return backAfter(stage, (port) => hoarding(stage, port), { settings, meanwhile: flood, ...limited })
      },
    },
    {
      id: 'never-healthy',
      title: 'A configuration under which the Collector never says that it is healthy is taken back after config_apply_timeout',
      stock: 'differs',
      reason: local,
      run: (stage) => backAfter(stage, async () => forwarding({ port: await freePort(), sink: stage.sink, stub: { silent: true } })),
    },
    {
      id: 'unhealthy',
      title: 'A configuration under which the Collector is unhealthy is taken back, and the reason says what it complained of',
      stock: 'differs',
      reason: `${local}; and it says only that the time ran out`,
      run: async (stage) => {
        const { peer, subject } = await running(stage)
        const port = await freePort()
        const hash = peer.offerConfig(subject.uid, { 'bad.yaml': forwarding({ port, sink: stage.sink, stub: { unhealthy: 'the disk is full' } }) })
        const text = await untilFailed(peer, subject.uid, hash)
        if (!text.includes('the disk is full')) return differs('FAILED without what the Collector complained of; the bad configuration stays')
        await untilHealthy(peer, subject.uid)
        return ok('FAILED with what the Collector complained of; the last good configuration is back')
      },
    },
    {
      id: 'hup-bad',
      title: 'use_hup_config_reload: a reload that ends the Collector is taken back',
      stock: 'differs',
      reason: local,
      run: (stage) =>
        backAfter(stage, async (port) => forwarding({ port, sink: stage.sink, stub: { fails_at_start: 'no such device' } }), {
          settings: { agent: { use_hup_config_reload: true } },
        }),
    },
  ],
}
