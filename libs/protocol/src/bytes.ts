/** Bytes as hexadecimal text, and their comparison. */

const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Lower case, two digits a byte. */
export function toHex(bytes: Uint8Array): string {
  let hex = ''
  for (const byte of bytes) hex += hexOfByte[byte]
  return hex
}

/** Throws a RangeError unless the text is pairs of hexadecimal digits. */
export function fromHex(hex: string): Uint8Array {
  if (hex.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(hex)) throw new RangeError('not hexadecimal text')
  const bytes = new Uint8Array(hex.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16)
  return bytes
}

/** Compares content. Takes longer the more agrees, so not for secrets. */
export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && bytesAt(a, 0, b)
}

/** Whether `part` stands in `whole` at `offset`. */
export function bytesAt(whole: Uint8Array, offset: number, part: Uint8Array): boolean {
  for (let i = 0; i < part.length; i++) if (whole[offset + i] !== part[i]) return false
  return true
}
