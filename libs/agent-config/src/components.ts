/** Component ids of a Collector, `type` or `type/name`, and which of them a configuration defines. */
import type { ConfigMap, ConfigValue } from './value.ts'
import { child, isMap } from './value.ts'

export type ComponentKind = 'receiver' | 'processor' | 'exporter' | 'connector' | 'extension'

export interface ComponentType {
  /** One of `ComponentKind`; agents may report kinds we do not know. */
  readonly kind: string
  readonly type: string
}

/** The top-level key of each kind. */
export const sections: Readonly<Record<ComponentKind, string>> = {
  receiver: 'receivers',
  processor: 'processors',
  exporter: 'exporters',
  connector: 'connectors',
  extension: 'extensions',
}

export const componentKinds: readonly ComponentKind[] = ['receiver', 'processor', 'exporter', 'connector', 'extension']

export interface ComponentId {
  readonly type: string
  /** Empty when the id is the type alone. */
  readonly name: string
}

const typePattern = /^[a-zA-Z][0-9a-zA-Z_]{0,62}$/
// No separators (spaces), control characters or symbols.
const namePattern = /^[^\p{Z}\p{C}\p{S}]{1,1024}$/u

/** `undefined` when the text is no component id. The name starts after the first slash. */
export function parseComponentId(text: string): ComponentId | undefined {
  const slash = text.indexOf('/')
  const type = (slash === -1 ? text : text.slice(0, slash)).trim()
  const name = slash === -1 ? '' : text.slice(slash + 1).trim()
  if (!typePattern.test(type) || (slash !== -1 && !namePattern.test(name))) return undefined
  return { type, name }
}

/** Ids that the configuration defines for a kind; the section may be absent, empty, or filled in when the Collector starts. */
export function definedIds(config: ConfigMap, kind: ComponentKind): readonly string[] {
  const section: ConfigValue | undefined = child(config, sections[kind])
  return isMap(section) ? Object.keys(section) : []
}

/**
 * Component types that the configuration has and the agent lacks, each once. Defined components count even when no pipeline
 * uses them: a Collector refuses a section for a type it does not know.
 */
export function checkComponents(config: ConfigMap, available: readonly ComponentType[]): { readonly kind: ComponentKind; readonly type: string }[] {
  const known = new Set(available.map(({ kind, type }) => `${kind}/${type}`))
  const missing = new Map<string, { kind: ComponentKind; type: string }>()
  for (const kind of componentKinds) {
    for (const id of definedIds(config, kind)) {
      const type = parseComponentId(id)?.type
      if (type !== undefined && !known.has(`${kind}/${type}`)) missing.set(`${kind}/${type}`, { kind, type })
    }
  }
  return [...missing.values()]
}
