/**
 * Reads protobuf field by field, and passes over what nobody asked for by its length. A Collector tells some thirty numbers
 * that Drover keeps in a message of hundreds of objects: building all of them would be most of the cost of the intake.
 */
import { OtlpError } from './errors.ts'

export const wireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const

/** As it stands before a field's content: its number and wire type. */
export const tagOf = (field: number, type: number): number => (field << 3) | type

const TWO_32 = 0x1_0000_0000

export class WireReader {
  readonly bytes: Buffer
  readonly #maxElements: number
  position = 0
  #elements = 0

  constructor(bytes: Uint8Array, maxElements: number) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#maxElements = maxElements
  }

  /** The next field up to `end`; groups and numbers that no field has are refused. */
  tag(end: number): number {
    if (++this.#elements > this.#maxElements) throw new OtlpError('too-many', `the body has more than ${this.#maxElements} fields`)
    const tag = this.varint(end)
    const type = tag & 7
    if (tag >= TWO_32 || tag >>> 3 === 0 || type === 3 || type === 4 || type > 5) throw malformed('there is no such field')
    return tag
  }

  /** Rounded above 2^53. */
  varint(end: number): number {
    let value = 0
    let factor = 1
    for (let count = 0; count < 10; count++) {
      if (this.position >= end) throw malformed('it ends inside a number')
      const byte = this.bytes[this.position++] ?? 0
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
      factor *= 0x80
    }
    throw malformed('a number has more than ten bytes')
  }

  /** Where the length-delimited content that begins here ends; it lies within `end`. */
  enter(end: number): number {
    const length = this.varint(end)
    if (length > end - this.position) throw malformed('a length reaches beyond what is there')
    return this.position + length
  }

  skip(tag: number, end: number): void {
    const type = tag & 7
    if (type === wireType.varint) this.varint(end)
    else if (type === wireType.bytes) this.position = this.enter(end)
    else this.#advance(type === wireType.fixed64 ? 8 : 4, end)
  }

  double(end: number): number {
    return this.bytes.readDoubleLE(this.#advance(8, end))
  }

  /** sfixed64, rounded above 2^53. */
  signed64(end: number): number {
    const at = this.#advance(8, end)
    return this.bytes.readInt32LE(at + 4) * TWO_32 + this.bytes.readUInt32LE(at)
  }

  /** fixed64 nanoseconds as milliseconds. */
  nanosAsMs(end: number): number {
    const at = this.#advance(8, end)
    return (this.bytes.readUInt32LE(at + 4) * TWO_32 + this.bytes.readUInt32LE(at)) / 1e6
  }

  /** What is no UTF-8 is replaced; what is beyond `maxBytes` is cut off. */
  text(end: number, maxBytes: number): string {
    const stop = this.enter(end)
    const text = this.bytes.toString('utf8', this.position, Math.min(stop, this.position + maxBytes))
    this.position = stop
    return text
  }

  #advance(length: number, end: number): number {
    const at = this.position
    if (end - at < length) throw malformed('it ends inside a field')
    this.position = at + length
    return at
  }
}

function malformed(what: string): OtlpError {
  return new OtlpError('malformed', `the body is not a message of OTLP: ${what}`)
}
