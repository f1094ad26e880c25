import { describe, expect, it } from 'vitest'
import { FrameScanner, soleFrame } from './frame-scanner.ts'

/** A masked client frame. */
function frame(opcode: number, payload: Uint8Array, fin = true): Uint8Array {
  const mask = [0x11, 0x22, 0x33, 0x44]
  const length =
    payload.length < 126
      ? [payload.length]
      : payload.length < 65_536
        ? [126, payload.length >> 8, payload.length & 0xff]
        : [127, 0, 0, 0, 0, ...new Uint8Array(Uint32Array.of(payload.length).buffer).toReversed()]
  return Uint8Array.from([(fin ? 0x80 : 0) | opcode, 0x80 | length[0]!, ...length.slice(1), ...mask, ...payload.map((byte, index) => byte ^ mask[index % 4]!)]) // !: both are in range
}

function join(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}

describe('the frame scanner', () => {
  it('finds the ends of messages however the bytes are cut', () => {
    const bytes = join(frame(2, new Uint8Array(5)), frame(2, new Uint8Array(300)), frame(2, new Uint8Array(70_000)), frame(2, new Uint8Array(0)))
    for (const size of [1, 2, 3, 7, 1_000, bytes.length]) {
      const scanner = new FrameScanner()
      for (let at = 0; at < bytes.length; at += size) scanner.scan(bytes.subarray(at, at + size))
      expect([scanner.completed, scanner.isBetweenMessages, scanner.pendingBytes]).toEqual([4, true, 0])
    }
  })

  it('counts what is pending of a message in fragments, pings between them or not', () => {
    const scanner = new FrameScanner()
    scanner.scan(frame(2, new Uint8Array(10), false))
    expect([scanner.isBetweenMessages, scanner.pendingBytes]).toEqual([false, 16])
    scanner.scan(frame(9, new Uint8Array(4)))
    expect([scanner.completed, scanner.isBetweenMessages]).toEqual([0, false])
    scanner.scan(frame(0, new Uint8Array(1), true))
    expect([scanner.completed, scanner.isBetweenMessages, scanner.pendingBytes]).toEqual([1, true, 0])
  })

  it('sees a Close frame go by', () => {
    const scanner = new FrameScanner()
    scanner.scan(frame(8, Uint8Array.of(3, 232)))
    expect(scanner.closed).toBe(true)
  })
})

describe('a chunk that is one short frame', () => {
  it('gives its payload, and nothing else does', () => {
    const payload = Uint8Array.from({ length: 30 }, (_, index) => index)
    const whole = frame(2, payload)
    expect([...soleFrame(whole)!]).toEqual([...payload]) // !: checked by the comparison
    expect(soleFrame(whole.subarray(0, -1))).toBeUndefined()
    expect(soleFrame(join(whole, whole))).toBeUndefined()
    expect(soleFrame(frame(1, payload))).toBeUndefined()
    expect(soleFrame(frame(2, payload, false))).toBeUndefined()
    expect(soleFrame(frame(2, new Uint8Array(300)))).toBeUndefined()
  })
})
