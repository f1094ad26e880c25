/** Capability masks as sets of names. */

/** In the order of their bits, bit 0 first. */
const agentCapabilityNames = [
  'ReportsStatus',
  'AcceptsRemoteConfig',
  'ReportsEffectiveConfig',
  'AcceptsPackages',
  'ReportsPackageStatuses',
  'ReportsOwnTraces',
  'ReportsOwnMetrics',
  'ReportsOwnLogs',
  'AcceptsOpAMPConnectionSettings',
  'AcceptsOtherConnectionSettings',
  'AcceptsRestartCommand',
  'ReportsHealth',
  'ReportsRemoteConfig',
  'ReportsHeartbeat',
  'ReportsAvailableComponents',
  'ReportsConnectionSettingsStatus',
] as const

const serverCapabilityNames = [
  'AcceptsStatus',
  'OffersRemoteConfig',
  'AcceptsEffectiveConfig',
  'OffersPackages',
  'AcceptsPackagesStatus',
  'OffersConnectionSettings',
  'AcceptsConnectionSettingsRequest',
] as const

export type AgentCapability = (typeof agentCapabilityNames)[number]
export type ServerCapability = (typeof serverCapabilityNames)[number]

/**
 * An immutable set of capabilities. Not a number, so that nobody applies 32-bit operators to a 64-bit mask. Bits that
 * the specification does not define are dropped when it is made: they mean nothing to us and must be sent as 0.
 */
export interface CapabilitySet<Name extends string> {
  has(name: Name): boolean
  /** In the order of the bits. */
  names(): readonly Name[]
  /** As it goes on the wire. */
  readonly mask: bigint
  equals(other: CapabilitySet<Name>): boolean
}

/** Sets of one kind. Equal masks share one object, as thousands of agents announce the same mask. */
class CapabilityKind<Name extends string> {
  readonly #names: readonly Name[]
  readonly #definedBits: bigint
  readonly #sets = new Map<bigint, CapabilitySet<Name>>()

  constructor(names: readonly Name[]) {
    this.#names = names
    this.#definedBits = (1n << BigInt(names.length)) - 1n
  }

  of(capabilities: bigint | readonly Name[]): CapabilitySet<Name> {
    const mask = (typeof capabilities === 'bigint' ? capabilities : this.#maskOf(capabilities)) & this.#definedBits
    const shared = this.#sets.get(mask)
    if (shared !== undefined) return shared
    const created = this.#create(mask)
    // A fleet has few different masks; a peer that invents more must not make this grow.
    if (this.#sets.size < 256) this.#sets.set(mask, created)
    return created
  }

  #maskOf(names: readonly Name[]): bigint {
    return names.reduce((mask, name) => mask | (1n << BigInt(this.#names.indexOf(name))), 0n)
  }

  #create(mask: bigint): CapabilitySet<Name> {
    const names = this.#names.filter((_, bit) => (mask >> BigInt(bit)) & 1n)
    const lookup = new Set<string>(names)
    return Object.freeze({
      mask,
      has: (name: Name) => lookup.has(name),
      names: () => names,
      equals: (other: CapabilitySet<Name>) => other.mask === mask,
    })
  }
}

const agentKind = new CapabilityKind<AgentCapability>(agentCapabilityNames)
const serverKind = new CapabilityKind<ServerCapability>(serverCapabilityNames)

export function agentCapabilities(capabilities: bigint | readonly AgentCapability[]): CapabilitySet<AgentCapability> {
  return agentKind.of(capabilities)
}

export function serverCapabilities(capabilities: bigint | readonly ServerCapability[]): CapabilitySet<ServerCapability> {
  return serverKind.of(capabilities)
}
