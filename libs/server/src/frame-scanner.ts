/** Follows the frames of a client's WebSocket through the chunks of its TCP stream, looking at headers only (RFC 6455, 5.2). */

/** Two bytes, eight more of length, four of masking key. */
const maxHeaderBytes = 14

export class FrameScanner {
  readonly #header = new Uint8Array(maxHeaderBytes)
  #headerBytes = 0
  #payloadLeft = 0
  #inMessage = false
  #pendingBytes = 0
  #completed = 0
  #closed = false

  /** No frame and no fragmented message is incomplete. */
  get isBetweenMessages(): boolean {
    return this.#headerBytes === 0 && this.#payloadLeft === 0 && !this.#inMessage
  }

  /** Bytes of the message that is incomplete. */
  get pendingBytes(): number {
    return this.#pendingBytes
  }

  /** Messages that ended so far; control frames do not count. */
  get completed(): number {
    return this.#completed
  }

  /** A Close frame went by: nothing may follow it. */
  get closed(): boolean {
    return this.#closed
  }

  scan(chunk: Uint8Array): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#payloadLeft > 0) {
        const taken = Math.min(this.#payloadLeft, chunk.length - at)
        this.#payloadLeft -= taken
        this.#pendingBytes += taken
        at += taken
      } else {
        this.#header[this.#headerBytes++] = chunk[at++]! // in range: at < length
        this.#pendingBytes += 1
        if (this.#headerBytes < this.#neededHeaderBytes()) continue
        this.#payloadLeft = this.#payloadLength()
      }
      if (this.#payloadLeft === 0) this.#endFrame()
    }
  }

  #neededHeaderBytes(): number {
    if (this.#headerBytes < 2) return 2
    const [, second = 0] = this.#header
    const length = second & 0x7f
    return 2 + (length === 127 ? 8 : length === 126 ? 2 : 0) + ((second & 0x80) === 0 ? 0 : 4)
  }

  #payloadLength(): number {
    const view = new DataView(this.#header.buffer)
    const length = view.getUint8(1) & 0x7f
    if (length === 126) return view.getUint16(2)
    // Longer than 2^53 is refused by the receiver as soon as it sees the header.
    return length === 127 ? Number(view.getBigUint64(2)) : length
  }

  #endFrame(): void {
    const [first = 0] = this.#header
    this.#headerBytes = 0
    const isControl = (first & 0x08) !== 0
    if (isControl) {
      if ((first & 0x0f) === 0x08) this.#closed = true
      if (!this.#inMessage) this.#pendingBytes = 0
      return
    }
    this.#inMessage = (first & 0x80) === 0
    if (this.#inMessage) return
    this.#pendingBytes = 0
    this.#completed += 1
  }
}

/** Smallest and largest frames that are worth a look: a uid alone, and what a one-byte length can tell. */
const minHeartbeatBytes = 6 + 19
const maxHeartbeatBytes = 6 + 125
const scratch = new Uint8Array(125)

/**
 * The payload of a chunk that is exactly one short, unfragmented, masked binary frame; otherwise undefined. The result is
 * overwritten by the next call.
 */
export function soleFrame(chunk: Uint8Array): Uint8Array | undefined {
  if (chunk.length < minHeartbeatBytes || chunk.length > maxHeartbeatBytes || chunk[0] !== 0x82 || chunk[1] !== (0x80 | (chunk.length - 6))) return undefined
  const bytes = chunk.length - 6
  for (let i = 0; i < bytes; i++) scratch[i] = chunk[6 + i]! ^ chunk[2 + (i & 3)]! // in range by the length
  return scratch.subarray(0, bytes)
}
