/** An `Io` that remembers what is written, for tests. */
import type { Io, OutputStream } from './io.ts'
import { runCli } from './cli.ts'

export interface TestIo extends Io {
  readonly written: { stdout: string; stderr: string }
  /** As if the person pressed ctrl-c or the process was told to end. */
  signal(): void
  /** Resolves when `stdout` has the text. */
  untilWritten(text: string): Promise<void>
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
  const waiting: { readonly text: string; readonly resolve: () => void }[] = []
  const stream = (name: 'stdout' | 'stderr'): OutputStream => ({
    isTerminal: options.columns !== undefined,
    columns: options.columns,
    write(text) {
      written[name] += text
      for (const wait of waiting) if (written.stdout.includes(wait.text)) wait.resolve()
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
    untilWritten(text) {
      if (written.stdout.includes(text)) return Promise.resolve()
      return new Promise((resolve) => waiting.push({ text, resolve }))
    },
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
