/** A program started by a test: its output kept for the failure message, waiting for a line, an end that leaves nothing behind. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

const keptOutputChars = 200_000
const shownOutputChars = 6000
const endGraceMs = 15_000

const living = new Set<Child>()
const recent = new Set<Child>()

export interface ChildOptions {
  /** What a failure message calls it. */
  readonly title: string
  readonly command: string
  readonly args: readonly string[]
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Its stdin is a pipe; otherwise it has none. */
  readonly input?: true
}

/** Has a process group of its own, so that its end takes along what it started (a supervisor's Collector). */
export class Child implements AsyncDisposable {
  readonly title: string
  readonly pid: number
  readonly process: ChildProcess
  /** Settles when it ended and its output was read to the end. */
  readonly ended: Promise<string>
  #output = ''
  #stdout = ''
  #dropped = 0
  readonly #listeners = new Set<() => void>()
  #isEnded = false

  constructor(options: ChildOptions) {
    this.title = options.title
    this.process = spawn(options.command, options.args, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...process.env, ...options.env },
      stdio: [options.input === true ? 'pipe' : 'ignore', 'pipe', 'pipe'],
      detached: true,
    })
    if (this.process.pid === undefined) throw new Error(`cannot start ${options.command}`)
    this.pid = this.process.pid
    living.add(this)
    recent.add(this)
    for (const stream of [this.process.stdout, this.process.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => this.#append(text))
    this.process.stdout?.on('data', (text: string) => {
      this.#stdout = (this.#stdout + text).slice(-keptOutputChars)
    })
    this.ended = once(this.process, 'close').then(([code, signal]) => {
      this.#isEnded = true
      living.delete(this)
      for (const listener of this.#listeners) listener()
      return code === null ? String(signal) : `exit code ${code}`
    })
  }

  #append(text: string): void {
    this.#output += text
    const excess = this.#output.length - keptOutputChars
    if (excess > 0) {
      this.#output = this.#output.slice(excess)
      this.#dropped += excess
    }
    for (const listener of this.#listeners) listener()
  }

  /** What it wrote so far, stdout and stderr as they came; the newest 200,000 characters. */
  get output(): string {
    return this.#output
  }

  /** The part of the output that is data: what went to stdout. */
  get stdout(): string {
    return this.#stdout
  }

  /** A place in the output, to look only at what comes later. */
  get position(): number {
    return this.#dropped + this.#output.length
  }

  outputSince(position: number): string {
    return this.#output.slice(Math.max(0, position - this.#dropped))
  }

  get isEnded(): boolean {
    return this.#isEnded
  }

  /** Waits until the output after `since` (default: all of it) matches. */
  async untilOutput(pattern: RegExp, options: { since?: number; timeoutMs?: number } = {}): Promise<RegExpExecArray> {
    const look = () => pattern.exec(this.outputSince(options.since ?? 0))
    return this.#until(look, `write ${pattern}`, options.timeoutMs ?? 60_000)
  }

  /** Waits until `look`, called after each output and at the end, gives something. */
  async #until<T>(look: () => T | null, what: string, timeoutMs: number): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const check = () => {
      const found = look()
      if (found !== null) resolve(found)
      else if (this.#isEnded) reject(new Error(`${this.title} ended and did not ${what}\n${this.tail()}`))
    }
    const timer = setTimeout(() => reject(new Error(`${this.title} did not ${what} within ${timeoutMs} ms\n${this.tail()}`)), timeoutMs)
    this.#listeners.add(check)
    check()
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      this.#listeners.delete(check)
    }
  }

  tail(): string {
    return `--- end of the output of ${this.title} (pid ${this.pid}) ---\n${this.#output.slice(-shownOutputChars)}\n---`
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.#isEnded) this.process.kill(signal)
  }

  /** kill -9, as a power cut would; also takes what it started. */
  async kill(): Promise<void> {
    this.#killGroup()
    await this.ended
  }

  /** SIGTERM and, when that does not help, SIGKILL. */
  async end(): Promise<string> {
    this.signal('SIGTERM')
    const timer = setTimeout(() => this.#killGroup(), endGraceMs)
    const how = await this.ended
    clearTimeout(timer)
    this.#killGroup()
    return how
  }

  #killGroup(): void {
    try {
      process.kill(-this.pid, 'SIGKILL')
    } catch {
      // nobody is left in the group
    }
  }

  /** For the end of this process: nothing may outlive it. */
  static killAll(): void {
    for (const child of living) child.#killGroup()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end()
  }
}

process.once('exit', () => Child.killAll())

/** The programs that ran since the last call, with what they wrote. */
export function takeRecentOutput(): string {
  const tails = [...recent].map((child) => child.tail()).join('\n')
  for (const child of recent) if (child.isEnded) recent.delete(child)
  return tails
}
