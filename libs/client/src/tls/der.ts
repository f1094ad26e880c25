/** The few pieces of DER that a certificate request is made of. */

/** One element: its tag, then its length, then what is in it. */
export function element(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const length = contents.reduce((sum, content) => sum + content.length, 0)
  return Uint8Array.from([tag, ...lengthBytes(length), ...contents.flatMap((content) => [...content])])
}

/** Up to 127 in one byte; else the number of bytes, and they. */
function lengthBytes(length: number): readonly number[] {
  if (length < 0x80) return [length]
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return [0x80 + bytes.length, ...bytes]
}

export const sequence = (...items: readonly Uint8Array[]) => element(0x30, ...items)
export const set = (...items: readonly Uint8Array[]) => element(0x31, ...items)
/** `[number]`, with items inside. */
export const tagged = (number: number, ...items: readonly Uint8Array[]) => element(0xa0 + number, ...items)
export const utf8String = (text: string) => element(0x0c, new TextEncoder().encode(text))
export const bitString = (bytes: Uint8Array) => element(0x03, Uint8Array.of(0), bytes)
export const octetString = (bytes: Uint8Array) => element(0x04, bytes)

/** Not negative, most significant byte first. */
export function integer(bytes: Uint8Array): Uint8Array {
  return (bytes[0] ?? 0) >= 0x80 ? element(0x02, Uint8Array.of(0), bytes) : element(0x02, bytes)
}

/** In dotted form, as `2.5.4.3`. */
export function objectIdentifier(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return element(0x06, Uint8Array.from([first * 40 + second, ...rest.flatMap(base128)]))
}

/** Seven bits a byte; all but the last have the eighth set. */
function base128(number: number): readonly number[] {
  const bytes = [number & 0x7f]
  for (let rest = number >>> 7; rest > 0; rest >>>= 7) bytes.unshift((rest & 0x7f) | 0x80)
  return bytes
}

export function toPem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}

/** A name that consists of a common name only. */
export const commonNameOf = (text: string) => sequence(set(sequence(objectIdentifier('2.5.4.3'), utf8String(text))))

/** ECDSA with SHA-256, as an algorithm. */
export const ecdsaWithSha256 = sequence(objectIdentifier('1.2.840.10045.4.3.2'))
