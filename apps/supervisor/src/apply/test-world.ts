/** A world for the apply machine to live in: a scripted agent in memory, a disk that may fail, a clock that is moved by hand. */
import { createHash } from 'node:crypto'
import { create, toBinary } from '@bufbuild/protobuf'
import { memoryStore, type ClientStore } from '@drover/client'
import {
  AgentConfigFileSchema,
  AgentConfigMapSchema,
  type AgentRemoteConfig,
  AgentRemoteConfigSchema,
  ComponentHealthSchema,
  createInstanceUid,
} from '@drover/protocol'
import { createRandom, FakeClock, randomBytes } from '@drover/testing'
import {
  type AgentEvent,
  type AgentFacts,
  AgentStartError,
  type ComposedConfig,
  ConfigRejectedError,
  type ConfigSources,
  type Rejection,
  type SupervisedAgent,
} from '../agent/agent.ts'
import { offeredConfig } from '../state/offered-config.ts'
import { openStateFolder, type StateFolder } from '../state/state-folder.ts'
import { openApply } from './open-apply.ts'
import type { OfferStatus } from './apply-state.ts'
import type { ApplyDriver } from './driver.ts'

/** What a configuration does is written in its text, one word after another. */
export type Behaviour =
  /** Cannot be put together. */
  | 'unparsable'
  /** The program refuses it. */
  | 'invalid'
  /** The process ends at once. */
  | 'crashes'
  /** Healthy first, then it ends after that many seconds of running. */
  | `crashes-after-${number}`
  /** The same, killed from outside, as the kernel does when memory runs out. */
  | `killed-after-${number}`
  /** Never healthy. */
  | 'sick'
  /** The process cannot be started. */
  | 'unstartable'
  /** No UTF-8 text. */
  | 'garbled'
  | 'good'

export function offerOf(name: string, behaviour: Behaviour | 'nothing' = 'good'): AgentRemoteConfig {
  const text = new TextEncoder().encode(`${name} ${behaviour}`)
  const body = behaviour === 'garbled' ? Uint8Array.of(...text, 0xff) : text
  const configMap = behaviour === 'nothing' ? {} : { 'a.yaml': create(AgentConfigFileSchema, { body, contentType: 'text/yaml' }) }
  return create(AgentRemoteConfigSchema, { config: create(AgentConfigMapSchema, { configMap }), configHash: new TextEncoder().encode(name) })
}

/** How long the scripted agent takes until it says that it is healthy. */
const healthyAfterMs = 40

/** One process in memory. */
export class ScriptedSupervisedAgent implements SupervisedAgent {
  readonly #clock: FakeClock
  onEvent: (event: AgentEvent) => void = () => undefined
  /** What runs, and everything that ever ran, by its text. */
  running: ComposedConfig | undefined
  readonly ran: string[] = []
  validations: string[] = []
  /** How often a second process was started beside a first. */
  doubles = 0
  #last: ComposedConfig | undefined
  #timers: unknown[] = []
  #pid = 1000
  /** Holds `validate` back until it is resolved. */
  gate: Promise<void> | undefined

  constructor(clock: FakeClock) {
    this.#clock = clock
  }

  get pid(): number | undefined {
    return this.running === undefined ? undefined : this.#pid
  }

  async bootstrap(): Promise<AgentFacts> {
    throw new Error('not used here')
  }

  compose({ remote, ownTelemetry, instanceUid, fallback }: ConfigSources): ComposedConfig {
    const files = (fallback ?? remote ?? []).map(({ body }) => body)
    const text = [`uid ${instanceUid}`, fallback === undefined ? `telemetry ${ownTelemetry?.metrics?.endpoint ?? 'off'}` : 'fallback', ...files].join('\n')
    if (text.includes('unparsable')) throw new ConfigRejectedError('a.yaml:1: not YAML')
    return { text, fingerprint: createHash('sha256').update(text).digest('hex'), runsNothing: remote?.length === 0 }
  }

  async validate(config: ComposedConfig, signal: AbortSignal): Promise<Rejection | undefined> {
    this.validations.push(config.text)
    await this.gate
    if (signal.aborted) throw new Error('aborted')
    return config.text.includes('invalid') ? { reason: 'the agent refuses it', logTail: 'line 1\nline 2' } : undefined
  }

  async run(config: ComposedConfig): Promise<void> {
    this.#end()
    this.#last = config
    if (config.runsNothing) {
      this.ran.push('nothing')
      return
    }
    if (config.text.includes('unstartable')) throw new AgentStartError('no such file')
    this.ran.push(config.text)
    this.#start(config)
  }

  async restart(): Promise<void> {
    if (this.#last !== undefined) await this.run(this.#last)
  }

  async stop(): Promise<void> {
    this.#end()
  }

  sendCustomMessage(): void {
    // nobody listens
  }

  setServerCustomCapabilities(): void {
    // nobody listens
  }

  /** The process ends by itself. */
  crash(reason = 'the agent ended with exit code 1', ranForMs = 0, signal: string | null = null): void {
    if (this.running === undefined) return
    this.#end()
    this.onEvent({ kind: 'crashed', rejection: { reason, logTail: 'panic: oh no' }, exitCode: signal === null ? 1 : null, signal, ranForMs })
  }

  sayHealth(healthy: boolean, lastError = ''): void {
    this.onEvent({ kind: 'health', health: create(ComponentHealthSchema, { healthy, lastError, status: healthy ? 'StatusOK' : 'StatusRecoverableError' }) })
  }

  #start(config: ComposedConfig): void {
    if (this.running !== undefined) this.doubles += 1
    this.running = config
    this.#pid += 1
    this.onEvent({ kind: 'started', pid: this.#pid })
    const later = (ms: number, what: () => void) => this.#timers.push(this.#clock.setTimeout(what, ms))
    const crashesAfter = /(?:crashes|killed)-after-(\d+)/.exec(config.text)
    if (config.text.includes('sick')) later(healthyAfterMs, () => this.sayHealth(false, 'the port is taken'))
    else if (crashesAfter === null && config.text.includes('crashes')) later(10, () => this.crash())
    else later(healthyAfterMs, () => this.sayHealth(true))
    if (crashesAfter === null) return
    const ranForMs = Number(crashesAfter[1]) * 1000
    if (crashesAfter[0].startsWith('killed')) later(ranForMs, () => this.crash('the agent was ended by SIGKILL', ranForMs, 'SIGKILL'))
    else later(ranForMs, () => this.crash('the agent ended with exit code 2', ranForMs))
  }

  #end(): void {
    for (const timer of this.#timers.splice(0)) this.#clock.clearTimeout(timer)
    this.running = undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end()
  }
}

/** Writes work until `writesLeft` are used up: then the process is as good as killed, and nothing reaches the disk any more. */
export interface Disk extends ClientStore {
  writesLeft: number
  readonly isCut: boolean
  /** Makes writes fail, and the process live on. */
  failure: Error | undefined
}

export function createDisk(): Disk {
  const store = memoryStore()
  let isCut = false
  const guard = (): void => {
    if (disk.failure !== undefined) throw disk.failure
    if (disk.writesLeft <= 0) isCut = true
    if (isCut) throw new Error('the power is off')
    disk.writesLeft -= 1
  }
  const disk: Disk = {
    isDurable: true,
    writesLeft: Number.POSITIVE_INFINITY,
    failure: undefined,
    get isCut() {
      return isCut
    },
    read: async (name) => store.read(name),
    write: async (name, value) => {
      guard()
      await store.write(name, value)
    },
    remove: async (name) => {
      guard()
      await store.remove(name)
    },
  }
  return disk
}

/** The disk as it is, for another process. */
export async function copyDisk(disk: Disk, names: readonly string[]): Promise<Disk> {
  const copy = createDisk()
  for (const name of names) {
    const value = await disk.read(name)
    if (value !== undefined) await copy.write(name, value)
  }
  return copy
}

export interface World {
  readonly clock: FakeClock
  readonly agent: ScriptedSupervisedAgent
  readonly disk: Disk
  readonly folder: StateFolder
  readonly driver: ApplyDriver
  /** As they were reported: `name applying`, `name failed: why`. */
  readonly statuses: string[]
  readonly health: string[]
  /** Moves the clock, and lets everything settle. */
  pass(ms: number): Promise<void>
  offer(name: string, behaviour?: Behaviour | 'nothing'): Promise<void>
  /** The names of the configurations that run: remote ones, or `local`; `none` when no process runs. */
  running(): string
}

export interface WorldOptions {
  readonly disk?: Disk
  readonly clock?: FakeClock
  readonly fallbackPaths?: readonly string[]
  readonly acceptsRemoteConfig?: boolean
}

export async function createWorld({
  disk = createDisk(),
  clock = new FakeClock(),
  fallbackPaths = [],
  acceptsRemoteConfig = true,
}: WorldOptions = {}): Promise<World> {
  const random = createRandom(7)
  const agent = new ScriptedSupervisedAgent(clock)
  const folder = await openStateFolder({ files: disk, log: () => undefined, newInstanceUid: () => createInstanceUid(clock.now(), randomBytes(random)) })
  const statuses: string[] = []
  const health: string[] = []
  const { driver, start } = await openApply({
    agent,
    folder,
    clock,
    random,
    log: () => undefined,
    fallbackPaths,
    applyTimeoutMs: 5000,
    acceptsRemoteConfig,
    ownTelemetry: undefined,
    onStatus: (status) => statuses.push(formatStatus(status)),
    onHealth: (healthy, message) => health.push(healthy ? 'healthy' : `unhealthy: ${message}`),
  })
  agent.onEvent = (event) => driver.hearOfAgent(event)
  start()
  await driver.whenIdle()
  return {
    clock,
    agent,
    disk,
    folder,
    driver,
    statuses,
    health,
    pass: async (ms) => {
      await clock.advanceAsync(ms)
      await driver.whenIdle()
    },
    offer: async (name, behaviour = 'good') => {
      driver.offer(offeredConfig(offerOf(name, behaviour)))
      await driver.whenIdle()
    },
    running: () => nameOf(agent.running),
  }
}

export function nameOf(config: ComposedConfig | undefined): string {
  if (config === undefined) return 'none'
  const [, kind, ...files] = config.text.split('\n')
  if (kind === 'fallback') return 'fallback'
  return files.length === 0 ? 'local' : files.map((line) => line.split(' ')[0]).join('+')
}

function formatStatus(status: OfferStatus): string {
  const name = Buffer.from(status.hash, 'hex').toString()
  return status.status === 'failed' ? `${name} failed: ${status.message}` : `${name} ${status.status}`
}

export function encodedOffer(name: string, behaviour?: Behaviour | 'nothing'): Uint8Array {
  return toBinary(AgentRemoteConfigSchema, offerOf(name, behaviour))
}
