/** The names that a revision uses: whether each has a value, and where it is written. */
import type { ConfigFile, Finding, OwnTelemetry } from '@drover/api'
import { fillText, findReferences } from '@drover/fleet'
import type { ReferenceKind } from '@drover/fleet'
import type { FieldError } from '../http/errors.ts'
import type { ConfigRef } from './revision.ts'

export interface ReadConfig extends ConfigRef {
  readonly files: readonly ConfigFile[]
}

export interface UsedName {
  readonly kind: ReferenceKind
  readonly name: string
  /** E.g. `base@3 collector.yaml:12`. */
  readonly place: string
  /** Of the request, for a refusal. */
  readonly field: string
}

export interface UsedNames {
  readonly names: readonly UsedName[]
  /** References that name nothing. */
  readonly errors: readonly FieldError[]
}

export function namesIn(configs: readonly ReadConfig[], ownTelemetry: OwnTelemetry | null): UsedNames {
  const names: UsedName[] = []
  const errors: FieldError[] = []
  for (const [index, { config, version, files }] of configs.entries()) {
    const field = `body.configs.${index}`
    const placeOf = (file: string, line: number | undefined): string => `${config}@${version} ${file === '' ? 'line ' : `${file}:`}${line ?? 1}`
    const { references, findings } = findReferences(files)
    for (const { kind, name, file, line } of references) names.push({ kind, name, place: placeOf(file, line), field })
    for (const { file, line, message } of findings) errors.push({ field, message: `${placeOf(file ?? '', line)}: ${message}` })
  }
  for (const signal of ['metrics', 'logs', 'traces'] as const) {
    const destination = ownTelemetry?.[signal]
    if (destination?.kind !== 'otlp') continue
    for (const [header, value] of Object.entries(destination.headers)) {
      const at = { place: `the header ${header} of own ${signal}`, field: `body.ownTelemetry.${signal}.headers.${header}` }
      const { unresolved } = fillText(value, at.place, (kind, name) => {
        names.push({ kind, name, ...at })
        return ''
      })
      for (const { message } of unresolved) errors.push({ field: at.field, message: `${at.place}: ${message}` })
    }
  }
  return { names, errors }
}

export interface KnownNames {
  readonly variables: Readonly<Record<string, string>>
  /** By name, a version. */
  readonly secrets: ReadonlyMap<string, number>
}

/** Attributes and labels are another matter: agents have them or not, and one may come with an attribute tomorrow. */
export function checkNames({ names, errors }: UsedNames, { variables, secrets }: KnownNames): { errors: FieldError[]; findings: Finding[] } {
  const unset = names.flatMap(({ kind, name, place, field }): FieldError[] => {
    if (kind === 'var' && !Object.hasOwn(variables, name))
      return [{ field, message: `${place} uses \${drover:var.${name}}, but the variable ${name} is not set: set it in the group` }]
    if (kind === 'secret' && !secrets.has(name))
      return [{ field, message: `${place} uses \${drover:secret.${name}}, but there is no secret ${name}: give it a value first` }]
    return []
  })
  const used = new Set(names.filter(({ kind }) => kind === 'var').map(({ name }) => name))
  const unused = Object.keys(variables).filter((name) => !used.has(name))
  return { errors: [...errors, ...unset], findings: unused.map(toFinding) }
}

function toFinding(name: string): Finding {
  return { severity: 'warning', code: 'unused-variable', message: `the variable ${name} is set, but no config uses it`, path: `variables.${name}` }
}
