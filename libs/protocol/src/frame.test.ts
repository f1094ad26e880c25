/** Frames: a header of 0 and the message behind it. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { thrownBy } from '../test/thrown.ts'
import { ProtocolError } from './errors.ts'
import { decodeFrame, encodeFrame, messageOffset } from './frame.ts'

const badHeader = expect.objectContaining({ name: 'ProtocolError', code: 'bad-header' })

describe('frames', () => {
  it('begin with one zero byte, directly followed by the message [B-WS-02] [B-WS-03]', () => {
    expect(encodeFrame(Uint8Array.of(1, 2))).toEqual(Uint8Array.of(0, 1, 2))
  })

  it('give back the message as a view, without copying it', () => {
    const frame = Uint8Array.of(0, 1, 2)
    expect(decodeFrame(frame)).toEqual(Uint8Array.of(1, 2))
    expect(decodeFrame(frame).buffer).toBe(frame.buffer)
  })

  it('may hold a message of zero bytes [B-WS-07]', () => {
    expect(decodeFrame(Uint8Array.of(0))).toEqual(new Uint8Array())
  })

  it('take the bytes that the header really used, not one [B-WS-06]', () => {
    expect(decodeFrame(Uint8Array.of(0x80, 0x80, 0, 7))).toEqual(Uint8Array.of(7))
    expect(messageOffset(Uint8Array.of(0x80, 0, 7))).toBe(2)
  })

  it.each([
    ['no header at all', []],
    ['a header that is not 0', [1, 0]],
    ['a message without header', [0x0a, 0x10]],
    ['a header that is not 0 in two bytes', [0x80, 1]],
    ['the largest 64-bit number', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]],
    ['a header that does not end', [0x80, 0x80]],
    ['a 0 in ten bytes', [...Array<number>(9).fill(0x80), 0, 7]],
    ['a header of eleven bytes', [...Array<number>(10).fill(0x80), 0]],
  ])('are malformed with %s [B-WS-04] [B-WS-05]', (_, bytes) => {
    expect(() => decodeFrame(Uint8Array.from(bytes))).toThrow(badHeader)
  })

  it('return every message that was put into one', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (message) => {
        expect(decodeFrame(encodeFrame(message))).toEqual(message)
      }),
    )
  })

  it('fail with nothing but a ProtocolError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
        const error = thrownBy(() => decodeFrame(bytes))
        expect(error === undefined || error instanceof ProtocolError).toBe(true)
      }),
    )
  })
})
