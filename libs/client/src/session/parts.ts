/** The parts of a status report: their schemas, and who must be able to do what for a part to travel. */
import { clone, create, type DescMessage, equals, type Message, toBinary } from '@bufbuild/protobuf'
import {
  type AgentCapability,
  AgentDescriptionSchema,
  type AgentStatus,
  AvailableComponentsSchema,
  type CapabilitySet,
  ComponentHealthSchema,
  ConnectionSettingsStatusSchema,
  CustomCapabilitiesSchema,
  EffectiveConfigSchema,
  PackageStatusesSchema,
  RemoteConfigStatusSchema,
  type ServerCapability,
  type StatusPart,
} from '@drover/protocol'

export type PartValue<Part extends StatusPart> = NonNullable<AgentStatus[Part]>

interface PartRule {
  readonly schema: DescMessage
  /** Only an Agent that promises this sends the part. */
  readonly agent?: AgentCapability
  /** A Server known to lack this does not get the part. */
  readonly server?: ServerCapability
  /** Promised, but without a value yet: sent empty, as a Server would otherwise ask for what does not exist. */
  readonly hasEmptyValue?: true
}

const rules: Readonly<Record<StatusPart, PartRule>> = {
  agentDescription: { schema: AgentDescriptionSchema },
  health: { schema: ComponentHealthSchema, agent: 'ReportsHealth' },
  effectiveConfig: { schema: EffectiveConfigSchema, agent: 'ReportsEffectiveConfig', server: 'AcceptsEffectiveConfig' },
  remoteConfigStatus: { schema: RemoteConfigStatusSchema, agent: 'ReportsRemoteConfig', hasEmptyValue: true },
  packageStatuses: { schema: PackageStatusesSchema, agent: 'ReportsPackageStatuses', server: 'AcceptsPackagesStatus', hasEmptyValue: true },
  customCapabilities: { schema: CustomCapabilitiesSchema },
  availableComponents: { schema: AvailableComponentsSchema, agent: 'ReportsAvailableComponents' },
  connectionSettingsStatus: { schema: ConnectionSettingsStatusSchema, agent: 'ReportsConnectionSettingsStatus', hasEmptyValue: true },
}

export const allParts = Object.keys(rules) as readonly StatusPart[] // as: the record above is total

/** What may be sent of a part now; `server` undefined: not known yet, so nothing is known to be lacking. */
export function sendablePart(
  part: StatusPart,
  values: AgentStatus,
  agent: CapabilitySet<AgentCapability>,
  server: CapabilitySet<ServerCapability> | undefined,
): Message | undefined {
  const rule = rules[part]
  if (rule.agent !== undefined && !agent.has(rule.agent)) return undefined
  if (rule.server !== undefined && server !== undefined && !server.has(rule.server)) return undefined
  return values[part] ?? (rule.hasEmptyValue === true ? create(rule.schema) : undefined)
}

export function equalParts(part: StatusPart, a: Message | undefined, b: Message | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equals(rules[part].schema, a, b)
}

/** Whoever gave us the value may go on changing it. */
export function copyPart<Part extends StatusPart>(part: Part, value: PartValue<Part>): PartValue<Part> {
  return clone(rules[part].schema, value) as PartValue<Part> // as: the schema is that of the part
}

/** Encoded. */
export function partBytes(part: StatusPart, value: Message): number {
  return toBinary(rules[part].schema, value).length
}
