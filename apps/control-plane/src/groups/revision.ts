/** What a revision of a group holds, and how it is written down. */
import type { OwnTelemetry } from '@drover/api'
import { parseSelector } from '@drover/fleet'
import type { RevisionRule } from '../seams.ts'
import type { NewRow, Row } from '../storage/schema.ts'

export type RevisionRow = Row<'group_revisions'>

export interface ConfigRef {
  readonly config: string
  readonly version: number
}

/** Everything that decides what agents run. */
export interface RevisionValues {
  /** Canonical text. */
  readonly selector: string
  readonly priority: number
  readonly configs: readonly ConfigRef[]
  readonly variables: Readonly<Record<string, string>>
  /** Name to version. */
  readonly secrets: Readonly<Record<string, number>>
  readonly ownTelemetry: OwnTelemetry | null
}

export interface StoredRevision extends RevisionValues {
  readonly number: number
  readonly author: string
  readonly message: string
  readonly createdAt: number
}

type ValueColumns = Pick<RevisionRow, 'selector' | 'priority' | 'configs_json' | 'variables_json' | 'secrets_json' | 'own_telemetry_json'>

export function toColumns({
  selector,
  priority,
  configs,
  variables,
  secrets,
  ownTelemetry,
}: RevisionValues): Required<Pick<NewRow<'group_revisions'>, keyof ValueColumns>> {
  return {
    selector,
    priority,
    configs_json: JSON.stringify(configs.map(({ config, version }) => ({ config, version }))),
    variables_json: JSON.stringify(byName(variables)),
    secrets_json: JSON.stringify(byName(secrets)),
    own_telemetry_json: ownTelemetry === null ? null : JSON.stringify(canonical(ownTelemetry)),
  }
}

/** as: only `toColumns` writes them. */
export function fromColumns(row: ValueColumns): RevisionValues {
  return {
    selector: row.selector,
    priority: row.priority,
    configs: JSON.parse(row.configs_json) as ConfigRef[],
    variables: JSON.parse(row.variables_json) as Record<string, string>,
    secrets: JSON.parse(row.secrets_json) as Record<string, number>,
    ownTelemetry: row.own_telemetry_json === null ? null : (JSON.parse(row.own_telemetry_json) as OwnTelemetry),
  }
}

export function toStoredRevision(row: RevisionRow): StoredRevision {
  return { number: row.number, ...fromColumns(row), author: row.author, message: row.message, createdAt: row.created_at }
}

/** As agents are given it. */
export function toRule(group: string, number: number, { selector, priority, configs, variables, secrets, ownTelemetry }: RevisionValues): RevisionRule {
  return { rule: { name: group, selector: parseSelector(selector), priority, revision: number, configs }, variables, secrets, ownTelemetry }
}

/** What differs, by the names of the API. Empty: agents would run the same. */
export function changesBetween(a: RevisionValues, b: RevisionValues): string[] {
  const [before, after] = [toColumns(a), toColumns(b)]
  return COLUMNS.filter(([column]) => before[column] !== after[column]).map(([, name]) => name)
}

const COLUMNS = [
  ['selector', 'selector'],
  ['priority', 'priority'],
  ['configs_json', 'configs'],
  ['variables_json', 'variables'],
  ['secrets_json', 'secrets'],
  ['own_telemetry_json', 'ownTelemetry'],
] as const satisfies readonly (readonly [keyof ValueColumns, keyof RevisionValues])[]

function byName<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function canonical({ metrics, logs, traces }: OwnTelemetry): OwnTelemetry {
  const destination = (given: OwnTelemetry['metrics']): OwnTelemetry['metrics'] =>
    given?.kind === 'otlp' ? { kind: given.kind, endpoint: given.endpoint, headers: byName(given.headers) } : given
  return { metrics: destination(metrics), logs: destination(logs), traces: destination(traces) }
}
