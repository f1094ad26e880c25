/** Runs a command that is soon done, bounded in time and output. */
import type { Clock } from '@drover/server'
import { startProcess } from './running-process.ts'

export interface CommandOptions {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly clock: Clock
  readonly signal?: AbortSignal
}

export interface CommandResult {
  /** `timeout` and `aborted`: it was killed. */
  readonly outcome: 'exited' | 'timeout' | 'aborted'
  /** `null`: killed by a signal. */
  readonly exitCode: number | null
  readonly stdout: string
  /** What went to stdout and stderr, in the order it came. */
  readonly output: string
}

/** Of each; what comes after it is thrown away. */
const maxOutputBytes = 512 * 1024

/** Throws what the system says when the program cannot be started. */
export async function runCommand({ timeoutMs, signal, ...options }: CommandOptions): Promise<CommandResult> {
  const stdout = new BoundedText()
  const output = new BoundedText()
  let outcome: CommandResult['outcome'] = signal?.aborted === true ? 'aborted' : 'exited'
  if (outcome === 'aborted') return { outcome, exitCode: null, stdout: '', output: '' }
  const running = await startProcess({
    ...options,
    stopTimeoutMs: 0,
    onOutput: (chunk, stream) => {
      output.push(chunk)
      if (stream === 'stdout') stdout.push(chunk)
    },
  })
  const end = (why: 'timeout' | 'aborted') => {
    outcome = why
    void running.kill()
  }
  const limit = options.clock.setTimeout(() => end('timeout'), timeoutMs)
  const onAbort = () => end('aborted')
  signal?.addEventListener('abort', onAbort, { once: true })
  const { exitCode } = await running.ended
  options.clock.clearTimeout(limit)
  signal?.removeEventListener('abort', onAbort)
  await running.drained
  return { outcome, exitCode, stdout: stdout.text(), output: output.text() }
}

class BoundedText {
  readonly #chunks: Uint8Array[] = []
  #bytes = 0

  push(chunk: Uint8Array): void {
    const kept = chunk.subarray(0, maxOutputBytes - this.#bytes)
    if (kept.length === 0) return
    this.#chunks.push(kept)
    this.#bytes += kept.length
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8')
  }
}
