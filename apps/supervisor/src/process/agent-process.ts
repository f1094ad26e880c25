/** The one process of an agent: started, stopped and signalled, with its pid on disk, and a word when it ends unasked. */
import type { Clock } from '@drover/server'
import type { AgentOutput } from './agent-output.ts'
import { childEnvironment } from './environment.ts'
import { removePidFile, writePidFile } from './pid-file.ts'
import { startProcess } from './running-process.ts'
import type { ProcessEnd, RunningProcess } from './running-process.ts'

export interface AgentProcessOptions {
  readonly command: string
  /** Added to the environment that the supervisor has itself. */
  readonly env: Readonly<Record<string, string>>
  readonly storageDirectory: string
  readonly stopTimeoutMs: number
  readonly clock: Clock
  readonly output: AgentOutput
  /** It ended without being asked to, and its output was read. Not called once `stop` or `start` was called after the end. */
  readonly onUnexpectedEnd: (end: ProcessEnd & { readonly pid: number }) => void
}

export class AgentProcess {
  readonly #options: AgentProcessOptions
  #current: RunningProcess | undefined
  /** Grows with each start and stop, by which an end is told from one that no longer matters. */
  #turn = 0

  constructor(options: AgentProcessOptions) {
    this.#options = options
  }

  get pid(): number | undefined {
    return this.#current?.pid
  }

  /** Stops what runs. Throws what the system says when the program cannot be started. */
  async start(args: readonly string[]): Promise<number> {
    await this.stop()
    const { command, env, storageDirectory, stopTimeoutMs, clock, output } = this.#options
    const turn = (this.#turn += 1)
    const running = await startProcess({
      command,
      args,
      env: childEnvironment(env, storageDirectory),
      stopTimeoutMs,
      clock,
      onOutput: output.begin(),
    })
    this.#current = running
    this.#noteStart(running)
    void running.ended.then(async (end) => {
      if (this.#current !== running) return
      this.#current = undefined
      removePidFile(storageDirectory)
      await running.drained
      if (this.#turn === turn) this.#options.onUnexpectedEnd({ ...end, pid: running.pid })
    })
    return running.pid
  }

  /** Settles when the process has ended. */
  async stop(): Promise<void> {
    this.#turn += 1
    const running = this.#current
    if (running === undefined) return
    await running.stop()
    if (this.#current !== running) return
    this.#current = undefined
    removePidFile(this.#options.storageDirectory)
  }

  /** False when nothing runs. */
  signal(signal: NodeJS.Signals): boolean {
    return this.#current?.signal(signal) ?? false
  }

  /** A disk that is full does not keep the agent from running: it is still found by the mark in its environment. */
  #noteStart(running: RunningProcess): void {
    try {
      writePidFile(this.#options.storageDirectory, running.pid)
    } catch {
      removePidFile(this.#options.storageDirectory)
    }
  }
}
