/** Checked decoding and encoding of the two top-level messages. */
import type { DescMessage, MessageShape } from '@bufbuild/protobuf'
import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { ProtocolError } from './errors.ts'
import { type AgentToServer, AgentToServerSchema, type ServerToAgent, ServerToAgentSchema } from './gen/opamp/v1/opamp_pb.js'
import { type DecodeLimits, defaultLimits } from './limits.ts'
import { ownBytes } from './own-bytes.ts'
import { scanMessage } from './scan.ts'
import { planMessage } from './wire-plan.ts'

/**
 * Decodes what an Agent sent. The result shares no memory with `bytes`; fields that our schema does not have are left
 * out, enum values that it does not have are kept as numbers.
 *
 * Throws nothing but ProtocolError, and does so before it builds anything. The length of `instance_uid` is not looked
 * at: whoever needs it calls `instanceUidFromBytes`.
 */
export function decodeAgentToServer(bytes: Uint8Array, limits: DecodeLimits = defaultLimits): AgentToServer {
  return decode(AgentToServerSchema, bytes, limits)
}

/** Decodes what a Server sent, as `decodeAgentToServer` does. */
export function decodeServerToAgent(bytes: Uint8Array, limits: DecodeLimits = defaultLimits): ServerToAgent {
  return decode(ServerToAgentSchema, bytes, limits)
}

export function encodeAgentToServer(message: AgentToServer): Uint8Array {
  return toBinary(AgentToServerSchema, message, { writeUnknownFields: false })
}

export function encodeServerToAgent(message: ServerToAgent): Uint8Array {
  return toBinary(ServerToAgentSchema, message, { writeUnknownFields: false })
}

function decode<Desc extends DescMessage>(desc: Desc, bytes: Uint8Array, limits: DecodeLimits): MessageShape<Desc> {
  scanMessage(planMessage(desc), bytes, limits)
  const message = decodeScanned(desc, bytes, limits)
  ownBytes(desc, message)
  return message
}

function decodeScanned<Desc extends DescMessage>(desc: Desc, bytes: Uint8Array, limits: DecodeLimits): MessageShape<Desc> {
  try {
    return fromBinary(desc, bytes, { readUnknownFields: false, recursionLimit: limits.maxDepth })
  } catch (cause) {
    // The scan finds everything the decoder refuses; this is for what a later decoder may refuse on top.
    throw new ProtocolError('malformed', 'not a message of the protocol', { cause })
  }
}
