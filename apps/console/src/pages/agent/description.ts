/** An agent's attributes and capabilities as rows. Pure. */

/** Attributes sorted by name, values as text; nested values as JSON. */
export function attributeFacts(attributes: Readonly<Record<string, unknown>>): readonly (readonly [key: string, text: string])[] {
  return Object.entries(attributes)
    .map(([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)] as const)
    .toSorted(([left], [right]) => left.localeCompare(right))
}

const meanings: readonly (readonly [name: string, meaning: string])[] = [
  ['ReportsStatus', 'Reports its status'],
  ['AcceptsRemoteConfig', 'Takes configuration from Drover'],
  ['ReportsRemoteConfig', 'Reports what became of a configuration'],
  ['ReportsEffectiveConfig', 'Reports the configuration it runs'],
  ['ReportsHealth', 'Reports its health'],
  ['ReportsAvailableComponents', 'Reports which components it contains'],
  ['ReportsHeartbeat', 'Sends heartbeats'],
  ['AcceptsRestartCommand', 'Takes the restart command'],
  ['AcceptsOpAMPConnectionSettings', 'Takes settings for its connection to Drover'],
  ['ReportsConnectionSettingsStatus', 'Reports what became of connection settings'],
  ['AcceptsOtherConnectionSettings', 'Takes settings for other connections'],
  ['AcceptsPackages', 'Takes packages to install'],
  ['ReportsPackageStatuses', 'Reports the state of packages'],
  ['ReportsOwnMetrics', 'Can send its own metrics'],
  ['ReportsOwnTraces', 'Can send its own traces'],
  ['ReportsOwnLogs', 'Can send its own logs'],
]

/** Every capability of the protocol with whether the agent has it, then those this console does not know. */
export function capabilityRows(names: readonly string[]): readonly { readonly name: string; readonly meaning: string; readonly has: boolean }[] {
  const known = meanings.map(([name, meaning]) => ({ name, meaning, has: names.includes(name) }))
  const others = names.filter((name) => !meanings.some(([known]) => known === name)).map((name) => ({ name, meaning: 'Another capability', has: true }))
  return [...known.filter(({ has }) => has), ...others, ...known.filter(({ has }) => !has)]
}
