/** Checked decoding: what comes back, and everything that is refused. */
import { create, type DescMessage, equals, type MessageShape, toBinary } from '@bufbuild/protobuf'
import { BinaryReader } from '@bufbuild/protobuf/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { arbitraryMessage } from '../test/arbitrary-message.ts'
import { agentToServer, fullAnswer, fullReport, sampleUid } from '../test/sample-messages.ts'
import { thrownBy } from '../test/thrown.ts'
import { field, join, nest, varint } from '../test/wire.ts'
import { keyValues } from './any-value.ts'
import { ProtocolError, type ProtocolErrorCode } from './errors.ts'
import { AgentToServerSchema, RemoteConfigStatusSchema, ServerToAgentSchema } from './gen/opamp/v1/opamp_pb.js'
import { type DecodeLimits, defaultLimits } from './limits.ts'
import { decodeAgentToServer, decodeServerToAgent, encodeAgentToServer, encodeServerToAgent } from './message.ts'

const decode = decodeAgentToServer
const failure = (code: ProtocolErrorCode, path?: string) => expect.objectContaining({ name: 'ProtocolError', code, ...(path !== undefined && { field: path }) })
const refuses = (bytes: Uint8Array, code: ProtocolErrorCode, path?: string, limits?: Partial<DecodeLimits>) =>
  expect(() => decode(bytes, { ...defaultLimits, ...limits })).toThrow(failure(code, path))
const startGroup = (number: number) => varint(number * 8 + 3)
const endGroup = (number: number) => varint(number * 8 + 4)

describe('decoding', () => {
  it('returns what was encoded', () => {
    expect(equals(AgentToServerSchema, decode(encodeAgentToServer(fullReport())), fullReport())).toBe(true)
    expect(equals(ServerToAgentSchema, decodeServerToAgent(encodeServerToAgent(fullAnswer())), fullAnswer())).toBe(true)
  })

  it('returns whatever message was encoded', () => {
    const roundTrip = <Desc extends DescMessage>(desc: Desc, decodeAny: (bytes: Uint8Array) => MessageShape<Desc>) =>
      fc.assert(fc.property(arbitraryMessage(desc), (message) => equals(desc, decodeAny(toBinary(desc, message)), message)))
    roundTrip(AgentToServerSchema, decodeAgentToServer)
    roundTrip(ServerToAgentSchema, decodeServerToAgent)
  })

  it('reads no bytes as a message with nothing set [B-WS-07]', () => {
    expect(equals(AgentToServerSchema, decode(new Uint8Array()), create(AgentToServerSchema))).toBe(true)
  })

  it('keeps the full range of 64-bit numbers', () => {
    const message = agentToServer({ sequenceNum: 2n ** 64n - 1n, capabilities: 2n ** 63n, health: { startTimeUnixNano: 2n ** 64n - 1n } })
    expect(equals(AgentToServerSchema, decode(encodeAgentToServer(message)), message)).toBe(true)
  })

  it('copies bytes, so that the input may be reused', () => {
    // A Buffer, as sockets give it: its slice() would be a view.
    const input = Buffer.from(encodeAgentToServer(fullReport()))
    const message = decode(input)
    input.fill(0xff)
    expect(equals(AgentToServerSchema, message, fullReport())).toBe(true)
    expect(message.instanceUid.buffer.byteLength).toBe(16)
    expect(Object.getPrototypeOf(message.instanceUid)).toBe(Uint8Array.prototype)
  })

  it('leaves out unknown fields, however large, and reads the rest [IO-01] [IO-06]', () => {
    const group = join(startGroup(70), field(1, 'x'), startGroup(2), endGroup(2), endGroup(70))
    const unknown = join(field(1000, new Uint8Array(3 << 20)), varint(99 * 8), varint(2n ** 64n - 1n), [0x5d | 0x80, 0x06, 1, 2, 3, 4], group)
    const inside = field(7, join(field(1, [1]), field(50, 'later'), [0x10, 2]))
    const message = decode(join(unknown, field(1, sampleUid), inside))
    expect(message.instanceUid).toEqual(sampleUid)
    expect(message.remoteConfigStatus).toMatchObject({ lastRemoteConfigHash: Uint8Array.of(1), status: 2 })
    expect(message.$unknown).toBeUndefined()
    expect(message.remoteConfigStatus?.$unknown).toBeUndefined()
    expect(encodeAgentToServer(message).length).toBeLessThan(40)
  })

  it('keeps enum values that we do not know as numbers [IO-06]', () => {
    expect(decode(field(7, [0x10, 42])).remoteConfigStatus).toEqual(create(RemoteConfigStatusSchema, { status: 42 as never }))
  })

  it('does not encode unknown fields either', () => {
    const message = { ...agentToServer(), $unknown: [{ no: 900, wireType: 2, data: Uint8Array.of(1, 65) }] }
    expect(encodeAgentToServer(message)).toEqual(encodeAgentToServer(agentToServer()))
  })

  it('treats __proto__ and its like as plain keys of maps', () => {
    const files = ['__proto__', 'constructor', 'toString'].map((name) => field(1, join(field(1, name), field(2, field(1, name)))))
    const map = decode(field(6, field(1, join(...files)))).effectiveConfig?.configMap?.configMap ?? {}
    expect(Object.keys(map)).toEqual(['__proto__', 'constructor', 'toString'])
    expect(Object.entries(map).map(([, { body }]) => new TextDecoder().decode(body))).toEqual(['__proto__', 'constructor', 'toString'])
    expect(({} as Record<string, unknown>)['body']).toBeUndefined()
  })

  it('takes the last of two map entries with one key', () => {
    const entry = (body: string) => field(1, join(field(1, 'k'), field(2, field(1, body))))
    const map = decode(field(6, field(1, join(entry('old'), entry('new'))))).effectiveConfig?.configMap?.configMap
    expect(map?.['k']?.body).toEqual(new TextEncoder().encode('new'))
  })

  it('reads a map entry without key and without value', () => {
    expect(Object.keys(decode(field(6, field(1, field(1, [])))).effectiveConfig?.configMap?.configMap ?? {})).toEqual([''])
  })

  it('accepts text with NUL and with marks that turn its direction', () => {
    const lastError = 'a\u0000b\u202ec'
    expect(decode(encodeAgentToServer(agentToServer({ health: { lastError } }))).health?.lastError).toBe(lastError)
  })
})

describe('decoding refuses', () => {
  it('every truncation of a real message that does not end between two fields', () => {
    const checkTruncations = (bytes: Uint8Array, decodeAny: (bytes: Uint8Array) => unknown) => {
      const ends = fieldEnds(bytes)
      const outcomes = Array.from(bytes, (_, length) => {
        const error = thrownBy(() => decodeAny(bytes.subarray(0, length)))
        return error instanceof ProtocolError ? error.code : error
      })
      expect(outcomes).toEqual(Array.from(bytes, (_, length) => (ends.has(length) ? undefined : 'malformed')))
    }
    checkTruncations(encodeAgentToServer(fullReport()), decodeAgentToServer)
    checkTruncations(encodeServerToAgent(fullAnswer()), decodeServerToAgent)
  })

  it.each<[string, Uint8Array, string | undefined]>([
    ['a length of 2^31 - 1', join([0x0a], varint(2 ** 31 - 1)), 'instance_uid'],
    ['a length of 2^32 + 1', join([0x0a], varint(2 ** 32 + 1), [1]), 'instance_uid'],
    ['a length of 2^63 - 1', join([0x1a], varint(2n ** 63n - 1n)), 'agent_description'],
    ['a negative length', join([0x1a], varint(2n ** 64n - 1n)), 'agent_description'],
    ['a length beyond everything', field(3, [0x0a, 5, 1]), 'agent_description.identifying_attributes'],
    ['a length beyond the message around it', join(field(7, [0x0a, 2]), [0x10, 1]), 'remote_config_status.last_remote_config_hash'],
    ['a fixed64 beyond the message around it', join(field(5, [0x11, 1, 2, 3]), field(1, sampleUid)), 'health.start_time_unix_nano'],
    ['a length that does not end', Uint8Array.of(0x0a, 0x80), 'instance_uid'],
    ['a number of eleven bytes', Uint8Array.of(0x10, ...Array<number>(10).fill(0x80), 0), 'sequence_num'],
    ['a number of more than 64 bits', Uint8Array.of(0x10, ...Array<number>(9).fill(0xff), 2), 'sequence_num'],
    ['an overlong tag', Uint8Array.of(0x90, 0x80, 0x80, 0x80, 0x80, 0, 1), undefined],
    ['a tag beyond 32 bits', join(varint(2 ** 33), [1]), undefined],
    ['field number 0', Uint8Array.of(0x02, 0), undefined],
    ['wire type 6', Uint8Array.of(0x0e), 'instance_uid'],
    ['wire type 7 in an unknown field', join(varint(500 * 8 + 7), [0]), undefined],
    ['a known field of another type', Uint8Array.of(0x08, 1), 'instance_uid'],
    ['a known field as a group', join(startGroup(3), endGroup(3)), 'agent_description'],
    ['a group that does not end', startGroup(70), undefined],
    ['a group that ends as another', join(startGroup(70), endGroup(71)), undefined],
    ['the end of a group that did not begin', endGroup(70), undefined],
    ['a group that ends behind the message around it', join(field(3, startGroup(70)), endGroup(70)), 'agent_description'],
  ])('%s', (_, bytes, path) => {
    refuses(bytes, 'malformed')
    expect(thrownBy(() => decode(bytes))).toHaveProperty('field', path)
  })

  it.each([
    ['a lone continuation byte', [0x80]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['a cut character', [0x41, 0xe2, 0x82]],
  ])('%s in text, and names the field', (_, content) => {
    refuses(field(7, field(3, content)), 'invalid-text', 'remote_config_status.error_message')
    refuses(field(6, field(1, field(1, field(1, content)))), 'invalid-text', 'effective_config.config_map.config_map.key')
    refuses(field(12, field(1, content)), 'invalid-text', 'custom_capabilities.capabilities')
  })

  it('a message above the size limit before it looks inside', () => {
    refuses(new Uint8Array(defaultLimits.maxMessageBytes + 1), 'too-large')
    refuses(encodeAgentToServer(fullReport()), 'too-large', undefined, { maxMessageBytes: 100 })
  })

  it('what random bytes mean with nothing but a ProtocolError', () => {
    const report = encodeAgentToServer(fullReport())
    const damaged = fc.array(fc.tuple(fc.nat(report.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }).map((changes) => {
      const bytes = report.slice()
      for (const [index, byte] of changes) bytes[index] = byte
      return bytes
    })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), damaged), (bytes) => {
        for (const decodeAny of [decodeAgentToServer, decodeServerToAgent]) {
          const error = thrownBy(() => decodeAny(bytes))
          expect(error === undefined || error instanceof ProtocolError).toBe(true)
          // With a cause it was the decoder that refused, which the scan should have done.
          expect(error instanceof ProtocolError && error.code !== 'invalid-text' ? error.cause : undefined).toBeUndefined()
        }
      }),
      { numRuns: 2000 },
    )
  })
})

describe('decoding bounds', () => {
  const anyValues = (levels: number) => field(3, field(1, field(2, nest([5, 1], levels - 1))))

  it('the depth of attribute values', () => {
    expect(decode(anyValues(32)).agentDescription?.identifyingAttributes).toHaveLength(1)
    refuses(anyValues(33), 'too-deep')
    refuses(anyValues(10_000), 'too-deep', undefined, { maxAttributeBytes: 1 << 20 })
  })

  it('the depth of attribute values that are maps', () => {
    const maps = (levels: number) => field(3, field(1, field(2, nest([6, 1, 2], levels - 1))))
    expect(decode(maps(32)).agentDescription?.identifyingAttributes).toHaveLength(1)
    refuses(maps(33), 'too-deep')
  })

  it('the depth of component health', () => {
    const nodes = (levels: number) => field(5, nest([6, 2], levels))
    expect(decode(nodes(49)).health).toBeDefined()
    refuses(nodes(50), 'too-deep')
    refuses(nodes(10_000), 'too-deep')
    const error = thrownBy(() => decode(nodes(10_000))) as ProtocolError
    expect(error.field).toMatch(/^health\.component_health_map\.value\./)
    expect(error.message.length).toBeLessThan(400)
  })

  it('the depth of components', () => {
    refuses(field(14, nest([1, 2], 1, nest([2, 2], 10_000))), 'too-deep')
  })

  it('the depth of unknown groups, also inside of other levels', () => {
    const groups = (levels: number) => join(...Array<Uint8Array>(levels).fill(startGroup(100)), ...Array<Uint8Array>(levels).fill(endGroup(100)))
    expect(decode(groups(99)).$unknown).toBeUndefined()
    refuses(groups(100), 'too-deep')
    refuses(groups(10_000), 'too-deep')
    expect(decode(field(5, nest([6, 2], 20, groups(58)))).health).toBeDefined()
    refuses(field(5, nest([6, 2], 20, groups(59))), 'too-deep')
  })

  it('the number of fields, known and unknown', () => {
    const empties = Uint8Array.from({ length: 3 << 20 }, (_, i) => (i % 2 === 0 ? 0x0a : 0))
    refuses(field(12, empties), 'too-many-elements', 'custom_capabilities')
    refuses(field(6, field(1, empties)), 'too-many-elements', 'effective_config.config_map')
    refuses(
      field(
        14,
        field(
          1,
          field(
            2,
            empties.map((byte) => (byte === 0 ? 0 : 0x12)),
          ),
        ),
      ),
      'too-many-elements',
    )
    refuses(
      empties.map((byte) => (byte === 0 ? 1 : 0x10)),
      'too-many-elements',
    )
    refuses(
      Uint8Array.from({ length: 3 << 20 }, (_, i) => [0xa2, 0x06, 0][i % 3] ?? 0),
      'too-many-elements',
    )
    expect(decode(field(12, empties.subarray(0, 2 * (defaultLimits.maxElements - 1)))).customCapabilities?.capabilities).toHaveLength(99_999)
  })

  it('the number of attributes, over both lists and over repeated descriptions', () => {
    const attributes = (count: number, list: number) => join(...Array<Uint8Array>(count).fill(field(list, [])))
    expect(decode(field(3, join(attributes(128, 1), attributes(128, 2)))).agentDescription?.nonIdentifyingAttributes).toHaveLength(128)
    refuses(field(3, join(attributes(128, 1), attributes(129, 2))), 'too-many-elements', 'agent_description.non_identifying_attributes')
    refuses(join(field(3, attributes(200, 1)), field(3, attributes(57, 1))), 'too-many-elements', 'agent_description.identifying_attributes')
    refuses(field(5, attributes(257, 7)), 'too-many-elements', 'health.attributes')
  })

  it('the size of one attribute, but not the number of pairs inside it', () => {
    const sized = (bytes: number) => field(3, field(1, field(1, new Uint8Array(bytes - 3).fill(65))))
    expect(decode(sized(4096)).agentDescription?.identifyingAttributes[0]?.key).toHaveLength(4093)
    refuses(sized(4097), 'too-large', 'agent_description.identifying_attributes')
    const pairs = keyValues({ map: Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, i])) })
    expect(decode(encodeAgentToServer(agentToServer({ agentDescription: { nonIdentifyingAttributes: pairs } }))).agentDescription).toBeDefined()
  })

  it('the size of all attributes together, in both lists and in two descriptions', () => {
    const attribute = (number: 1 | 2) => field(number, field(1, new Uint8Array(4000).fill(0x61)))
    const list = (count: number, number: 1 | 2) => join(...Array.from({ length: count }, () => attribute(number)))
    expect(decode(field(3, list(16, 1))).agentDescription?.identifyingAttributes).toHaveLength(16)
    refuses(field(3, list(17, 1)), 'too-large', 'agent_description.identifying_attributes')
    refuses(field(3, join(list(8, 1), list(9, 2))), 'too-large', 'agent_description.non_identifying_attributes')
    refuses(join(field(3, list(9, 1)), field(3, list(8, 1))), 'too-large', 'agent_description.identifying_attributes')
  })

  it('the number of health nodes', () => {
    const tree = (nodes: number) =>
      agentToServer({ health: { componentHealthMap: Object.fromEntries(Array.from({ length: nodes - 1 }, (_, i) => [`c${i}`, {}])) } })
    expect(Object.keys(decode(encodeAgentToServer(tree(2000))).health?.componentHealthMap ?? {})).toHaveLength(1999)
    refuses(encodeAgentToServer(tree(2001)), 'too-many-elements', 'health.component_health_map.value')
  })
})

/** Where the fields of the outermost message end; 0 is where the first begins. */
function fieldEnds(bytes: Uint8Array): Set<number> {
  const reader = new BinaryReader(bytes)
  const ends = new Set([0])
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag()
    reader.skip(wireType, number)
    ends.add(reader.pos)
  }
  return ends
}
