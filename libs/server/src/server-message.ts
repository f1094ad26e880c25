/** ServerToAgent messages as bytes, put together from parts that are already encoded where that saves work. */
import { create, toBinary } from '@bufbuild/protobuf'
import {
  type CapabilitySet,
  type CustomMessage,
  type ConnectionSettingsOffers,
  type InstanceUid,
  instanceUidToBytes,
  type ServerCapability,
  ServerErrorResponseType,
  ServerToAgentFlags,
  ServerToAgentSchema,
} from '@drover/protocol'
import type { PreparedRemoteConfig } from './remote-config.ts'
import { concatBytes, lengthDelimited } from './wire.ts'

/** What one message carries beside the addressee. A command travels alone, so it is not among these. */
export interface MessageContent {
  readonly remoteConfig?: PreparedRemoteConfig
  readonly connectionSettings?: ConnectionSettingsOffers
  readonly customMessage?: CustomMessage
  readonly newInstanceUid?: InstanceUid
  readonly reportFullState?: true
  readonly reportAvailableComponents?: true
  readonly customCapabilities?: readonly string[]
}

export type ErrorKind = 'bad-request' | 'unavailable'

/** Field 1 of ServerToAgent for an agent: the start of everything sent to it. Empty when the agent is not known. */
export function encodeAddressee(uidBytes: Uint8Array): Uint8Array {
  return uidBytes.length === 0 ? uidBytes : lengthDelimited(1, uidBytes)
}

/** Fields may come in any order on the wire, so parts encoded apart are simply put in a row. */
export function encodeContent(addressee: Uint8Array, capabilities: CapabilitySet<ServerCapability> | undefined, content: MessageContent): Uint8Array {
  const { remoteConfig, ...rest } = content
  const others = encodeRest(rest, capabilities)
  return concatBytes(remoteConfig === undefined ? [addressee, others] : [addressee, remoteConfig.encoded, others])
}

/** The only command there is. Nothing but the capabilities may accompany it. */
export function encodeRestart(addressee: Uint8Array, capabilities: CapabilitySet<ServerCapability> | undefined): Uint8Array {
  const message = create(ServerToAgentSchema, { command: {}, capabilities: capabilities?.mask ?? 0n })
  return concatBytes([addressee, toBinary(ServerToAgentSchema, message)])
}

/** Nothing else may accompany an error. The wait is told only with `unavailable`. */
export function encodeError(addressee: Uint8Array, kind: ErrorKind, text: string, retryAfterSeconds?: number): Uint8Array {
  const message = create(ServerToAgentSchema, {
    errorResponse: {
      type: kind === 'bad-request' ? ServerErrorResponseType.ServerErrorResponseType_BadRequest : ServerErrorResponseType.ServerErrorResponseType_Unavailable,
      errorMessage: text,
      ...(kind === 'unavailable' && retryAfterSeconds !== undefined
        ? { Details: { case: 'retryInfo' as const, value: { retryAfterNanoseconds: BigInt(retryAfterSeconds) * 1_000_000_000n } } }
        : {}),
    },
  })
  return concatBytes([addressee, toBinary(ServerToAgentSchema, message)])
}

function encodeRest(content: Omit<MessageContent, 'remoteConfig'>, capabilities: CapabilitySet<ServerCapability> | undefined): Uint8Array {
  const { connectionSettings, customMessage, customCapabilities, newInstanceUid } = content
  const message = create(ServerToAgentSchema, {
    flags: flagsOf(content),
    capabilities: capabilities?.mask ?? 0n,
    ...(connectionSettings === undefined ? {} : { connectionSettings }),
    ...(customMessage === undefined ? {} : { customMessage }),
    ...(customCapabilities === undefined ? {} : { customCapabilities: { capabilities: [...customCapabilities] } }),
    ...(newInstanceUid === undefined ? {} : { agentIdentification: { newInstanceUid: instanceUidToBytes(newInstanceUid) } }),
  })
  return toBinary(ServerToAgentSchema, message)
}

function flagsOf(content: MessageContent): bigint {
  const fullState = content.reportFullState ? ServerToAgentFlags.ServerToAgentFlags_ReportFullState : 0
  const components = content.reportAvailableComponents ? ServerToAgentFlags.ServerToAgentFlags_ReportAvailableComponents : 0
  return BigInt(fullState | components)
}
