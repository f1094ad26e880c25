/** A supervisor under test, stock or ours, with its folder, its file and its Collector's processes. */
import { readFileSync, readdirSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { stringify } from 'yaml'
import { Child, cliMain } from '../../harness/index.ts'

export type SupervisorKind = 'stock' | 'drover'

type Value = null | boolean | number | string | readonly Value[] | Settings
export interface Settings {
  readonly [key: string]: Value
}

export interface SubjectOptions {
  readonly kind: SupervisorKind
  /** The stock supervisor. */
  readonly stock: string
  readonly collector: string
  readonly folder: string
  readonly uid: string
  readonly endpoint: string
  /** Laid over the usual settings; `null` takes a key away. */
  readonly settings?: Settings
  readonly env?: Readonly<Record<string, string>>
}

const lookEveryMs = 25
/** Many starts of the same program. */
const compileCache = join(tmpdir(), 'node-compile-cache')
const waitLimitMs = 60_000

/** Everything on, and times that suit a test. */
function usualSettings(options: SubjectOptions, storage: string): Settings {
  return {
    server: { endpoint: options.endpoint },
    capabilities: {
      accepts_remote_config: true,
      reports_remote_config: true,
      accepts_restart_command: true,
      accepts_opamp_connection_settings: true,
      reports_effective_config: true,
      reports_health: true,
      reports_own_metrics: true,
      reports_own_logs: true,
      reports_own_traces: true,
      reports_available_components: true,
      reports_heartbeat: true,
    },
    agent: {
      executable: options.collector,
      instance_id: options.uid,
      // a Collector serves its own metrics on port 8888 unless told otherwise
      args: ['--set=service::telemetry::metrics::level=none'],
      // the stock supervisor's default; a machine that has much else to do needs some of it
      config_apply_timeout: '5s',
      bootstrap_timeout: '20s',
      orphan_detection_interval: '1s',
    },
    storage: { directory: storage },
    telemetry: { logs: { level: 'debug' } },
  }
}

export class Subject implements AsyncDisposable {
  readonly #options: SubjectOptions
  readonly kind: SupervisorKind
  readonly uid: string
  readonly folder: string
  readonly storage: string
  readonly file: string
  #child: Child | undefined

  constructor(options: SubjectOptions) {
    this.#options = options
    this.kind = options.kind
    this.uid = options.uid
    this.folder = options.folder
    this.storage = join(options.folder, 'storage')
    this.file = join(options.folder, 'supervisor.yaml')
  }

  get child(): Child {
    if (this.#child === undefined) throw new Error('the supervisor was not started')
    return this.#child
  }

  /** Writes its file and starts it; a later start is a new process with the same storage. */
  async start(settings: Settings = this.#options.settings ?? {}): Promise<void> {
    await mkdir(this.folder, { recursive: true })
    await writeFile(this.file, stringify(overlay(usualSettings(this.#options, this.storage), settings)), { mode: 0o600 })
    const { kind, stock, env } = this.#options
    this.#child = new Child({
      title: kind === 'stock' ? 'opampsupervisor' : 'drover supervisor',
      command: kind === 'stock' ? stock : process.execPath,
      args: [...(kind === 'stock' ? [] : [cliMain, 'supervisor']), '--config', this.file],
      env: { NODE_COMPILE_CACHE: compileCache, ...env },
    })
  }

  /** As a person at a terminal does it. The stock one knows no other polite end. */
  async stop(): Promise<string> {
    this.child.signal('SIGINT')
    const how = await this.child.ended
    await this.child.kill()
    return how
  }

  /** The supervisor alone dies, and its Collector goes on. */
  async killAlone(): Promise<void> {
    process.kill(this.child.pid, 'SIGKILL')
    await this.child.ended
  }

  /** Collectors that run with this storage, those that only answer a question not counted. */
  collectors(): readonly number[] {
    return findCollectors(this.storage)
  }

  /** The one Collector's pid, as soon as there is one other than `not`. */
  async untilCollector(not?: number): Promise<number> {
    return until(() => this.collectors().find((pid) => pid !== not), 'a running Collector')
  }

  async fileInStorage(name: string): Promise<string> {
    return readFile(join(this.storage, name), 'utf8')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child === undefined) return
    await this.stop()
    for (const pid of this.collectors()) killQuietly(pid)
  }
}

export function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // it ended meanwhile
  }
}

const questions = ['validate', 'components', 'featuregate', '--version']

/** Processes, no supervisors, whose command line names a file in the folder; all of them were there at one moment. */
export function findCollectors(storage: string): readonly number[] {
  const isCollector = (pid: number): boolean => {
    const words = commandLine(pid)
    return (
      words.some((word) => word.includes(`${storage}/`)) && words.some((word) => word.startsWith('--config')) && !words.some((word) => questions.includes(word))
    )
  }
  // Looking takes a while, in which one may end and the next one start: who is still there afterwards was there with all of them.
  const found = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter(isCollector)
    .filter(isCollector)
  // A Collector that starts another program, to learn the system's name, is for a moment there twice.
  return found.filter((pid) => !found.includes(parentOf(pid)))
}

function parentOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return 0 // it ended meanwhile
  }
}

function commandLine(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return [] // it ended meanwhile
  }
}

/** Looks again and again for something that tells nobody when it changes: processes, files. */
export async function until<T>(look: () => T | undefined | false | Promise<T | undefined | false>, what: string, timeoutMs = waitLimitMs): Promise<T> {
  const found = await within(look, timeoutMs)
  if (found === undefined) throw new Error(`${what}: not within ${timeoutMs} ms`)
  return found
}

/** The same; undefined when the time passed. */
export async function within<T>(look: () => T | undefined | false | Promise<T | undefined | false>, timeoutMs: number): Promise<T | undefined> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (performance.now() > deadline) return undefined
    await delay(lookEveryMs)
  }
}

/** Maps key by key, `null` removes. */
function overlay(lower: Settings, higher: Settings): Settings {
  const result: Record<string, Value> = { ...lower }
  for (const [key, value] of Object.entries(higher)) {
    const below = result[key]
    if (value === null) delete result[key]
    else result[key] = isSettings(below) && isSettings(value) ? overlay(below, value) : value
  }
  return result
}

function isSettings(value: Value | undefined): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
