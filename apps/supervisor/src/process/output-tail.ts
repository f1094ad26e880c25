/** The last bytes that were written to it, in memory that never grows. */

export class OutputTail {
  readonly #ring: Buffer
  /** Bytes ever written. */
  #written = 0

  constructor(maxBytes: number) {
    this.#ring = Buffer.alloc(maxBytes)
  }

  push(chunk: Uint8Array): void {
    const { length } = this.#ring
    const kept = chunk.subarray(Math.max(0, chunk.length - length))
    this.#written += chunk.length - kept.length
    const at = this.#written % length
    const untilEnd = kept.subarray(0, length - at)
    this.#ring.set(untilEnd, at)
    this.#ring.set(kept.subarray(untilEnd.length), 0)
    this.#written += kept.length
  }

  clear(): void {
    this.#written = 0
  }

  /** From the start of a line, where something before it is gone. */
  text(): string {
    const { length } = this.#ring
    if (this.#written <= length) return this.#ring.toString('utf8', 0, this.#written)
    const at = this.#written % length
    const whole = Buffer.concat([this.#ring.subarray(at), this.#ring.subarray(0, at)])
    return whole.toString('utf8', whole.indexOf(0x0a) + 1)
  }
}
