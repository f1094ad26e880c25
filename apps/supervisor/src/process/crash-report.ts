/** Finds where a Go program begins to say why it crashed: what each thread was doing follows, and is longer than what else is kept of its output. */

const maxChars = 8 * 1024
const beginning = /\n(?:panic: |fatal error: |SIG[A-Z]{2,8}: )/g
/** As long as what is looked for, so that it is found across two chunks. */
const carryChars = 16

export class CrashReport {
  /** The end of what came before, at first as after a line's end. Latin-1, one character a byte, so that a chunk may end within a character. */
  #carry = '\n'
  #found = ''

  push(chunk: Uint8Array): void {
    const text = this.#carry + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('latin1')
    // The last one counts: a program may survive a panic.
    let at = -1
    for (const match of text.matchAll(beginning)) at = match.index
    if (at >= 0) this.#found = text.slice(at, at + maxChars)
    else if (this.#found !== '' && this.#found.length < maxChars) this.#found = (this.#found + text.slice(this.#carry.length)).slice(0, maxChars)
    this.#carry = text.slice(-carryChars)
  }

  clear(): void {
    this.#carry = '\n'
    this.#found = ''
  }

  /** From its first line on, whole lines where it was cut; empty when there was none. */
  text(): string {
    const whole = this.#found.length < maxChars ? this.#found : this.#found.slice(0, this.#found.lastIndexOf('\n'))
    return Buffer.from(whole, 'latin1').toString('utf8').trim()
  }
}
