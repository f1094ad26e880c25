/** The little of the Protobuf encoding needed to put ready-made parts together without encoding them again. */

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

/** A field of type bytes, string or message with field number `field` (at most 15). */
export function lengthDelimited(field: number, content: Uint8Array): Uint8Array {
  return concatBytes([Uint8Array.of((field << 3) | 2, ...varint(content.length)), content])
}

/** Encoded length of such a field. */
export function lengthDelimitedBytes(contentBytes: number): number {
  return 1 + varint(contentBytes).length + contentBytes
}

/** Base-128 varint of a whole number below 2^53. */
export function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  bytes.push(rest)
  return bytes
}
