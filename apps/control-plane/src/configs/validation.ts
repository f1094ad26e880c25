/** Checks files as a version would be checked, and against what the target agents say they contain. */
import type { ConfigFile, Finding, Validation } from '@drover/api'
import { checkComponents, mergeFiles, validateMerged } from '@drover/agent-config'
import type { Merged } from '@drover/agent-config'
import type { FieldError } from '../http/errors.ts'
import type { ComponentGroup } from '../seams.ts'

/** What the agents that a configuration would go to contain. */
export interface TargetComponents {
  readonly total: number
  readonly groups: readonly ComponentGroup[]
}

export type MissingComponent = NonNullable<Validation['targets']>['missing'][number]

const MAX_NAMES = 20

export interface CheckInput {
  readonly files: readonly ConfigFile[]
  /** Undefined: told from the files. */
  readonly fragment: boolean | undefined
  readonly target?: TargetComponents
}

export function checkFiles({ files, fragment, target }: CheckInput): Validation {
  const merge = mergeFiles(files)
  const findings: Finding[] = validateMerged(merge, files, { as: (fragment ?? !looksComplete(merge)) ? 'fragment' : 'complete' }).map((finding) => ({
    ...finding,
  }))
  const targets = target === undefined ? null : checkTarget(merge, target)
  if (targets) findings.push(...targets.missing.map((missing) => toFinding(missing, targets.agents, merge)))
  return { valid: !findings.some((finding) => finding.severity === 'error'), findings, targets }
}

/** Does it bring what a Collector needs to run by itself? */
function looksComplete({ merged }: Merged): boolean {
  const service = merged['service']
  const hasPipelines = typeof service === 'object' && service !== null && 'pipelines' in service
  return hasPipelines && 'receivers' in merged && 'exporters' in merged
}

export function checkTarget(merge: Merged, { total, groups }: TargetComponents): NonNullable<Validation['targets']> {
  const missing = new Map<string, MissingComponent>()
  for (const group of groups) {
    for (const { kind, type } of checkComponents(merge.merged, group.components)) {
      const known = missing.get(`${kind}/${type}`) ?? { kind, type, lacking: 0, agents: [] }
      missing.set(`${kind}/${type}`, { ...known, lacking: known.lacking + group.agents, agents: [...known.agents, ...group.names].slice(0, MAX_NAMES) })
    }
  }
  return { agents: total, checked: groups.reduce((sum, group) => sum + group.agents, 0), missing: [...missing.values()] }
}

/** A warning: the others can run it, and an agent may be replaced by one that can. */
function toFinding({ kind, type, lacking, agents }: MissingComponent, total: number, merge: Merged): Finding {
  const names = `${agents.slice(0, 3).join(', ')}${lacking > 3 ? ', …' : ''}`
  const path = [`${kind}s`, firstIdOf(merge, `${kind}s`, type)]
  const place = merge.locate(path)
  return {
    severity: 'warning',
    code: 'component-not-available',
    message: `${lacking} of ${total} agents lack the ${kind} ${type}: ${names}`,
    path: path.join('.'),
    ...(place === undefined ? {} : { file: place.file, line: place.line, column: place.column }),
  }
}

/** The first component of a type: `kafka` or `kafka/name`. */
function firstIdOf({ merged }: Merged, section: string, type: string): string {
  const components = merged[section]
  const ids = typeof components === 'object' && components !== null ? Object.keys(components) : []
  return ids.find((id) => id === type || id.startsWith(`${type}/`)) ?? type
}

/** The errors among the findings, as a refusal names them. */
export function toFieldErrors(files: readonly ConfigFile[], findings: readonly Finding[]): FieldError[] {
  return findings
    .filter((finding) => finding.severity === 'error')
    .map(({ file, line, column, message }) => {
      const index = files.findIndex((known) => known.name === file)
      const place = line === undefined ? '' : `${file ? `${file}:` : 'line '}${line}${column === undefined ? '' : `:${column}`}: `
      return { field: index < 0 ? 'body.files' : `body.files.${index}.body`, message: `${place}${message}` }
    })
}
