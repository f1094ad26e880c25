/** Writes Protobuf by hand, for messages that no encoder would write. */
import { BinaryWriter } from '@bufbuild/protobuf/wire'

/** What a number of 64 bits looks like as a varint. */
export function varint(value: number | bigint): Uint8Array {
  return new BinaryWriter().uint64(BigInt(value)).finish()
}

export function join(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

/** A length-delimited field. */
export function field(number: number, content: Uint8Array | readonly number[] | string): Uint8Array {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : Uint8Array.from(content)
  return join(varint(number * 8 + 2), varint(bytes.length), bytes)
}

/** Wraps `inner` in length-delimited fields, the first number outermost, `times` times over. */
export function nest(numbers: readonly number[], times: number, inner: Uint8Array = new Uint8Array()): Uint8Array {
  const prefixes: Uint8Array[] = [inner]
  let length = inner.length
  for (let i = 0; i < times; i++) {
    for (const number of numbers.toReversed()) {
      const prefix = join(varint(number * 8 + 2), varint(length))
      prefixes.push(prefix)
      length += prefix.length
    }
  }
  return join(...prefixes.toReversed())
}
