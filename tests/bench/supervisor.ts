/**
 * What a supervisor costs beside its Collector, by hand: `node tests/bench/supervisor.ts [--rest 60] [--restarts 20] [--write]`.
 * The stock supervisor and Drover's run one after the other against the same server with the same Collector and file.
 * Prints a table; `--write` puts it into docs/operations/supervisor-figures.md.
 */
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { spawn } from 'node:child_process'
import { Child } from '../harness/child.ts'
import { createTemporaryFolder } from '../harness/folder.ts'
import { freePort } from '../harness/ports.ts'
import { startServer } from '../harness/server.ts'
import type { Server } from '../harness/server.ts'
import { buildPeer } from '../peers/build.ts'
import { readProcessUse } from './process-use.ts'

const { values: options } = parseArgs({
  options: { rest: { type: 'string', default: '60' }, restarts: { type: 'string', default: '20' }, write: { type: 'boolean', default: false } },
})
const restSeconds = Number(options.rest)
const restarts = Number(options.restarts)
const root = fileURLToPath(new URL('../../', import.meta.url))
/** The supervisor's own settling, first heartbeats included. */
const settleMs = 20_000
const pollMs = 1

interface Figures {
  readonly residentMb: number
  readonly cpuPercent: number
  readonly startToConnectedMs: number
  readonly outagesMs: readonly number[]
  readonly badConfigOutageMs: number
}

const kinds = ['stock', 'drover'] as const
type Kind = (typeof kinds)[number]

const stockSupervisor = await buildPeer('supervisor')
const collector = await buildPeer('collector')

/** As `drover tokens create --for supervisor` prints it; a Collector's own metrics would take the same port on each run. */
const supervisorFile = (server: Server, token: string, storage: string) => `server:
  endpoint: ${server.agentsUrl}
  headers:
    Authorization: Bearer ${token}
capabilities:
  accepts_remote_config: true
  reports_remote_config: true
  accepts_restart_command: true
agent:
  executable: ${collector}
  args: ['--set=service.telemetry.metrics.level=none']
  config_apply_timeout: 3s
  bootstrap_timeout: 15s
storage:
  directory: ${storage}
`

/** Serves a health check, so that anybody can see from outside when the Collector works. */
const pipelines = (healthPort: number, extra = '') => `receivers: {nop: {}}
exporters: {nop: {}}
extensions:
  health_check: {endpoint: 127.0.0.1:${healthPort}}
service:
  extensions: [health_check]
  pipelines:
    traces: {receivers: [nop], exporters: [nop]}
${extra}`

function isHealthy(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ host: '127.0.0.1', port, path: '/', agent: false, timeout: 1000 }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    asked.on('error', () => resolve(false))
    asked.on('timeout', () => asked.destroy())
    asked.end()
  })
}

async function untilHealth(port: number, wanted: boolean): Promise<number> {
  for (const end = performance.now() + 60_000; performance.now() < end; await delay(pollMs)) if ((await isHealthy(port)) === wanted) return performance.now()
  throw new Error(`the Collector did not become ${wanted ? 'healthy' : 'unhealthy'} in a minute`)
}

/** How long the health check does not answer around `act`. */
async function outage(port: number, act: () => Promise<unknown>): Promise<number> {
  const down = untilHealth(port, false)
  await act()
  const from = await down
  return (await untilHealth(port, true)) - from
}

/** The Collector without a supervisor: SIGTERM, and started again as soon as it ended. */
async function bareOutages(): Promise<readonly number[]> {
  await using folder = await createTemporaryFolder()
  const port = await freePort()
  const file = join(folder.path, 'collector.yaml')
  await writeFile(file, pipelines(port))
  const start = () => spawn(collector, ['--config', file, '--set=service.telemetry.metrics.level=none'], { stdio: 'ignore' })
  let child = start()
  await untilHealth(port, true)
  const outages: number[] = []
  for (let round = 0; round < restarts; round++)
    outages.push(
      await outage(port, async () => {
        child.kill('SIGTERM')
        await once(child, 'exit')
        child = start()
      }),
    )
  child.kill('SIGTERM')
  await once(child, 'exit')
  return outages
}

async function measure(kind: Kind, server: Server): Promise<Figures> {
  await using folder = await createTemporaryFolder()
  const port = await freePort()
  const name = `bench-${kind}`
  const { data: token } = await server.api.createEnrolmentToken({ body: { name } })
  const file = join(folder.path, 'supervisor.yaml')
  await writeFile(file, supervisorFile(server, token.token, join(folder.path, 'storage')), { mode: 0o600 })
  const startedAt = performance.now()
  const known = new Set((await server.api.listAgents({ query: { limit: 100 } })).data.items.map(({ id }) => id))
  await using process =
    kind === 'stock'
      ? new Child({ title: 'opampsupervisor', command: stockSupervisor, args: ['--config', file] })
      : new Child({ title: 'drover supervisor', command: join(root, 'bin', 'drover'), args: ['supervisor', '--config', file] })
  const agent = await server.until(
    async (api) =>
      (await api.listAgents({ query: { limit: 100 } })).data.items.find(({ id, connected, healthy }) => !known.has(id) && connected && healthy === true),
    { what: `${kind}: a healthy agent`, timeoutMs: 90_000 },
  )
  const startToConnectedMs = performance.now() - startedAt
  const { etag } = await server.api.getAgent({ params: { agentId: agent.id } })
  await server.api.setLabels({ params: { agentId: agent.id }, body: { labels: { bench: kind } }, ifMatch: etag ?? '*' })
  await server.api.createConfig({ body: { name, files: [{ name: 'a.yaml', body: pipelines(port) }], message: '' } })
  await server.api.createGroup({
    body: {
      name,
      selector: `label.bench = ${kind}`,
      priority: 0,
      configs: [{ config: name, version: 1 }],
      ownTelemetry: null,
      rollout: { preset: 'everyone' },
    },
  })
  const applied = () =>
    server.until(async (api) => ((await api.getAgent({ params: { agentId: agent.id } })).data.configState === 'applied' ? true : undefined), {
      what: `${kind}: applied`,
      timeoutMs: 60_000,
    })
  await applied()
  await untilHealth(port, true)
  await delay(settleMs)
  const before = await readProcessUse(process.pid)
  await delay(restSeconds * 1000)
  const after = await readProcessUse(process.pid)
  const outagesMs: number[] = []
  for (let round = 0; round < restarts; round++) {
    outagesMs.push(await outage(port, () => server.api.restartAgent({ params: { agentId: agent.id } })))
    await delay(500)
  }
  const bad = pipelines(port, 'connectors: {}\n').replace('endpoint: 127.0.0.1', 'endpoint: 203.0.113.1')
  const badConfigOutageMs = await badOutage(server, name, port, bad)
  return {
    residentMb: after.residentBytes / 1e6,
    cpuPercent: ((after.cpuSeconds - before.cpuSeconds) / restSeconds) * 100,
    startToConnectedMs,
    outagesMs,
    badConfigOutageMs,
  }
}

/** The sum of the time without an answer while a configuration comes that cannot bind its address, and goes. */
async function badOutage(server: Server, name: string, port: number, body: string): Promise<number> {
  let downMs = 0
  const over = new AbortController()
  const watch = (async () => {
    for (let last = performance.now(); !over.signal.aborted; await delay(pollMs)) {
      const healthy = await isHealthy(port)
      const now = performance.now()
      if (!healthy) downMs += now - last
      last = now
    }
  })()
  const after = await server.lastEventId()
  const { etag: configTag } = await server.api.getConfig({ params: { name } })
  await server.api.createVersion({ params: { name }, ifMatch: configTag ?? '*', body: { files: [{ name: 'a.yaml', body }], message: 'bad' } })
  const { data: group, etag } = await server.api.getGroup({ params: { name } })
  await server.api.setGroup({
    params: { name },
    ifMatch: etag ?? '*',
    body: {
      selector: group.selector,
      priority: 0,
      message: 'bad',
      configs: [{ config: name, version: 2 }],
      ownTelemetry: null,
      rollout: { preset: 'everyone' },
    },
  })
  await server.untilEvent((event) => event.kind === 'attempt.failed', { after, what: 'the refusal', timeoutMs: 60_000 })
  await untilHealth(port, true)
  await delay(8000) // a crash loop would show itself again
  over.abort()
  await watch
  return downMs
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
const worst = (values: readonly number[]) => Math.max(...values)
const ms = (value: number) => `${Math.round(value)} ms`

await using server = await startServer()
const bare = await bareOutages()
const figures: Record<Kind, Figures> = { stock: await measure('stock', server), drover: await measure('drover', server) }
const row = (what: string, value: (one: Figures) => string, note = '') => `| ${what} | ${kinds.map((kind) => value(figures[kind])).join(' | ')} | ${note} |`
const page = `# Figures of the supervisor

Made by \`node tests/bench/supervisor.ts --write\` on ${cpus().length} cores, Node ${process.versions.node}: opampsupervisor v0.149.0 and Drover's supervisor, one after
the other, against the same server, with the same Collector (v0.149.0) and the same file.

| | stock | Drover | |
|---|---:|---:|---|
${row('resident memory at rest', (one) => `${one.residentMb.toFixed(1)} MB`, 'the supervisor alone, without its Collector')}
${row(`CPU at rest, of one core, over ${restSeconds} s`, (one) => `${one.cpuPercent.toFixed(2)} %`)}
${row('start to connected and healthy', (one) => `${(one.startToConnectedMs / 1000).toFixed(1)} s`)}
${row(`Collector restarted by command, median of ${restarts}`, (one) => ms(median(one.outagesMs)), `how long its health check does not answer; ${ms(median(bare))} without any supervisor`)}
${row('slowest of them', (one) => ms(worst(one.outagesMs)), `${ms(worst(bare))} without any supervisor`)}
${row('a configuration that cannot bind its address', (one) => ms(one.badConfigOutageMs), 'time without an answer until the former one runs for good')}
`
process.stdout.write(page)
if (options.write) await writeFile(join(root, 'docs', 'operations', 'supervisor-figures.md'), page)
