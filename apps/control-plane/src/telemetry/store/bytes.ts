/** Growing and shrinking byte sequences with numbers of variable length. */

export class ByteWriter {
  #bytes = Buffer.allocUnsafe(256)
  #length = 0

  get length(): number {
    return this.#length
  }

  byte(value: number): void {
    this.#room(1)
    this.#bytes[this.#length++] = value
  }

  /** A whole number from 0 to 2^53. */
  varint(value: number): void {
    let rest = value
    this.#room(8)
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.#bytes[this.#length++] = rest
  }

  uint16(value: number): void {
    this.#room(2)
    this.#length = this.#bytes.writeUInt16LE(value, this.#length)
  }

  uint32(value: number): void {
    this.#room(4)
    this.#length = this.#bytes.writeUInt32LE(value, this.#length)
  }

  text(value: string): void {
    const content = Buffer.from(value)
    this.varint(content.length)
    this.append(content)
  }

  append(content: Uint8Array): void {
    this.#room(content.length)
    this.#bytes.set(content, this.#length)
    this.#length += content.length
  }

  /** A copy of what was written, and begins anew. */
  take(): Buffer {
    const copy = Buffer.from(this.#bytes.subarray(0, this.#length))
    this.#length = 0
    return copy
  }

  #room(length: number): void {
    if (this.#length + length <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + length))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }
}

/** What was stored is not what was written. */
export class DamagedError extends Error {
  override readonly name = 'DamagedError'
}

/** Never reads beyond the end. @throws {DamagedError} */
export class ByteReader {
  readonly bytes: Buffer
  position: number
  readonly #end: number

  constructor(bytes: Buffer, position = 0, end = bytes.length) {
    this.bytes = bytes
    this.position = position
    this.#end = end
  }

  get isAtEnd(): boolean {
    return this.position >= this.#end
  }

  byte(): number {
    return this.bytes[this.#advance(1)] ?? 0
  }

  varint(): number {
    let value = 0
    for (let factor = 1; factor <= 2 ** 49; factor *= 0x80) {
      const byte = this.byte()
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
    }
    throw new DamagedError('a number is too long')
  }

  uint16(): number {
    return this.bytes.readUInt16LE(this.#advance(2))
  }

  uint32(): number {
    return this.bytes.readUInt32LE(this.#advance(4))
  }

  text(): string {
    const length = this.varint()
    const at = this.#advance(length)
    return this.bytes.toString('utf8', at, at + length)
  }

  skip(length: number): void {
    this.#advance(length)
  }

  #advance(length: number): number {
    const at = this.position
    if (length > this.#end - at) throw new DamagedError('it ends too early')
    this.position = at + length
    return at
  }
}
