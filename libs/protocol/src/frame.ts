/** The header that precedes each message on a WebSocket: a varint, always 0. */
import { ProtocolError } from './errors.ts'

/**
 * A 0 fits in one byte and longer forms of it are legal, but the tenth byte of a varint exists for the highest bit
 * of a 64-bit number alone: a header of ten bytes is never an honest 0.
 */
const maxHeaderBytes = 9

export function encodeFrame(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(message.length + 1)
  frame.set(message, 1)
  return frame
}

/** Returns the message as a view into the frame; it may be empty, which is a message with nothing set. */
export function decodeFrame(frame: Uint8Array): Uint8Array {
  return frame.subarray(messageOffset(frame))
}

/** Where the message begins in a frame. */
export function messageOffset(frame: Uint8Array): number {
  if (frame[0] === 0) return 1
  for (let i = 0; i < maxHeaderBytes && i < frame.length; i++) {
    if (frame[i] === 0) return i + 1
    if (frame[i] !== 0x80) throw new ProtocolError('bad-header', 'the header of a WebSocket message is not 0')
  }
  throw new ProtocolError('bad-header', 'a WebSocket message begins with an incomplete or overlong header')
}
