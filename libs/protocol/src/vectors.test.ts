/** Runs the vectors, which are plain files that another implementation can use as well. */
import { create, type DescMessage, equals, fromJson, type JsonObject, type MessageShape } from '@bufbuild/protobuf'
import { describe, expect, it } from 'vitest'
import configHashes from '../vectors/config-hashes.json' with { type: 'json' }
import frames from '../vectors/frames.json' with { type: 'json' }
import httpBodies from '../vectors/http-bodies.json' with { type: 'json' }
import messages from '../vectors/messages.json' with { type: 'json' }
import status from '../vectors/status.json' with { type: 'json' }
import { thrownBy } from '../test/thrown.ts'
import { fromHex, toHex } from './bytes.ts'
import type { ProtocolError } from './errors.ts'
import { decodeFrame } from './frame.ts'
import { AgentToServerSchema, ServerToAgentSchema } from './gen/opamp/v1/opamp_pb.js'
import { configHash } from './hash.ts'
import { decodeHttpBody } from './http-body.ts'
import { type DecodeLimits, defaultLimits } from './limits.ts'
import { decodeAgentToServer, decodeServerToAgent, encodeAgentToServer, encodeServerToAgent } from './message.ts'
import { type StatusTracker, trackReport } from './status.ts'

interface MessageVector {
  readonly name: string
  readonly type: string
  readonly bytes: string
  readonly json?: JsonObject
  readonly encodesTo?: string
  readonly error?: string
  readonly field?: string
  readonly limits?: Partial<DecodeLimits>
}

interface StatusStep {
  readonly message: JsonObject
  readonly expect: { readonly capabilities: readonly string[] }
}

describe('frame vectors', () => {
  it.each(frames.vectors)('$name', ({ frame, message, error }) => {
    expect(outcomeOf(() => toHex(decodeFrame(fromHex(frame))))).toEqual(error === undefined ? { value: message } : { error })
  })
})

/** Decodes a vector's bytes, compares with its JSON, encodes again. */
function createCheck<Desc extends DescMessage>(
  desc: Desc,
  decode: (bytes: Uint8Array, limits: DecodeLimits) => MessageShape<Desc>,
  encode: (message: MessageShape<Desc>) => Uint8Array,
) {
  return ({ bytes, json, limits }: MessageVector) => {
    const message = decode(fromHex(bytes), { ...defaultLimits, ...limits })
    return { equalsJson: equals(desc, message, fromJson(desc, json ?? {})), encoded: toHex(encode(message)) }
  }
}

describe('message vectors', () => {
  const checks: Record<string, (vector: MessageVector) => { equalsJson: boolean; encoded: string }> = {
    AgentToServer: createCheck(AgentToServerSchema, decodeAgentToServer, encodeAgentToServer),
    ServerToAgent: createCheck(ServerToAgentSchema, decodeServerToAgent, encodeServerToAgent),
  }
  const all: readonly MessageVector[] = messages.vectors as readonly MessageVector[] // fields differ from vector to vector

  it.each(all.filter(({ error }) => error !== undefined))('$name', (vector) => {
    expect(thrownBy(() => checks[vector.type]?.(vector))).toMatchObject({ code: vector.error, ...(vector.field !== undefined && { field: vector.field }) })
  })

  it.each(all.filter(({ error }) => error === undefined))('$name', (vector) => {
    expect(checks[vector.type]?.(vector)).toEqual({ equalsJson: true, encoded: vector.encodesTo ?? vector.bytes })
  })
})

describe('configuration hash vectors', () => {
  it.each(configHashes.vectors)('$name', ({ files, hash }) => {
    expect(toHex(configHash(files.map(({ name, contentType, body }) => ({ name, contentType, body: fromHex(body) }))))).toBe(hash)
  })
})

describe('HTTP body vectors', () => {
  it.each(httpBodies.vectors)('$name', async ({ contentEncoding, body, maxBytes, decoded, error }) => {
    const outcome = await decodeHttpBody(fromHex(body), contentEncoding, maxBytes).then(
      (value) => ({ value: toHex(value) }),
      (cause: ProtocolError) => ({ error: cause.code }),
    )
    expect(outcome).toEqual(error === undefined ? { value: decoded } : { error })
  })
})

describe('status compression vectors', () => {
  it.each(status.vectors)('$name', ({ steps }) => {
    let tracker: StatusTracker | undefined
    for (const { message, expect: expected } of steps as readonly StatusStep[]) {
      const tracked = trackReport(tracker, create(AgentToServerSchema, fromJson(AgentToServerSchema, message)))
      ;({ tracker } = tracked)
      const { present, gap, missing, needsFullState } = tracked
      expect({ present, gap, missing, needsFullState, capabilities: tracker.capabilities.names() }).toEqual(expected)
    }
  })
})

function outcomeOf(run: () => string): { value?: string; error?: string } {
  try {
    return { value: run() }
  } catch (error) {
    return { error: (error as ProtocolError).code } // anything else has no code, which fails
  }
}
