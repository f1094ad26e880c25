/** The files of a configuration while they are edited. Pure. */
import type { ConfigFile, Finding } from '@drover/api'

export function fileNameError(name: string, others: readonly string[]): string | undefined {
  if (name.trim() === '') return 'Give the file a name'
  if (others.includes(name)) return 'There is a file of this name already'
  if (name.split('/').includes('..')) return 'No .. in a file name'
  return undefined
}

/** A name that is free, for a file that is added. */
export function freeFileName(names: readonly string[]): string {
  for (let number = names.length + 1; ; number++) if (!names.includes(`part-${number}.yaml`)) return `part-${number}.yaml`
}

export const sameFiles = (left: readonly ConfigFile[], right: readonly ConfigFile[]): boolean =>
  left.length === right.length &&
  left.every((file, index) => file.name === right[index]?.name && file.body === right[index]?.body && file.contentType === right[index]?.contentType)

/** Errors before warnings, each by its place. */
export function sortFindings(findings: readonly Finding[]): readonly Finding[] {
  const rank = (finding: Finding) => (finding.severity === 'error' ? 0 : 1)
  return findings.toSorted(
    (left, right) => rank(left) - rank(right) || (left.file ?? '').localeCompare(right.file ?? '') || (left.line ?? 0) - (right.line ?? 0),
  )
}

/** Findings that belong to a file: those that name it, and those that name none when it is the only one. */
export function findingsOf(findings: readonly Finding[], file: string, single: boolean): readonly Finding[] {
  return findings.filter((finding) => finding.file === file || (single && (finding.file === undefined || finding.file === '')))
}
