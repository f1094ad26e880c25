/** One child process from its start to its end, in a process group of its own of which nothing is left. */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Clock } from '@drover/server'

export type OutputStream = 'stdout' | 'stderr'

export interface ProcessOptions {
  readonly command: string
  readonly args: readonly string[]
  /** Whole: nothing is inherited beside it. */
  readonly env: Readonly<Record<string, string>>
  /** Between the signal that asks it to end and the one that ends it. */
  readonly stopTimeoutMs: number
  readonly clock: Clock
  readonly onOutput: (chunk: Uint8Array, stream: OutputStream) => void
}

export interface ProcessEnd {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly ranForMs: number
}

/** What was written before the end may still be on its way; a grandchild that left the group could keep the pipe open for ever. */
const drainLimitMs = 500

/** Throws what the system says when the program cannot be started. */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  const child = spawn(options.command, options.args, {
    env: options.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    windowsHide: true,
  })
  // Known at once: the child is running, and whoever called has to be able to note its pid before anything else happens.
  if (child.pid !== undefined) return new RunningProcess(child, child.pid, options)
  const [error] = (await once(child, 'error')) as [unknown] // as: the event has one argument
  throw error
}

export class RunningProcess {
  readonly pid: number
  /** Settles with the event that tells the process's end. */
  readonly ended: Promise<ProcessEnd>
  /** Settles when its output was read to the end, or is not worth waiting for any longer. */
  readonly drained: Promise<void>
  readonly #child: ChildProcess
  readonly #options: ProcessOptions
  #isRunning = true

  constructor(child: ChildProcess, pid: number, options: ProcessOptions) {
    const { clock, onOutput } = options
    const startMs = clock.monotonic()
    this.#child = child
    this.#options = options
    this.pid = pid
    // After the start only a signal that cannot be sent is an error, and that is found out by its return value.
    child.on('error', () => undefined)
    for (const name of ['stdout', 'stderr'] as const) child[name]?.on('data', (chunk: Uint8Array) => onOutput(chunk, name)).on('error', () => undefined)
    const { promise: ended, resolve: end } = Promise.withResolvers<ProcessEnd>()
    const { promise: drained, resolve: drain } = Promise.withResolvers<void>()
    this.ended = ended
    this.drained = drained
    child.once('exit', (exitCode, signal) => {
      this.#isRunning = false
      this.#killGroup()
      const limit = clock.setTimeout(drain, drainLimitMs)
      void drained.then(() => clock.clearTimeout(limit))
      end({ exitCode, signal, ranForMs: clock.monotonic() - startMs })
    })
    child.once('close', () => drain())
  }

  get isRunning(): boolean {
    return this.#isRunning
  }

  /** False when it has ended. */
  signal(signal: NodeJS.Signals): boolean {
    return this.#isRunning && this.#child.kill(signal)
  }

  /** Asks it to end, and ends it with its whole group after the time limit. */
  async stop(): Promise<ProcessEnd> {
    if (this.#isRunning) {
      const { clock, stopTimeoutMs } = this.#options
      this.#child.kill('SIGTERM')
      const limit = clock.setTimeout(() => this.#killGroup(), stopTimeoutMs)
      await this.ended
      clock.clearTimeout(limit)
    }
    return this.ended
  }

  /** For what may not take any longer. */
  async kill(): Promise<ProcessEnd> {
    if (this.#isRunning) this.#killGroup()
    return this.ended
  }

  #killGroup(): void {
    try {
      process.kill(-this.pid, 'SIGKILL')
    } catch {
      // Nobody is left in the group; or there are no groups on this system.
      if (this.#isRunning) this.#child.kill('SIGKILL')
    }
  }
}
