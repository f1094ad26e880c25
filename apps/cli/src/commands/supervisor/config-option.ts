/** `--config` of the supervisor's commands, and what is said about the file. */
import type { ConfigFinding } from '@drover/supervisor'
import { text } from '../../command/spec.ts'
import { UsageError } from '../../errors.ts'
import type { Painter } from '../../output/colour.ts'
import { printable } from '../../output/text.ts'

export const configOption = text('--config <file>', 'the YAML file of the supervisor; that of the stock opampsupervisor is understood', { completes: 'file' })

export function requireConfig(given: string | undefined): string {
  if (given === undefined || given === '') throw new UsageError('say which file: --config supervisor.yaml')
  return given
}

/** `file:line:column: error: key: message`. */
export function findingLine(file: string, { severity, path, line, column, message }: ConfigFinding, paint: Painter): string {
  const place = line === undefined ? file : `${file}:${line}:${column ?? 1}`
  const word = paint(severity === 'error' ? 'bad' : severity === 'warning' ? 'busy' : 'dim', severity)
  return `${printable(place)}: ${word}: ${path === '' ? '' : `${printable(path)}: `}${printable(message)}\n`
}

/** `supervisor.yaml has 2 errors`. */
export function summaryOf(file: string, findings: readonly ConfigFinding[]): string {
  const count = findings.filter(({ severity }) => severity === 'error').length
  return `${file} has ${count === 1 ? 'an error' : `${count} errors`}`
}
