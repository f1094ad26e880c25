/** A supervisor with a stock Collector, set up as a person does it: the file that `drover tokens create --for supervisor` prints, with its two lines adapted. */
import { watch } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { Child, cliMain } from '../harness/index.ts'
import type { Server } from '../harness/index.ts'

export interface SupervisorOptions {
  /** The stock one, or `drover` for `drover supervisor`. */
  readonly supervisor: string
  readonly collector: string
  /** Its own; configuration file and storage live here. */
  readonly folder: string
  /** What was printed for pasting. */
  readonly pasted: string
  /** Its Collector may send metrics of its own; until it is told where to, it serves them at this port. */
  readonly metricsPort?: number
  /** Seen by the Collector, for `${env:…}`. */
  readonly env?: Readonly<Record<string, string>>
}

/** Shorter than a person would choose: it delays every APPLIED. */
const applyTimeout = '3s'
/** At this level the supervisor says each configuration that it receives. */
const debugLog = 'telemetry:\n  logs:\n    level: debug\n'
/** A Collector serves its own metrics on port 8888 unless told otherwise, and does not start while another has it. */
const noMetricsPort = '--set=service.telemetry.metrics.level=none'
/** What own telemetry is offered later comes after this file and so replaces it. */
const metricsAt = (port: number) =>
  `service:\n  telemetry:\n    metrics:\n      readers:\n        - pull: {exporter: {prometheus: {host: 127.0.0.1, port: ${port}}}}\n`
const waitLimitMs = 60_000

export class Supervisor implements AsyncDisposable {
  readonly #options: SupervisorOptions
  readonly storage: string
  #child: Child | undefined

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.storage = join(options.folder, 'storage')
  }

  get child(): Child {
    if (this.#child === undefined) throw new Error('the supervisor was not started')
    return this.#child
  }

  /** A later start is a new process with the same file and storage. */
  async start(): Promise<void> {
    const { folder, pasted, collector, supervisor, metricsPort, env } = this.#options
    const file = join(folder, 'supervisor.yaml')
    await mkdir(this.storage, { recursive: true })
    const metricsFile = join(folder, 'metrics.yaml')
    if (metricsPort !== undefined) await writeFile(metricsFile, metricsAt(metricsPort))
    const lines = metricsPort === undefined ? `args: ['${noMetricsPort}']` : `config_files: ['${metricsFile}', $OWN_TELEMETRY_CONFIG]`
    await writeFile(file, `${adapt(pasted, collector, this.storage, lines)}\n${debugLog}`, { mode: 0o600 })
    this.#child = new Child({
      ...(supervisor === 'drover'
        ? { title: 'drover supervisor', command: process.execPath, args: [cliMain, 'supervisor', '--config', file] }
        : { title: 'opampsupervisor', command: supervisor, args: ['--config', file] }),
      ...(env === undefined ? {} : { env }),
    })
  }

  /** SIGTERM; it stops its Collector and says goodbye. */
  async stop(): Promise<void> {
    await this.child.end()
  }

  /** The instance uid it keeps, in canonical form. */
  async instanceUid(): Promise<string> {
    const state = parse(await readFile(join(this.storage, 'persistent_state.yaml'), 'utf8')) as { instance_id: string } // as: the supervisor's own format
    return state.instance_id
  }

  /** What the Collector was started with. */
  async effectiveFile(): Promise<string> {
    return readFile(join(this.storage, 'effective.yaml'), 'utf8')
  }

  /** Hash of each configuration that this process received, by its own log. */
  get receivedConfigs(): readonly string[] {
    return [...this.child.output.matchAll(/"Received remote config from server".*?"hash":"([0-9a-f]*)"/g)].map((match) => match[1] ?? '')
  }

  /** Waits until the Collector's log, which begins anew with each start of it, says that it runs. */
  async untilCollectorRuns(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const look = async () => {
      const log = await readFile(join(this.storage, 'agent.log'), 'utf8').catch(() => '') // between two starts there is none
      if (log.includes('Everything is ready')) resolve()
    }
    const watcher = watch(this.storage, () => void look())
    const timer = setTimeout(() => reject(new Error(`the Collector does not run after ${waitLimitMs} ms`)), waitLimitMs)
    void look()
    try {
      await promise
    } finally {
      clearTimeout(timer)
      watcher.close()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child?.end()
  }
}

/** The two lines that a person adapts, and what a test machine needs. Throws when the printed file has not one of each. */
export function adapt(pasted: string, executable: string, directory: string, forAgent = `args: ['${noMetricsPort}']`): string {
  const replaceOne = (text: string, key: string, value: string) => {
    const pattern = new RegExp(`^(\\s*)${key}:.*$`, 'gm')
    if (text.match(pattern)?.length !== 1) throw new Error(`expected one line with ${key}: in\n${pasted}`)
    return text.replace(pattern, `$1${key}: ${value}`)
  }
  const forPerson = replaceOne(replaceOne(pasted, 'executable', executable), 'directory', directory)
  return replaceOne(forPerson, 'config_apply_timeout', applyTimeout).replace(/^(\s*)executable:.*$/m, `$&\n$1${forAgent.replaceAll('$', '$$$$')}`)
}

/** Runs the command line client against the server; resolves with its stdout, throws when it fails. */
export async function drover(server: Server, ...args: readonly string[]): Promise<string> {
  await using child = new Child({
    title: `drover ${args.join(' ')}`,
    command: process.execPath,
    args: [cliMain, ...args],
    env: { DROVER_URL: server.consoleUrl, DROVER_TOKEN: server.token },
  })
  const how = await child.ended
  if (how !== 'exit code 0') throw new Error(`drover ${args.join(' ')}: ${how}\n${child.tail()}`)
  return child.stdout
}
