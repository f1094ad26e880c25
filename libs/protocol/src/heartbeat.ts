/** A look at a message that costs no decoding: is it a heartbeat of an Agent in which nothing changed? */

/** An AgentToServer that holds an instance uid and, if anything, a sequence number and capabilities. */
export interface Heartbeat {
  /** Where the 16 bytes of the instance uid begin in the bytes that were looked at. */
  readonly uidOffset: number
  /** 0 when absent. */
  readonly sequenceNum: number
  /** The mask as it came, undefined bits included; 0 when absent. */
  readonly capabilities: number
}

/**
 * Reads a message from `offset` to the end of `bytes`. Returns undefined for everything that is not plainly a
 * heartbeat: other fields, a uid that is not 16 bytes, repeated fields, numbers beyond 2^53, broken bytes. Decode the
 * message then. Never throws.
 */
export function peekHeartbeat(bytes: Uint8Array, offset = 0): Heartbeat | undefined {
  let position = offset
  let uidOffset = -1
  let sequenceNum = -1
  let capabilities = -1
  while (position < bytes.length) {
    const tag = bytes[position++]
    if (tag === 0x0a) {
      if (uidOffset >= 0 || bytes[position] !== 16 || position + 17 > bytes.length) return undefined
      uidOffset = position + 1
      position += 17
      continue
    }
    const size = varintSize(bytes, position)
    const value = readVarint(bytes, position, size)
    if (value === undefined) return undefined
    if (tag === 0x10 && sequenceNum < 0) sequenceNum = value
    else if (tag === 0x20 && capabilities < 0) capabilities = value
    else return undefined
    position += size
  }
  return uidOffset < 0 ? undefined : { uidOffset, sequenceNum: Math.max(sequenceNum, 0), capabilities: Math.max(capabilities, 0) }
}

/** At most 9, which `readVarint` refuses. */
function varintSize(bytes: Uint8Array, position: number): number {
  let size = 1
  while (size < 9 && (bytes[position + size - 1] ?? 0) >= 0x80) size++
  return size
}

/** Undefined when the bytes end first, or when the value does not fit in 53 bits. */
function readVarint(bytes: Uint8Array, position: number, size: number): number | undefined {
  if (position + size > bytes.length || size > 8) return undefined
  let value = 0
  for (let i = size - 1; i >= 0; i--) value = value * 0x80 + ((bytes[position + i] ?? 0) & 0x7f)
  return value <= Number.MAX_SAFE_INTEGER ? value : undefined
}
