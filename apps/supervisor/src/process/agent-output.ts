/** Where the agent's output goes: to `agent.log` in the storage directory or line by line into the supervisor's log, and its end into memory. */
import { join } from 'node:path'
import type { ServerLog } from '@drover/server'
import { CrashReport } from './crash-report.ts'
import { LogFile } from './log-file.ts'
import { OutputTail } from './output-tail.ts'
import { plainText, reportText } from './plain-text.ts'
import type { OutputStream } from './running-process.ts'

export interface AgentOutputOptions {
  readonly storageDirectory: string
  readonly passthrough: boolean
  readonly maxFileBytes: number
  readonly maxFiles: number
  /** How much of the end is told when the agent crashes; 0: a little, so that the reason is in it. */
  readonly snippetKib: number
  readonly log: ServerLog
}

const kibibyte = 1024
/** Kept at least, as the reason may stand some way before the end. */
const minTailBytes = 16 * kibibyte
const defaultSnippetChars = 2 * kibibyte
const maxLineChars = 16 * kibibyte

export class AgentOutput {
  readonly #options: AgentOutputOptions
  readonly #tail: OutputTail
  readonly #crash = new CrashReport()
  readonly #file: LogFile | undefined
  readonly #lines: Readonly<Record<OutputStream, Lines>>
  #turn = 0

  constructor(options: AgentOutputOptions) {
    const { storageDirectory, maxFileBytes, maxFiles, log } = options
    this.#options = options
    this.#tail = new OutputTail(Math.max(options.snippetKib * kibibyte, minTailBytes))
    const path = join(storageDirectory, 'agent.log')
    const onProblem = (problem: 'failed' | 'recovered', detail: string) =>
      problem === 'failed'
        ? log('error', 'The log of the agent cannot be written', { path, detail })
        : log('info', 'The log of the agent is written again', { path })
    this.#file = options.passthrough ? undefined : new LogFile({ path, maxFileBytes, maxFiles, onProblem })
    const lines = (stream: OutputStream) => new Lines((line) => log('info', 'Agent output', { stream, line }))
    this.#lines = { stdout: lines('stdout'), stderr: lines('stderr') }
  }

  /** For a new process. What an earlier one still writes no longer counts for the tail. */
  begin(): (chunk: Uint8Array, stream: OutputStream) => void {
    this.#tail.clear()
    this.#crash.clear()
    for (const lines of Object.values(this.#lines)) lines.end()
    const turn = (this.#turn += 1)
    return (chunk, stream) => {
      if (turn === this.#turn) {
        this.#tail.push(chunk)
        this.#crash.push(chunk)
      }
      if (this.#file === undefined) this.#lines[stream].push(chunk)
      else this.#file.write(chunk)
    }
  }

  /** All that is kept of the present process's output, as it was written. */
  rawTail(): string {
    const tail = this.#tail.text()
    const crash = this.#crash.text()
    return tail.includes(firstLine(crash)) ? tail : `${crash}\n${tail}`
  }

  /** The end of it, for the Server. */
  reportTail(): string {
    const { snippetKib } = this.#options
    const maxChars = snippetKib > 0 ? snippetKib * kibibyte : defaultSnippetChars
    const tail = reportText(this.#tail.text(), maxChars)
    // The end of a crash is what some thread was doing, its beginning says why.
    const crash = reportText(this.#crash.text(), Infinity)
    return tail.includes(firstLine(crash)) ? tail : crash.slice(0, maxChars).toWellFormed()
  }

  async close(): Promise<void> {
    for (const lines of Object.values(this.#lines)) lines.end()
    await this.#file?.close()
  }
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}

/** Chunks to lines; a line that is too long is cut into several. */
class Lines {
  readonly #onLine: (line: string) => void
  readonly #decoder = new TextDecoder()
  #rest = ''

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine
  }

  push(chunk: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n')
    let rest = lines.pop() ?? ''
    for (const line of lines) this.#say(line)
    for (; rest.length > maxLineChars; rest = rest.slice(maxLineChars)) this.#say(rest.slice(0, maxLineChars))
    this.#rest = rest
  }

  end(): void {
    const rest = this.#rest + this.#decoder.decode()
    this.#rest = ''
    this.#say(rest)
  }

  #say(line: string): void {
    const plain = plainText(line)
    if (plain.trim() === '') return
    for (let at = 0; at < plain.length; at += maxLineChars) this.#onLine(plain.slice(at, at + maxLineChars))
  }
}
