/** The Collector's process and its supervisor's: crash, restart, end, and never two of one. */
import { once } from 'node:events'
import { chmod, readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { RemoteConfigStatuses } from '@drover/protocol'
import type { AgentToServer } from '@drover/protocol'
import { differs, ok } from '../scenario.ts'
import type { SeenAgent } from '../opamp-peer.ts'
import type { Chapter, Stage } from '../scenario.ts'
import { expectTelemetry, isUpAt, runningLocally, statusOf, stubbed, telemetryReturns, untilAgentAt, writeLocal } from '../steps.ts'
import { killQuietly, until, within } from '../subject.ts'

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  return once(socket, 'connect').then(
    () => {
      socket.destroy()
      return true
    },
    () => false,
  )
}

/** The Collector ended by itself with that configuration, before or after it was APPLIED. */
function isDown(agent: SeenAgent, hash: string): boolean {
  return statusOf(agent, hash).includes(RemoteConfigStatuses.RemoteConfigStatuses_FAILED) || (agent.status.health?.lastError ?? '') !== ''
}

/** A Collector that notes each start in `starts`. */
async function countingCollector(stage: Stage): Promise<{ collector: string; starts: () => Promise<number> }> {
  const log = join(stage.folder, 'starts')
  const collector = await writeLocal(stage, 'counting', `#!/bin/sh\ncase "$1" in --config*) echo "$*" >> '${log}';; esac\nexec '${stage.collector}' "$@"\n`)
  await chmod(collector, 0o755)
  return { collector, starts: async () => (await readFile(log, 'utf8').catch(() => '')).split('\n').length - 1 }
}

export const lifecycle: Chapter = {
  title: 'Crashes and ends',
  scenarios: [
    {
      id: 'killed',
      title: 'A Collector that is killed is reported as unhealthy with the reason, and started again',
      shows: '[HL-01] [HL-02] [HL-04]',
      collectors: ['stub', 'real'],
      run: async (stage) => {
        const { peer, subject, port } = await runningLocally(stage)
        const pid = await subject.untilCollector()
        const before = peer.agent(subject.uid).reports.length
        const crashedAt = performance.now()
        killQuietly(pid)
        const crash = await peer.until(subject.uid, (agent) => agent.reports.slice(before).find((one) => one.health?.healthy === false), { what: 'the crash' })
        if (!(await telemetryReturns(stage, port))) return differs('it stays down')
        console.info(`${stage.kind}: telemetry is back ${Math.round(performance.now() - crashedAt)} ms after a kill`)
        const { health } = crash as AgentToServer // as: what was looked for
        if (health?.startTimeUnixNano !== 0n) return differs('a start time of what does not run')
        return health.lastError === '' ? differs('no reason is given') : ok('reported, and started again')
      },
    },
    {
      id: 'back-after-a-crash-at-once',
      title: 'The first crash after a long time is answered within a second',
      stock: 'differs',
      reason: 'The wait grows with the crashes instead of being 5 s each time',
      run: async (stage) => {
        const { subject } = await runningLocally(stage)
        const pid = await subject.untilCollector()
        const killedAt = performance.now()
        killQuietly(pid)
        await until(() => subject.collectors().some((one) => one !== pid), 'another process')
        return performance.now() - killedAt < 4000 ? ok('started again at once') : differs('down for 5 s')
      },
    },
    {
      id: 'no-tight-loop',
      title: 'A Collector that cannot start is not tried again and again without a pause',
      run: async (stage) => {
        const { collector, starts } = await countingCollector(stage)
        const local = await writeLocal(stage, 'local.yaml', stubbed({ fails_at_start: 'never' }))
        const peer = await stage.peer()
        const settings = { agent: { config_files: [local] }, capabilities: { accepts_remote_config: false } }
        const subject = stage.subject({ endpoint: peer.url, settings, collector })
        await subject.start()
        const isDown = () => peer.agents.some(({ reports }) => reports.some((one) => (one.health?.lastError ?? '') !== ''))
        await until(isDown, 'reported as down')
        const before = await starts()
        await within(async () => (await starts()) > before + 5, 5000)
        const more = (await starts()) - before
        return more <= 5 ? ok('with pauses') : differs(`${more} starts in 5 s`)
      },
    },
    {
      id: 'restored-fails',
      title: 'A last good configuration that does not start any more is tried with pauses, and runs as soon as it can',
      stock: 'differs',
      reason: 'The stock supervisor has no last good configuration',
      run: async (stage) => {
        const { collector, starts } = await countingCollector(stage)
        const { peer, subject, port } = await runningLocally(stage, {}, collector)
        const hash = peer.offerConfig(subject.uid, { 'a.yaml': stubbed({ crash_after_ms: 1500 }) })
        await until(async () => !(await isListening(port)), 'the port to be free')
        const other = createServer()
        other.listen(port, '127.0.0.1')
        await once(other, 'listening')
        await peer.until(subject.uid, (agent) => isDown(agent, hash), { what: 'the crash' })
        const before = await starts()
        await within(async () => (await starts()) > before + 6, 4000)
        const more = (await starts()) - before
        other.close()
        other.closeAllConnections()
        if (more > 6) return differs(`${more} starts in 4 s`)
        return (await telemetryReturns(stage, port)) ? ok('with pauses; it runs when it can') : differs('with pauses; it never runs again')
      },
    },
    {
      id: 'restart-command',
      title: 'The restart command restarts the Collector, and the connection stays',
      collectors: ['stub', 'real'],
      run: async (stage) => {
        const subject = await stage.subjectAtServer()
        await subject.start()
        const before = await untilAgentAt(stage.server, subject.uid, 'up', isUpAt)
        const pid = await subject.untilCollector()
        await stage.server.api.restartAgent({ params: { agentId: subject.uid } })
        await until(() => subject.collectors().some((one) => one !== pid) && !subject.collectors().includes(pid), 'another process')
        const agent = await untilAgentAt(stage.server, subject.uid, 'up again', isUpAt)
        return agent.connection?.connectedAt === before.connection?.connectedAt ? ok('another process, same connection') : differs('another connection')
      },
    },
    {
      id: 'orphan',
      title: 'A Collector whose supervisor was killed ends by itself after orphan_detection_interval',
      // with the stub alone: a real Collector v0.149.0 notices, and does not end
      run: async (stage) => {
        const { subject } = await runningLocally(stage)
        await subject.killAlone()
        const isGone = await within(() => subject.collectors().length === 0, stage.soonMs)
        return isGone === true ? ok('it ends') : differs('it stays')
      },
    },
    {
      id: 'never-two-after-kill',
      title: 'A supervisor that comes back after kill -9 never runs a second Collector beside the first',
      stock: 'differs',
      reason: 'What an earlier supervisor left is ended first',
      run: async (stage) => {
        const { peer, subject, port } = await runningLocally(stage, { agent: { orphan_detection_interval: '30s' } })
        const pid = await subject.untilCollector()
        await subject.killAlone()
        await subject.start()
        let most = 0
        const isBack = () => {
          most = Math.max(most, subject.collectors().length)
          return !subject.collectors().includes(pid) && peer.agent(subject.uid).connects === 2 && peer.agent(subject.uid).status.health?.status === 'StatusOK'
        }
        const back = await within(isBack, stage.soonMs + 4000)
        if (most > 1) return differs('the old one goes on beside the new one, which cannot bind its port')
        if (back === undefined) return differs('the old one goes on')
        await expectTelemetry(stage, port)
        return ok('the old one is ended first')
      },
    },
    {
      id: 'two-supervisors',
      title: 'A second supervisor with the same storage directory is refused',
      stock: 'differs',
      reason: 'One supervisor at a time has a storage directory',
      run: async (stage) => {
        const { peer, subject } = await runningLocally(stage)
        const second = stage.subject({ endpoint: peer.url, settings: { storage: { directory: subject.storage } } })
        await second.start()
        const how = await Promise.race([second.child.ended, until(() => subject.collectors().length > 1, 'a second Collector').catch(() => 'nothing')])
        if (how === true) return differs('both run, each with a Collector, and overwrite each other’s files')
        return subject.collectors().length === 1 ? ok('refused; the first one is not disturbed') : differs(how)
      },
    },
    ...(['SIGINT', 'SIGTERM'] as const).map((signal) => ({
      id: `end-${signal.toLowerCase()}`,
      title: signal === 'SIGINT' ? 'Ctrl-C ends the Collector first and says goodbye' : 'SIGTERM (systemd, containers) does the same',
      ...(signal === 'SIGTERM' ? { stock: 'differs' as const, reason: 'Service managers end programs with SIGTERM; v0.149.0 handles SIGINT alone' } : {}),
      run: async (stage: Stage) => {
        const { peer, subject } = await runningLocally(stage)
        subject.child.signal(signal)
        const how = await subject.child.ended
        await peer.until(subject.uid, (agent) => agent.connection === undefined, { what: 'disconnected' })
        if (subject.collectors().length > 0) return differs('the Collector is left behind, and no goodbye is said')
        if (!peer.agent(subject.uid).goodbyes.includes('agent-disconnect')) return differs('no goodbye is said')
        return how === 'exit code 0' ? ok('the Collector is ended, goodbye is said, exit code 0') : differs(how)
      },
    })),
  ],
}
