/** One configuration at work: its extension, its pipelines, its health, and how it was told to misbehave. */
import { setTimeout as delay } from 'node:timers/promises'
import { readBehaviour } from './behaviour.ts'
import type { Behaviour } from './behaviour.ts'
import { checkConfiguration } from './check.ts'
import type { CommandLine } from './command-line.ts'
import { loadConfiguration, textsAt, valueAt } from './configuration.ts'
import type { ConfigMap } from './configuration.ts'
import { parseDurationMs } from './duration.ts'
import { createLog } from './log.ts'
import type { Log } from './log.ts'
import { OpampExtension } from './opamp-extension.ts'
import { Pipelines, sendOwnTelemetry } from './pipelines.ts'
import { Report } from './report.ts'

export interface ServiceEvents {
  /** The process must end now. */
  readonly onFatal: (message: string, exitCode: number) => void
}

const defaultPollMs = 5000
const memoryStepMib = 16
const memoryStepMs = 50

export class Service {
  readonly log: Log
  readonly #config: ConfigMap
  readonly #behaviour: Behaviour
  readonly #events: ServiceEvents
  readonly #pipelines: Pipelines
  readonly #report: Report
  readonly #extension: OpampExtension | undefined
  readonly #timers: NodeJS.Timeout[] = []
  readonly #abandon = new AbortController()
  readonly #memory: Buffer[] = []
  readonly #connected = Promise.withResolvers<void>()
  #isReady = false

  /** Throws a ConfigurationError when the configuration is refused. */
  constructor(line: CommandLine, events: ServiceEvents) {
    this.#config = loadConfiguration(line)
    checkConfiguration(this.#config, line.featureGates)
    this.#events = events
    this.#behaviour = readBehaviour(this.#config)
    this.log = createLog(valueAt(this.#config, 'service', 'telemetry', 'logs', 'encoding') === 'json')
    this.#pipelines = new Pipelines(this.#config)
    this.#report = new Report(this.#config, this.#behaviour)
    this.#extension = this.#createExtension()
  }

  get ignoresSigterm(): boolean {
    return this.#behaviour.ignoresSigterm === true
  }

  #createExtension(): OpampExtension | undefined {
    const id = textsAt(this.#config, 'service', 'extensions').find((one) => one === 'opamp')
    const endpoint = valueAt(this.#config, 'extensions', 'opamp', 'server', 'ws', 'endpoint')
    if (id === undefined || typeof endpoint !== 'string') return undefined
    return new OpampExtension({
      endpoint,
      instanceUid: this.#report.instanceUid,
      capabilities: this.#report.capabilities,
      state: (complete) => this.#report.state(complete),
      onConnected: () => {
        this.log('info', 'Connected to the OpAMP server')
        this.#connected.resolve()
      },
      onCustomMessage: (message) => {
        const answer = this.#report.answerTo(message)
        if (answer !== undefined) this.#extension?.sendCustomMessage(answer)
      },
      log: this.log,
    })
  }

  /** Settles when it runs. Rejects when it cannot; the process then ends. */
  async start(): Promise<void> {
    const behaviour = this.#behaviour
    this.log('info', 'Starting otelcol...')
    for (let line = 0; line < (behaviour.logKib ?? 0); line++) this.log('info', `flood ${line} ${'x'.repeat(960)}`)
    this.#extension?.start()
    this.#watchParent()
    if (behaviour.startDelayMs !== undefined) await delay(behaviour.startDelayMs, undefined, { signal: this.#abandon.signal }).catch(() => undefined)
    if (behaviour.failsAtStart !== undefined) throw new Error(`cannot start pipelines: ${behaviour.failsAtStart}`)
    await this.#pipelines.start()
    if (this.#abandon.signal.aborted) return
    this.#isReady = true
    this.log('info', 'Everything is ready. Begin running and processing data.')
    void sendOwnTelemetry(this.#config)
    if (behaviour.silent === true) return
    this.#report.setHealth(behaviour.unhealthy === undefined, behaviour.unhealthy)
    this.#extension?.report('health')
    this.#misbehave()
  }

  /** A start that waits goes no further. */
  abandonStart(): void {
    this.#abandon.abort()
  }

  /** Ends when the process that started it is gone. */
  #watchParent(): void {
    const parent = valueAt(this.#config, 'extensions', 'opamp', 'ppid')
    if (typeof parent !== 'number' || parent === 0) return
    const interval = valueAt(this.#config, 'extensions', 'opamp', 'ppid_poll_interval')
    const look = () => {
      if (!isAlive(parent)) this.#events.onFatal(`collector was orphaned, process with pid ${parent} does not exist`, 0)
    }
    this.#every(typeof interval === 'string' ? parseDurationMs(interval) : defaultPollMs, look)
  }

  #misbehave(): void {
    const { crashAfterMs, exitCode, eatMib, flapEveryMs, laterNote, customMessages } = this.#behaviour
    if (crashAfterMs !== undefined) this.#after(crashAfterMs, () => this.#events.onFatal('panic: as configured', exitCode ?? 1))
    if (eatMib !== undefined) this.#every(memoryStepMs, () => this.#eat(eatMib))
    if (flapEveryMs !== undefined) {
      this.#every(flapEveryMs, () => {
        this.#report.setHealth(!this.#report.isHealthy, this.#report.isHealthy ? 'flapping' : undefined)
        this.#extension?.report('health')
      })
    }
    void this.#connected.promise.then(() => this.#speak(laterNote, customMessages ?? 0))
  }

  #speak(laterNote: string | undefined, customMessages: number): void {
    if (laterNote !== undefined) {
      this.#report.addAttribute('stub.note', laterNote)
      this.#extension?.report('agentDescription')
    }
    for (let index = 0; index < customMessages; index++) this.#extension?.sendCustomMessage(this.#report.customMessage('notice', `message ${index}`))
  }

  /** As when the kernel runs out of memory: it grows, and is killed without a word. */
  #eat(limitMib: number): void {
    this.#memory.push(Buffer.alloc(memoryStepMib * 1024 * 1024, this.#memory.length + 1))
    if (this.#memory.length * memoryStepMib >= limitMib) process.kill(process.pid, 'SIGKILL')
  }

  #after(ms: number, step: () => void): void {
    this.#timers.push(setTimeout(step, ms))
  }

  #every(ms: number, step: () => void): void {
    this.#timers.push(setInterval(step, ms))
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    if (this.#isReady) {
      this.#report.setHealth(false, undefined, 'StatusStopping')
      this.#extension?.report('health')
    }
    await this.#extension?.stop()
    this.#pipelines.stop()
    this.log('info', 'Shutdown complete.')
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' // as: what process.kill throws
  }
}
