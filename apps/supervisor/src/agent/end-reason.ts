/** Why a program ended or did not start, as a sentence for people. */
import { failureText } from '../process/plain-text.ts'
import type { ProcessEnd } from '../process/running-process.ts'

const maxReasonChars = 1_000

/** `name`: what to call the program, e.g. `the Collector`. `output`: what it wrote. */
export function endReason(name: string, { exitCode, signal }: Pick<ProcessEnd, 'exitCode' | 'signal'>, output: string): string {
  const how =
    signal === null
      ? `ended with exit code ${exitCode}`
      : signal === 'SIGKILL'
        ? 'was killed, as the kernel does when memory runs out'
        : `was ended by ${signal}`
  const why = failureText(output, maxReasonChars)
  return `${name} ${how}${why === '' ? ', and said nothing' : `: ${why}`}`
}

const systemErrors: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such program',
  EACCES: 'it may not be executed',
  ENOEXEC: 'it is no program for this machine',
  EAGAIN: 'there are too many processes',
  ENOMEM: 'there is not enough memory',
  E2BIG: 'its arguments and environment are too large',
}

export function startReason(command: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return `cannot start ${command}: ${systemErrors[code] ?? (error instanceof Error ? error.message : String(error))}`
}
