/** For the tests of the session: values that a report is made of. */
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import {
  type AgentCapability,
  agentCapabilities,
  type AgentToServer,
  AgentToServerSchema,
  type InstanceUid,
  instanceUidToBytes,
  parseInstanceUid,
  type ServerToAgent,
  ServerToAgentSchema,
  type StatusPart,
} from '@drover/protocol'
import { allParts } from './parts.ts'
import { compose } from './compose.ts'
import { receive, type Received } from './receive.ts'
import { connectionOpened, createSession, type Session, setPart } from './session.ts'

export const uidA: InstanceUid = parseInstanceUid('01900000-0000-7000-8000-00000000000a')
export const uidB: InstanceUid = parseInstanceUid('01900000-0000-7000-8000-00000000000b')

export const allAgentCapabilities: readonly AgentCapability[] = agentCapabilities(0xffffn).names()

/** Parts made from plain values, with one of each kind. */
export const parts = create(AgentToServerSchema, {
  agentDescription: { identifyingAttributes: [{ key: 'service.name', value: { value: { case: 'stringValue', value: 'collector' } } }] },
  health: { healthy: true, startTimeUnixNano: 1n },
  effectiveConfig: { configMap: { configMap: { '': { body: Uint8Array.of(1, 2, 3), contentType: 'text/yaml' } } } },
  remoteConfigStatus: { lastRemoteConfigHash: Uint8Array.of(7), status: 1 },
  packageStatuses: { serverProvidedAllPackagesHash: Uint8Array.of(8) },
  customCapabilities: { capabilities: ['com.example.test'] },
  availableComponents: { components: { receivers: { subComponentMap: { otlp: {} } } } },
  connectionSettingsStatus: { lastConnectionSettingsHash: Uint8Array.of(9), status: 1 },
})

export function part<Part extends StatusPart>(name: Part): NonNullable<AgentToServer[Part]> {
  return parts[name] as NonNullable<AgentToServer[Part]> // as: all of them are set above
}

export function sessionWith(capabilities: readonly AgentCapability[] = allAgentCapabilities): Session {
  return allParts.reduce((session, name) => setPart(session, name, part(name)), createSession({ uid: uidA, capabilities }))
}

/** Sends the next message. */
export function sent(session: Session): Session {
  return compose(session).after
}

/** Which parts a message has. */
export function partsOf(message: AgentToServer): readonly StatusPart[] {
  return allParts.filter((name) => message[name] !== undefined)
}

export function fromServer(init: MessageInitShape<typeof ServerToAgentSchema>): ServerToAgent {
  return create(ServerToAgentSchema, init)
}

/** A message from the Server, addressed to the session's uid. */
export function heard(session: Session, init: MessageInitShape<typeof ServerToAgentSchema>): Received {
  return receive(session, fromServer({ instanceUid: instanceUidToBytes(session.uid), ...init }))
}

/** On an open connection, everything told and answered by a Server with these capabilities. */
export function settledSession(capabilities: readonly AgentCapability[] = allAgentCapabilities, serverMask = 0x7fn): Session {
  return heard(sent(connectionOpened(sessionWith(capabilities))), { capabilities: serverMask }).session
}
