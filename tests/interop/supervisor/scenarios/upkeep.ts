/** What an operator looks at: health check, logs, files, the supervisor's own telemetry. */
import { mkdir, readFile, readdir, stat } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { freePort } from '../../../harness/index.ts'
import { differs, notSupported, ok } from '../scenario.ts'
import type { Chapter } from '../scenario.ts'
import { running, runningLocally, stubbed, untilApplied, untilHealthy } from '../steps.ts'
import { within } from '../subject.ts'

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

export const upkeep: Chapter = {
  title: 'Health check, logs, files and its own telemetry',
  scenarios: [
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
        const isWell = await within(async () => (await status()) === 200, stage.soonMs)
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
        const body = await stage.sink.untilReceived('logs', stage.folder)
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
        const body = await stage.sink.untilReceived('metrics', stage.folder)
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
        const body = await stage.sink.untilReceived('traces', stage.folder, stage.soonMs).catch(() => '')
        if (body === '') return notSupported('none are sent')
        return /bootstrap/i.test(body) ? ok('the bootstrap is among them') : differs('others')
      },
    },
  ],
}
