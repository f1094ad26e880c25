/** The folder of the store: files that appear whole or are only appended to. */
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** An open file; it can be read to its end even when it is removed meanwhile. */
export interface StoredFile {
  readonly bytes: number
  /** Fewer bytes than asked for only at the end of the file. */
  read(offset: number, length: number): Promise<Buffer>
  close(): Promise<void>
}

export interface StoreFiles {
  list(): Promise<readonly { readonly name: string; readonly bytes: number }[]>
  /** Undefined: there is none. */
  open(name: string): Promise<StoredFile | undefined>
  /** Handed to the system: it survives the end of this process. After a power cut the last seconds may be missing. */
  append(name: string, content: Uint8Array): Promise<void>
  /** The whole file or none of it, on the disk when this resolves. */
  publish(name: string, content: readonly Uint8Array[]): Promise<void>
  remove(name: string): Promise<void>
  /** Lets go of what is open for appending. */
  close(): Promise<void>
}

/** Unfinished files end so; they are removed at the next start. */
const TEMPORARY = '.tmp'
const MODE = 0o600

export async function openStoreFiles(dir: string): Promise<StoreFiles> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  for (const name of await readdir(dir)) if (name.endsWith(TEMPORARY)) await rm(join(dir, name), { force: true })
  return new Folder(dir)
}

class Folder implements StoreFiles {
  readonly #dir: string
  #appending: { readonly name: string; readonly handle: Awaited<ReturnType<typeof open>> } | undefined

  constructor(dir: string) {
    this.#dir = dir
  }

  async list(): Promise<readonly { readonly name: string; readonly bytes: number }[]> {
    const entries = await readdir(this.#dir, { withFileTypes: true })
    return Promise.all(entries.filter((entry) => entry.isFile()).map(async ({ name }) => ({ name, bytes: (await stat(join(this.#dir, name))).size })))
  }

  async open(name: string): Promise<StoredFile | undefined> {
    const handle = await open(join(this.#dir, name), 'r').catch(unlessMissing)
    if (handle === undefined) return undefined
    const { size } = await handle.stat()
    return {
      bytes: size,
      read: async (offset, length) => {
        const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(Math.max(0, Math.min(length, size - offset))), { position: offset })
        return buffer.subarray(0, bytesRead)
      },
      close: () => handle.close(),
    }
  }

  async append(name: string, content: Uint8Array): Promise<void> {
    if (this.#appending?.name !== name) {
      await this.close()
      this.#appending = { name, handle: await open(join(this.#dir, name), 'a', MODE) }
    }
    await this.#appending.handle.writeFile(content)
  }

  async publish(name: string, content: readonly Uint8Array[]): Promise<void> {
    const path = join(this.#dir, name)
    const temporary = `${path}${TEMPORARY}`
    try {
      await writeSynced(temporary, content)
      await rename(temporary, path)
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined)
      throw error
    }
    await this.#syncFolder()
  }

  async remove(name: string): Promise<void> {
    if (this.#appending?.name === name) await this.close()
    await rm(join(this.#dir, name), { force: true })
  }

  async close(): Promise<void> {
    const open = this.#appending
    this.#appending = undefined
    await open?.handle.close()
  }

  async #syncFolder(): Promise<void> {
    const handle = await open(this.#dir, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  }
}

async function writeSynced(path: string, content: readonly Uint8Array[]): Promise<void> {
  const handle = await open(path, 'w', MODE)
  try {
    for (const part of content) await handle.writeFile(part)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function unlessMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
  throw error
}
