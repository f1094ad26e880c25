/** The names that the configurations of a group use: whether each has a value, and where it is written. */
import type { ConfigFile, Finding, OwnTelemetry } from '@drover/api'
import type { FieldError } from '../http/errors.ts'
import type { ConfigRef } from './revision.ts'

export interface Reference {
  readonly kind: string
  readonly name: string
  /** E.g. `base@3 collector.yaml:12`. */
  readonly place: string
  /** Of the request, for a refusal. */
  readonly field: string
  readonly file?: string
  readonly line?: number
  readonly column?: number
}

export interface ReadConfig extends ConfigRef {
  readonly files: readonly ConfigFile[]
}

const PLACEHOLDER = /(\$*)\$\{drover:([^}.]*)\.?([^}]*)\}/g

export function referencesIn(configs: readonly ReadConfig[], ownTelemetry: OwnTelemetry | null): Reference[] {
  const references: Reference[] = []
  for (const [index, { config, version, files }] of configs.entries()) {
    for (const file of files) {
      for (const found of scan(file.body)) {
        const place = `${config}@${version} ${file.name === '' ? '' : `${file.name}:`}${file.name === '' ? 'line ' : ''}${found.line}`
        references.push({ ...found, place, field: `body.configs.${index}`, file: file.name })
      }
    }
  }
  for (const signal of ['metrics', 'logs', 'traces'] as const) {
    const destination = ownTelemetry?.[signal]
    if (destination?.kind !== 'otlp') continue
    for (const [header, value] of Object.entries(destination.headers)) {
      const field = `body.ownTelemetry.${signal}.headers.${header}`
      for (const { kind, name } of scan(value)) references.push({ kind, name, place: `the header ${header} of own ${signal}`, field })
    }
  }
  return references
}

function* scan(text: string): Generator<{ kind: string; name: string; line: number; column: number }> {
  for (const match of text.matchAll(PLACEHOLDER)) {
    const [, dollars = '', kind = '', name = ''] = match
    if (dollars.length % 2 === 1) continue
    const before = text.slice(0, match.index + dollars.length)
    const lineStart = before.lastIndexOf('\n') + 1
    yield { kind, name, line: before.split('\n').length, column: before.length - lineStart + 1 }
  }
}

export interface KnownNames {
  readonly variables: Readonly<Record<string, string>>
  /** By name, the latest version. */
  readonly secrets: ReadonlyMap<string, number>
}

/** Attributes and labels are another matter: agents have them or not, and one may come with an attribute tomorrow. */
export function checkReferences(references: readonly Reference[], { variables, secrets }: KnownNames): { errors: FieldError[]; findings: Finding[] } {
  const errors: FieldError[] = []
  for (const { kind, name, place, field } of references) {
    if (kind === 'var' && !Object.hasOwn(variables, name))
      errors.push({ field, message: `${place} uses \${drover:var.${name}}, but the variable ${name} is not set: set it in the group` })
    if (kind === 'secret' && !secrets.has(name))
      errors.push({ field, message: `${place} uses \${drover:secret.${name}}, but there is no secret ${name}: give it a value first` })
  }
  const used = new Set(references.filter(({ kind }) => kind === 'var').map(({ name }) => name))
  const findings = Object.keys(variables)
    .filter((name) => !used.has(name))
    .map(
      (name) =>
        ({ severity: 'warning', code: 'unused-variable', message: `the variable ${name} is set, but no config uses it`, path: `variables.${name}` }) as const,
    )
  return { errors, findings }
}
