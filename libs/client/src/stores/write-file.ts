/** Writes a file so that a reader, a kill or a power cut sees the old content or the new one, never a mixture. */
import { randomUUID } from 'node:crypto'
import { open, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** Begins with a dot, so it is never the name of a value or of a file that somebody asked for. */
const unfinishedPattern = /^\..+\.[0-9a-f-]{36}\.tmp$/

/**
 * Settles when the content is on the disk under its name. On any error, such as a full disk, the old content is intact and nothing else is left.
 * `mode` is the file's mode afterwards, whatever the process's umask. What a killed write leaves is removed by `removeUnfinishedWrites`.
 */
export async function writeFileDurably(path: string, bytes: Uint8Array, mode = 0o600): Promise<void> {
  const folder = dirname(path)
  const temporary = join(folder, `.${basename(path)}.${randomUUID()}.tmp`)
  try {
    const file = await open(temporary, 'wx', mode)
    try {
      await file.chmod(mode)
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw error
  }
  await syncFolder(folder)
}

/** Removes a file, durably. Nothing happens when there is none. */
export async function removeFileDurably(path: string): Promise<void> {
  await rm(path, { force: true })
  await syncFolder(dirname(path))
}

/** Removes what killed writes left in a folder. Only for a folder that nobody else writes to: it would take away what they are about to rename. */
export async function removeUnfinishedWrites(folder: string): Promise<void> {
  for (const name of await readdir(folder)) if (unfinishedPattern.test(name)) await rm(join(folder, name), { force: true })
}

/** Makes names in a folder durable: without it a renamed file may have its old name after a power cut. Windows cannot, and does not need to. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
