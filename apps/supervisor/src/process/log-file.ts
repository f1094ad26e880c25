/** A file that a program's output goes to, renamed to `.1`, `.2`, … when it is full. Memory is bounded, and writing to it never waits. */
import type { FileHandle } from 'node:fs/promises'
import { open, rename, rm } from 'node:fs/promises'

export interface LogFileOptions {
  readonly path: string
  readonly maxFileBytes: number
  /** With the one being written. */
  readonly maxFiles: number
  /** Told once when the file cannot be written, and once more when it could be again. */
  readonly onProblem: (problem: 'failed' | 'recovered', detail: string) => void
}

/** What may wait for a slow disk; what comes beyond that is dropped and counted. */
const maxPendingBytes = 4 * 1024 * 1024
const lineEnd = 0x0a

export class LogFile {
  readonly #options: LogFileOptions
  #pending: Uint8Array[] = []
  #pendingBytes = 0
  #droppedBytes = 0
  #writing: Promise<void> | undefined
  #handle: FileHandle | undefined
  #size = 0
  #isFailing = false

  constructor(options: LogFileOptions) {
    this.#options = options
  }

  write(chunk: Uint8Array): void {
    if (this.#pendingBytes + chunk.length > maxPendingBytes) {
      this.#droppedBytes += chunk.length
      return
    }
    this.#pending.push(chunk)
    this.#pendingBytes += chunk.length
    this.#writing ??= this.#drain().finally(() => (this.#writing = undefined))
  }

  /** Settles when everything up to now was written or given up. Writing may go on: the file is opened again. */
  async close(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close().catch(() => undefined)
  }

  async #drain(): Promise<void> {
    while (this.#pendingBytes > 0) {
      const chunk = Buffer.concat(this.#pending)
      this.#pending = []
      this.#pendingBytes = 0
      const note = this.#droppedBytes > 0 ? `\n[${this.#droppedBytes} bytes of output were dropped: the disk did not keep up]\n` : ''
      this.#droppedBytes = 0
      try {
        await this.#append(chunk)
        if (note !== '') await this.#append(Buffer.from(note))
        this.#note(false, '')
      } catch (error) {
        this.#note(true, error instanceof Error ? error.message : String(error))
        const handle = this.#handle
        this.#handle = undefined
        await handle?.close().catch(() => undefined)
      }
    }
  }

  async #append(chunk: Uint8Array): Promise<void> {
    const { maxFileBytes } = this.#options
    let rest = chunk
    while (rest.length > 0) {
      const handle = (this.#handle ??= await this.#open())
      const room = maxFileBytes - this.#size
      const part = rest.length <= room ? rest : rest.subarray(0, breakBefore(rest, Math.max(0, room), this.#size === 0))
      if (part.length > 0) await handle.appendFile(part)
      this.#size += part.length
      rest = rest.subarray(part.length)
      if (rest.length > 0) await this.#rotate()
    }
  }

  async #open(): Promise<FileHandle> {
    const handle = await open(this.#options.path, 'a', 0o600)
    // One that was there may be readable for everybody, as the stock supervisor leaves it.
    await handle.chmod(0o600)
    this.#size = (await handle.stat()).size
    return handle
  }

  async #rotate(): Promise<void> {
    const { path, maxFiles } = this.#options
    await this.#handle?.close()
    this.#handle = undefined
    for (let index = maxFiles - 2; index >= 1; index--) await rename(`${path}.${index}`, `${path}.${index + 1}`).catch(() => undefined)
    if (maxFiles > 1) await rename(path, `${path}.1`)
    else await rm(path, { force: true })
  }

  #note(isFailing: boolean, detail: string): void {
    if (isFailing !== this.#isFailing) this.#options.onProblem(isFailing ? 'failed' : 'recovered', detail)
    this.#isFailing = isFailing
  }
}

/** After the last line that fits; in the middle of a line only where a whole file is not enough for it. */
function breakBefore(chunk: Uint8Array, room: number, isEmptyFile: boolean): number {
  const lastLineEnd = chunk.subarray(0, room).lastIndexOf(lineEnd)
  return lastLineEnd < 0 && isEmptyFile ? Math.max(1, room) : lastLineEnd + 1
}
