/** What one revision of a group has otherwise than another, line by line for a person. Pure. */
import type { OwnTelemetry, Revision } from '@drover/api'

export interface RevisionChange {
  readonly what: string
  readonly before: string
  readonly after: string
  /** Set for a config that is in both, with another version: its versions can be compared. */
  readonly config?: { readonly name: string; readonly from: number; readonly to: number }
}

export type Compared = Pick<Revision, 'selector' | 'priority' | 'configs' | 'variables' | 'secrets' | 'ownTelemetry'>

const NONE = 'none'

/** `from` undefined: there was nothing before. */
export function revisionChanges(from: Compared | undefined, to: Compared): readonly RevisionChange[] {
  return [
    ...line('Selector', from?.selector ?? NONE, to.selector),
    ...line('Priority', from === undefined ? NONE : String(from.priority), String(to.priority)),
    ...configChanges(from?.configs ?? [], to.configs),
    ...mapChanges('Variable', from?.variables ?? {}, to.variables, (value) => value),
    ...mapChanges('Secret', from?.secrets ?? {}, to.secrets, (version) => `version ${version}`),
    ...telemetryChanges(from?.ownTelemetry ?? null, to.ownTelemetry),
  ]
}

const line = (what: string, before: string, after: string): readonly RevisionChange[] => (before === after ? [] : [{ what, before, after }])

function configChanges(from: Revision['configs'], to: Revision['configs']): readonly RevisionChange[] {
  const before = new Map(from.map(({ config, version }) => [config, version]))
  const after = new Map(to.map(({ config, version }) => [config, version]))
  const changes: RevisionChange[] = []
  for (const [name, version] of before) if (!after.has(name)) changes.push({ what: `Config ${name}`, before: `version ${version}`, after: NONE })
  for (const [name, version] of after) {
    const earlier = before.get(name)
    if (earlier === version) continue
    const told = { what: `Config ${name}`, before: earlier === undefined ? NONE : `version ${earlier}`, after: `version ${version}` }
    changes.push(earlier === undefined ? told : { ...told, config: { name, from: earlier, to: version } })
  }
  const names = (refs: Revision['configs']) => refs.map(({ config }) => config).join(', ')
  const sameOnes = changes.every(({ config }) => config !== undefined)
  return sameOnes ? [...changes, ...line('Order of configs', names(from), names(to))] : changes
}

function mapChanges<T>(
  what: string,
  from: Readonly<Record<string, T>>,
  to: Readonly<Record<string, T>>,
  text: (value: T) => string,
): readonly RevisionChange[] {
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])].toSorted()
  const told = (values: Readonly<Record<string, T>>, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    return value === undefined ? NONE : text(value)
  }
  return names.flatMap((name) => line(`${what} ${name}`, told(from, name), told(to, name)))
}

function telemetryChanges(from: OwnTelemetry | null, to: OwnTelemetry | null): readonly RevisionChange[] {
  return (['metrics', 'logs', 'traces'] as const).flatMap((signal) => {
    const [before, after] = [from?.[signal] ?? null, to?.[signal] ?? null]
    const [earlier, later] = [destinationText(before), destinationText(after)]
    // Headers may carry what is not for everybody to read: that they differ is enough.
    const headersDiffer = earlier === later && JSON.stringify(before) !== JSON.stringify(after)
    return line(`Own ${signal}`, earlier, headersDiffer ? `${later}, other headers` : later)
  })
}

export function destinationText(destination: OwnTelemetry['metrics']): string {
  if (destination === null) return 'left as it is'
  return destination.kind === 'drover' ? 'Drover' : destination.endpoint
}
