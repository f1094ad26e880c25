/** The order of sources that a supervisor's file stands for, and the resource that an Agent's description stands for. */

/** As written in `agent.config_files` of a supervisor's file. */
export const specialSourceNames = {
  'own-telemetry': '$OWN_TELEMETRY_CONFIG',
  'opamp-extension': '$OPAMP_EXTENSION_CONFIG',
  remote: '$REMOTE_CONFIG',
} as const

export type ConfigFilesEntry =
  | { readonly kind: 'own-telemetry' }
  | { readonly kind: 'opamp-extension' }
  | { readonly kind: 'remote' }
  | { readonly kind: 'file'; readonly path: string }

/**
 * Entries of `agent.config_files` with the special ones that are missing: own telemetry in front, the extension and then
 * the remote configuration at the end. `unknown`: names with `$` in front that mean nothing; a supervisor refuses to start.
 */
export function completeSourceOrder(configFiles: readonly string[]): { readonly sources: readonly ConfigFilesEntry[]; readonly unknown: readonly string[] } {
  const special = new Map<string, ConfigFilesEntry['kind'] & keyof typeof specialSourceNames>()
  for (const kind of ['own-telemetry', 'opamp-extension', 'remote'] as const) special.set(specialSourceNames[kind], kind)
  const sources: ConfigFilesEntry[] = []
  const unknown: string[] = []
  for (const entry of configFiles) {
    const kind = special.get(entry)
    if (kind !== undefined) sources.push({ kind })
    else if (entry.startsWith('$')) unknown.push(entry)
    else sources.push({ kind: 'file', path: entry })
  }
  const isMissing = (kind: ConfigFilesEntry['kind']): boolean => !sources.some((source) => source.kind === kind)
  if (isMissing('own-telemetry')) sources.unshift({ kind: 'own-telemetry' })
  if (isMissing('opamp-extension')) sources.push({ kind: 'opamp-extension' })
  if (isMissing('remote')) sources.push({ kind: 'remote' })
  return { sources, unknown }
}

/** A description's attribute, as far as it matters here: only texts count. */
interface DescribedAttribute {
  readonly key: string
  readonly value?: { readonly value: { readonly case: string | undefined; readonly value?: unknown } } | undefined
}

/** Attributes of the resource; a value that is no text is empty, and the non-identifying ones win, both as the stock supervisor has it. */
export function resourceAttributesOf(description: {
  readonly identifyingAttributes: readonly DescribedAttribute[]
  readonly nonIdentifyingAttributes: readonly DescribedAttribute[]
}): Record<string, string> {
  const attributes: Record<string, string> = Object.create(null)
  for (const { key, value } of [...description.identifyingAttributes, ...description.nonIdentifyingAttributes]) {
    const content = value?.value
    attributes[key] = content?.case === 'stringValue' && typeof content.value === 'string' ? content.value : ''
  }
  return attributes
}
