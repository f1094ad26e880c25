/** Heartbeats are seen without decoding, and seen as decoding would see them. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { agentToServer, fullReport, sampleUid } from '../test/sample-messages.ts'
import { thrownBy } from '../test/thrown.ts'
import { field, join, varint } from '../test/wire.ts'
import { encodeFrame, messageOffset } from './frame.ts'
import { peekHeartbeat } from './heartbeat.ts'
import { decodeAgentToServer, encodeAgentToServer } from './message.ts'

const uidField = field(1, sampleUid)

describe('a peek at a heartbeat', () => {
  it('finds uid, sequence number and capabilities', () => {
    const bytes = encodeAgentToServer(agentToServer({ sequenceNum: 300n, capabilities: 0xffffn }))
    expect(peekHeartbeat(bytes)).toEqual({ uidOffset: 2, sequenceNum: 300, capabilities: 0xffff })
  })

  it('reads behind the header of a frame without cutting it off', () => {
    const frame = encodeFrame(encodeAgentToServer(agentToServer({ sequenceNum: 7n })))
    expect(peekHeartbeat(frame, messageOffset(frame))).toEqual({ uidOffset: 3, sequenceNum: 7, capabilities: 1 })
  })

  it('takes the fields in any order, and absent numbers as 0', () => {
    expect(peekHeartbeat(join([0x20, 3], uidField, [0x10, 9]))).toEqual({ uidOffset: 4, sequenceNum: 9, capabilities: 3 })
    expect(peekHeartbeat(uidField)).toEqual({ uidOffset: 2, sequenceNum: 0, capabilities: 0 })
  })

  it.each<[string, Uint8Array]>([
    ['has no uid', Uint8Array.of(0x10, 1)],
    ['has a uid of 15 bytes', field(1, sampleUid.subarray(1))],
    ['has a cut uid', uidField.subarray(0, -1)],
    ['has two uids', join(uidField, uidField)],
    ['has two sequence numbers', join(uidField, [0x10, 1, 0x10, 2])],
    ['has another field', join(uidField, [0x10, 1], field(9, []))],
    ['has flags', join(uidField, [0x50, 1])],
    ['has an unknown field', join(uidField, field(100, []))],
    ['has a sequence number above 2^53', join(uidField, [0x10], varint(2n ** 53n))],
    ['has capabilities above 2^53', join(uidField, [0x20], varint(2n ** 63n))],
    ['ends inside a number', join(uidField, [0x10, 0x80])],
    ['ends before a number', join(uidField, [0x10])],
    ['has a number that goes on and on', join(uidField, [0x10], new Uint8Array(1 << 20).fill(0x80))],
    ['is empty', new Uint8Array()],
    ['reports more', encodeAgentToServer(fullReport())],
  ])('sees none where a message %s', (_, bytes) => {
    expect(peekHeartbeat(bytes)).toBeUndefined()
  })

  it('agrees with the decoder on every message it takes for a heartbeat', () => {
    const piece = fc.oneof(
      fc.constant(uidField),
      fc.tuple(fc.constantFrom(0x10, 0x20, 0x18, 0x50), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })).map(([tag, value]) => join([tag], varint(value))),
      fc.tuple(fc.constantFrom(0x10, 0x20), fc.nat(300)).map(([tag, value]) => join([tag], varint(value))),
      fc.uint8Array({ maxLength: 3 }),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 4 }), (pieces) => {
        const bytes = join(...pieces)
        const seen = peekHeartbeat(bytes)
        fc.pre(seen !== undefined)
        const message = decodeAgentToServer(bytes)
        expect({
          uid: bytes.slice(seen.uidOffset, seen.uidOffset + 16),
          sequenceNum: BigInt(seen.sequenceNum),
          capabilities: BigInt(seen.capabilities),
        }).toEqual({
          uid: message.instanceUid,
          sequenceNum: message.sequenceNum,
          capabilities: message.capabilities,
        })
        expect(encodeAgentToServer(message)).toEqual(encodeAgentToServer(agentToServer(message)))
      }),
    )
  })

  it('never throws', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(50), (bytes, offset) => thrownBy(() => peekHeartbeat(bytes, offset)) === undefined))
  })
})
