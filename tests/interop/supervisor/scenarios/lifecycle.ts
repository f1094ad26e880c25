/** The Collector's process and its supervisor's: start, crash, end, and what is left on disk. */
import { once } from 'node:events'
import { chmod, mkdir, readFile, readdir, stat } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { RemoteConfigStatuses } from '@drover/protocol'
import type { AgentToServer } from '@drover/protocol'
import { freePort } from '../../../harness/index.ts'
import { differs, notSupported, ok } from '../scenario.ts'
import type { SeenAgent } from '../opamp-peer.ts'
import type { Chapter, Outcome, Stage } from '../scenario.ts'
import {
  expectTelemetry,
  forwarding,
  idle,
  isUpAt,
  running,
  runningLocally,
  soonMs,
  statusOf,
  stubbed,
  telemetryReturns,
  untilAgentAt,
  untilApplied,
  untilHealthy,
  writeLocal,
} from '../steps.ts'
import type { Settings } from '../subject.ts'
import { killQuietly, until, within } from '../subject.ts'

/** Asks for a WebSocket as a Collector's extension does. The status of the answer: 101 for a success. */
async function upgradeAt(port: number): Promise<number> {
  const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' }
  const { promise, resolve } = Promise.withResolvers<number>()
  const asked = request({ host: '127.0.0.1', port, path: '/v1/opamp', headers })
  asked.once('upgrade', (_, socket) => {
    socket.destroy()
    resolve(101)
  })
  asked.once('response', (response) => {
    response.resume()
    resolve(response.statusCode ?? 0)
  })
  asked.once('error', () => resolve(0))
  asked.end()
  return promise
}

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

/** What a start without a chance says, and that it ends. */
async function refusal(stage: Stage, settings: Settings, says: RegExp): Promise<Outcome> {
  const peer = await stage.peer()
  const subject = stage.subject({ endpoint: peer.url, settings })
  await subject.start()
  const how = await Promise.race([subject.child.ended, untilHealthy(peer, subject.uid)])
  if (how !== 'exit code 1') return differs(typeof how === 'string' ? how : 'it starts, and reports as healthy')
  return says.test(subject.child.output) ? ok('ends and says why') : differs(`ends, and says: ${subject.child.output.slice(-300)}`)
}

export const lifecycle: Chapter = {
  title: 'Life of the Collector and of its supervisor',
  scenarios: [
    {
      id: 'nothing-given',
      title: 'Without any configuration the Collector runs, idle and healthy',
      collectors: ['stub', 'real'],
      run: async (stage) => {
        const subject = await stage.subjectAtServer()
        await subject.start()
        await untilAgentAt(stage.server, subject.uid, 'up', isUpAt)
        return subject.collectors().length === 1 ? ok('healthy') : differs('no Collector runs')
      },
    },
    {
      id: 'no-gate',
      title: 'A Collector that insists on a pipeline gets one that does nothing',
      collectors: ['stub', 'real'],
      run: async (stage) => {
        // older than the feature gate that allows to have none
        const older = await writeLocal(
          stage,
          'older',
          `#!/bin/sh\n[ "$1" = featuregate ] && echo 'ID Enabled Stage Description' && exit 0\nexec '${stage.collector}' "$@"\n`,
        )
        await chmod(older, 0o755)
        const peer = await stage.peer()
        const subject = stage.subject({ endpoint: peer.url, collector: older })
        await subject.start()
        await untilHealthy(peer, subject.uid)
        return (await subject.fileInStorage('effective.yaml')).includes('nop') ? ok('healthy, with a pipeline that does nothing') : differs('healthy without')
      },
    },
    {
      id: 'no-pipelines',
      title: 'A configuration without pipelines is run by a Collector that knows how',
      collectors: ['stub', 'real'],
      run: async (stage) => {
        // the stock supervisor finds out by itself as well, but not always: it may stop reading the list of gates too early
        const args = ['--set=service::telemetry::metrics::level=none', '--feature-gates=service.AllowNoPipelines']
        const { peer, subject } = await running(stage, { agent: { args } })
        const hash = peer.offerConfig(subject.uid, { 'a.yaml': 'receivers:\n  nop: {}\n' })
        await untilApplied(peer, subject.uid, hash)
        return ok('APPLIED')
      },
    },
    {
      id: 'local-config',
      title: 'Local files alone: telemetry goes through, and a missing one is skipped',
      run: async (stage) => {
        const port = await freePort()
        const files = [join(stage.folder, 'absent.yaml'), await writeLocal(stage, 'local.yaml', forwarding({ port, sink: stage.sink }))]
        const peer = await stage.peer()
        const subject = stage.subject({ endpoint: peer.url, settings: { capabilities: { accepts_remote_config: false }, agent: { config_files: files } } })
        await subject.start()
        await untilHealthy(peer, subject.uid)
        await expectTelemetry(stage, port)
        return ok('telemetry goes through')
      },
    },
    {
      id: 'order-of-sources',
      title: 'The order of config_files decides: with the OpAMP extension last, a remote configuration cannot cut it off',
      run: async (stage) => {
        const peer = await stage.peer()
        const config_files = ['$OWN_TELEMETRY_CONFIG', '$REMOTE_CONFIG', '$OPAMP_EXTENSION_CONFIG']
        const subject = stage.subject({ endpoint: peer.url, settings: { agent: { config_files } } })
        await subject.start()
        await untilHealthy(peer, subject.uid)
        const port = await freePort()
        const extensions = { opamp: { server: { ws: { endpoint: 'ws://127.0.0.1:1/v1/opamp' } } } }
        const hash = peer.offerConfig(subject.uid, { 'a.yaml': forwarding({ port, sink: stage.sink, more: { extensions } }) })
        await untilApplied(peer, subject.uid, hash)
        await expectTelemetry(stage, port)
        return ok('still reported by the extension')
      },
    },
    {
      id: 'unknown-source',
      title: 'An unknown special name in config_files is refused at the start',
      run: (stage) => refusal(stage, { agent: { config_files: ['$NO_SUCH_CONFIG'] } }, /\$NO_SUCH_CONFIG/),
    },
    {
      id: 'no-executable',
      title: 'A Collector that is not there is refused at the start',
      run: (stage) => refusal(stage, { agent: { executable: '/no/such/collector' } }, /no\/such\/collector/),
    },
    {
      id: 'args-and-env',
      title: 'args and env reach the Collector',
      run: async (stage) => {
        const port = await freePort()
        const local = await writeLocal(stage, 'local.yaml', forwarding({ port: 0, sink: stage.sink }).replace('127.0.0.1:0', '127.0.0.1:${env:SCENARIO_PORT}'))
        const args = ['--set=service::telemetry::metrics::level=none', '--set=processors::batch/set={}']
        const peer = await stage.peer()
        const agent = { config_files: [local], args, env: { SCENARIO_PORT: String(port) } }
        const subject = stage.subject({ endpoint: peer.url, settings: { agent, capabilities: { accepts_remote_config: false } } })
        await subject.start()
        await untilHealthy(peer, subject.uid)
        await expectTelemetry(stage, port)
        const effective = new TextDecoder().decode(peer.agent(subject.uid).status.effectiveConfig?.configMap?.configMap['']?.body)
        return effective.includes('batch/set') ? ok('both') : differs('args do not')
      },
    },
    {
      id: 'environment-in-file',
      title: 'References to the environment in the supervisor’s own file are resolved',
      run: async (stage) => {
        const peer = await stage.peer({ token: 'from the environment' })
        const headers = { Authorization: ['Bearer ${env:SCENARIO_TOKEN}'] }
        const subject = stage.subject({ endpoint: peer.url, settings: { server: { headers } }, env: { SCENARIO_TOKEN: 'from the environment' } })
        await subject.start()
        await untilHealthy(peer, subject.uid)
        return ok('resolved')
      },
    },
    {
      id: 'bootstrap-timeout',
      title: 'A program that never speaks is given up after bootstrap_timeout, with the reason',
      run: async (stage) => {
        const mute = await writeLocal(stage, 'mute', '#!/bin/sh\ncase "$1" in --config*) exec sleep 60;; esac\nexit 0\n')
        await chmod(mute, 0o755)
        return refusal(stage, { agent: { executable: mute, bootstrap_timeout: '1s' } }, /never connected|did not connect|not connect|bootstrap/i)
      },
    },
    {
      id: 'wrong-identity',
      title: 'A Collector that insists on another identity is refused at the start',
      stock: 'differs',
      reason: 'What the Collector reports must be about the agent that the server knows; v0.149.0 forgets the mismatch while it reports it',
      run: (stage) =>
        refusal(
          stage,
          { agent: { args: ['--set=service::telemetry::metrics::level=none', '--set=extensions::opamp::instance_uid=01939b3c-7d2e-7c3a-9f00-0123456789ab'] } },
          /01939b3c-7d2e-7c3a-9f00-0123456789ab/,
        ),
    },
    {
      id: 'port-8888-taken',
      title: 'The start succeeds although port 8888, where a Collector serves its own metrics, is taken',
      collectors: ['real'],
      stock: 'differs',
      reason: 'The Collector is asked who it is with its metrics off (newer stock supervisors do so, too)',
      run: async (stage) => {
        const other = createServer()
        other.listen(8888, 'localhost')
        await once(other, 'listening').catch(() => undefined) // taken already: as good
        try {
          const port = await freePort()
          const telemetry = { metrics: { readers: [{ pull: { exporter: { prometheus: { host: 'localhost', port } } } }] } }
          const local = await writeLocal(stage, 'metrics.yaml', idle({ service: { telemetry } }))
          const settings = { agent: { args: [], config_files: [local], bootstrap_timeout: '3s' } }
          const peer = await stage.peer()
          const subject = stage.subject({ endpoint: peer.url, settings })
          await subject.start()
          const how = await Promise.race([subject.child.ended, untilHealthy(peer, subject.uid)])
          return how === true ? ok('starts') : differs('gives up at the start')
        } finally {
          other.close()
        }
      },
    },
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
        if (!(await telemetryReturns(stage, port, 10_000))) return differs('it stays down')
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
        const { subject, port } = await runningLocally(stage)
        killQuietly(await subject.untilCollector())
        const isBack = await telemetryReturns(stage, port, 3000)
        return isBack ? ok('started again at once') : differs('down for 5 s')
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
        return (await telemetryReturns(stage, port, stage.kind === 'stock' ? soonMs : 40_000))
          ? ok('with pauses; it runs when it can')
          : differs('with pauses; it never runs again')
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
        const isGone = await within(() => subject.collectors().length === 0, soonMs)
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
        const back = await within(isBack, soonMs + 4000)
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
    {
      id: 'healthcheck',
      title: 'healthcheck.endpoint answers 200 when there is a configuration, also without a server',
      run: async (stage) => {
        const port = await freePort()
        const settings = { healthcheck: { endpoint: `127.0.0.1:${port}` } }
        const subject = stage.subject({ endpoint: `ws://127.0.0.1:${await freePort()}/v1/opamp`, settings })
        await subject.start()
        const status = () =>
          fetch(`http://127.0.0.1:${port}/health`).then(
            (response) => response.status,
            () => 0,
          )
        const isWell = await within(async () => (await status()) === 200, 20_000)
        return isWell === true ? ok('200') : differs(`${await status()}`)
      },
    },
    {
      id: 'fixed-local-port',
      title: 'opamp_server_port: the Collector is told that port',
      run: async (stage) => {
        const port = await freePort()
        const { subject } = await runningLocally(stage, { agent: { opamp_server_port: port } })
        return (await subject.fileInStorage('effective.yaml')).includes(`:${port}/v1/opamp`) ? ok('that port') : differs('another port')
      },
    },
    {
      id: 'local-link',
      title: 'Another program at the local port is turned away, and the Collector stays connected',
      run: async (stage) => {
        const port = await freePort()
        const { peer, subject } = await runningLocally(stage, { agent: { opamp_server_port: port } })
        const pid = await subject.untilCollector()
        const before = peer.agent(subject.uid).reports.length
        const status = await upgradeAt(port)
        if (status < 400) return differs(`answered ${status}`)
        const isDisturbed = peer
          .agent(subject.uid)
          .reports.slice(before)
          .some((one) => one.health?.healthy === false)
        return !isDisturbed && subject.collectors().join() === String(pid) ? ok('turned away') : differs('the Collector is disturbed')
      },
    },
    {
      id: 'agent-log',
      title: "The Collector's output is in agent.log in the storage directory",
      collectors: ['stub', 'real'],
      run: async (stage) => {
        const { subject } = await runningLocally(stage)
        return (await subject.fileInStorage('agent.log')).includes('Everything is ready') ? ok('there') : differs('not there')
      },
    },
    {
      id: 'passthrough-logs',
      title: "passthrough_logs: the Collector's output is in the supervisor's instead",
      run: async (stage) => {
        const { subject } = await runningLocally(stage, { agent: { passthrough_logs: true } })
        return subject.child.output.includes('Everything is ready') ? ok('there') : differs('not there')
      },
    },
    {
      id: 'log-flood',
      title: 'A Collector that floods its log does not fill the disk',
      stock: 'differs',
      reason: 'Logs are rotated: so many files of such a size',
      run: async (stage) => {
        const logs = { max_file_size: '64KiB', max_files: 2 }
        const { peer, subject } = await running(stage, stage.kind === 'stock' ? {} : { drover: { logs } })
        const hash = peer.offerConfig(subject.uid, { 'a.yaml': stubbed({ log_kib: 1024 }) })
        await untilApplied(peer, subject.uid, hash)
        const names = (await readdir(subject.storage)).filter((name) => name.startsWith('agent') && name.includes('log'))
        const sizes = await Promise.all(names.map(async (name) => (await stat(join(subject.storage, name))).size))
        const total = sizes.reduce((sum, size) => sum + size, 0)
        return total < 300_000 ? ok('the size of its logs is bounded') : differs('agent.log grows without a bound')
      },
    },
    {
      id: 'private-files',
      title: 'What is kept on disk is readable for its owner alone: folder 0700, files 0600',
      stock: 'differs',
      reason: "The Collector's log may hold secrets as well; the stock supervisor's agent.log is readable for everyone",
      run: async (stage) => {
        const { subject } = await running(stage)
        if (((await stat(subject.storage)).mode & 0o777) !== 0o700) return differs('the folder is open')
        const open: string[] = []
        for (const entry of await readdir(subject.storage, { recursive: true, withFileTypes: true })) {
          const path = join(entry.parentPath, entry.name)
          if (entry.isFile() && ((await stat(path)).mode & 0o077) !== 0) open.push(entry.name)
        }
        return open.length === 0 ? ok('all of them') : differs(`open: ${open.join(', ')}`)
      },
    },
    {
      id: 'no-secrets-in-logs',
      title: 'The token of the server connection is in no log, also at level debug',
      run: async (stage) => {
        const peer = await stage.peer({ token: 'very-secret-token' })
        const subject = stage.subject({ endpoint: peer.url, settings: { server: { headers: { Authorization: ['Bearer very-secret-token'] } } } })
        await subject.start()
        await untilHealthy(peer, subject.uid)
        await subject.stop()
        return subject.child.output.includes('very-secret-token') ? differs('it is in the log') : ok('nowhere')
      },
    },
    {
      id: 'own-log-file',
      title: 'telemetry.logs: level and output_paths of its own log',
      run: async (stage) => {
        const file = join(stage.folder, 'own.log')
        await mkdir(stage.folder, { recursive: true })
        const { subject } = await runningLocally(stage, { telemetry: { logs: { level: 'info', output_paths: [file] } } })
        const text = await readFile(file, 'utf8')
        if (/"level":"debug"|\bdebug\b/i.test(text)) return differs('with debug lines')
        return text.length > 0 && subject.child.stdout === '' ? ok('in the file alone') : differs('elsewhere')
      },
    },
    {
      id: 'own-logs-otlp',
      title: 'telemetry.logs.processors: its own log goes out over OTLP',
      run: async (stage) => {
        const exporter = { otlp: { protocol: 'http/protobuf', endpoint: `${stage.sink.url}/v1/logs` } }
        const logs = { level: 'info', processors: [{ batch: { schedule_delay: 200, exporter } }] }
        const resource = { 'service.name': 'my-supervisor', 'service.instance.id': stage.folder }
        const peer = await stage.peer()
        const subject = stage.subject({ endpoint: peer.url, settings: { telemetry: { logs, resource } } })
        await subject.start()
        const body = await stage.sink.untilReceived('logs', stage.folder, 30_000)
        return body.includes('my-supervisor') ? ok('with the resource of the file') : differs('under another name')
      },
    },
    {
      id: 'own-metrics-otlp',
      title: 'telemetry.metrics.readers: its own metrics go out over OTLP',
      run: async (stage) => {
        const exporter = { otlp: { protocol: 'http/protobuf', endpoint: `${stage.sink.url}/v1/metrics` } }
        const metrics = { level: 'detailed', readers: [{ periodic: { interval: 500, exporter } }] }
        const resource = { 'service.instance.id': stage.folder }
        const peer = await stage.peer()
        const subject = stage.subject({ endpoint: peer.url, settings: { telemetry: { metrics, resource } } })
        await subject.start()
        const body = await stage.sink.untilReceived('metrics', stage.folder, 30_000)
        return body.includes('health') ? ok('the health of the Collector is among them') : differs('others')
      },
    },
    {
      id: 'own-spans-otlp',
      title: 'telemetry.traces.processors: spans of the bootstrap go out over OTLP',
      run: async (stage) => {
        const exporter = { otlp: { protocol: 'http/protobuf', endpoint: `${stage.sink.url}/v1/traces` } }
        const traces = { processors: [{ batch: { schedule_delay: 200, exporter } }] }
        const resource = { 'service.instance.id': stage.folder }
        const peer = await stage.peer()
        const subject = stage.subject({ endpoint: peer.url, settings: { telemetry: { traces, resource } } })
        await subject.start()
        await untilHealthy(peer, subject.uid)
        const body = await stage.sink.untilReceived('traces', stage.folder, soonMs).catch(() => '')
        if (body === '') return notSupported('none are sent')
        return /bootstrap/i.test(body) ? ok('the bootstrap is among them') : differs('others')
      },
    },
  ],
}
