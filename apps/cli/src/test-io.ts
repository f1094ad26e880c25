/** An `Io` that remembers what is written, for tests. */
import type { Io, OutputStream } from './io.ts'
import { runCli } from './cli.ts'

export interface TestIo extends Io {
  readonly written: { stdout: string; stderr: string }
  /** As if the person pressed ctrl-c or the process was told to end. */
  signal(): void
  /** Resolves when `stdout` has the text. */
  untilWritten(text: string): Promise<void>
  /** Resolves when `stderr` has the text. */
  untilComplained(text: string): Promise<void>
  /** Resolves when `stdout` has so many lines. */
  untilLines(count: number): Promise<void>
}

export interface TestIoOptions {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  readonly stdin?: string
  /** Answers to questions, in order; without any, nobody can answer. */
  readonly answers?: readonly string[]
  /** Columns of a terminal. */
  readonly columns?: number
  readonly now?: number
}

export function testIo(options: TestIoOptions = {}): TestIo {
  const written = { stdout: '', stderr: '' }
  const handlers = new Set<Parameters<Io['onSignal']>[0]>()
  const answers = [...(options.answers ?? [])]
  const waiting: { readonly isMet: () => boolean; readonly resolve: () => void }[] = []
  const until = (isMet: () => boolean) => (isMet() ? Promise.resolve() : new Promise<void>((resolve) => waiting.push({ isMet, resolve })))
  const stream = (name: 'stdout' | 'stderr'): OutputStream => ({
    isTerminal: options.columns !== undefined,
    columns: options.columns,
    write(text) {
      written[name] += text
      for (const wait of waiting) if (wait.isMet()) wait.resolve()
    },
  })
  return {
    written,
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    env: options.env ?? {},
    cwd: options.cwd ?? '/nonexistent',
    canAsk: options.answers !== undefined,
    readStdin: () => Promise.resolve(options.stdin ?? ''),
    ask: () => Promise.resolve(answers.shift() ?? ''),
    now: () => options.now ?? Date.now(),
    onSignal(handler) {
      handlers.add(handler)
      return () => void handlers.delete(handler)
    },
    signal() {
      for (const handler of handlers) handler('SIGINT')
    },
    untilWritten: (text) => until(() => written.stdout.includes(text)),
    untilComplained: (text) => until(() => written.stderr.includes(text)),
    untilLines: (count) => until(() => written.stdout.split('\n').length > count),
  }
}

export interface CliResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a whole command line. */
export async function runTestCli(args: readonly string[], options: TestIoOptions = {}): Promise<CliResult> {
  const io = testIo(options)
  const code = await runCli(args, io)
  return { code, ...io.written }
}
