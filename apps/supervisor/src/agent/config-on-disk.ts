/** Files that an agent reads: whole or not at all, for the supervisor's user alone. */
import { open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** After it settles the new content survives a power cut; before, the old one does. Equal content is not written: a full disk does no harm then. */
export async function writeWholeFile(path: string, text: string, mode = 0o600): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => undefined)) === text) return
  const temporary = `${path}.new`
  await rm(temporary, { force: true })
  try {
    const file = await open(temporary, 'wx', mode)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    // A disk that is full is not made fuller.
    await rm(temporary, { force: true }).catch(() => undefined)
    throw error
  }
  await syncFolder(dirname(path))
}

async function syncFolder(path: string): Promise<void> {
  // Not every system lets a folder be opened; there the rename is as durable as it gets.
  const folder = await open(path, 'r').catch(() => undefined)
  await folder?.sync().catch(() => undefined)
  await folder?.close()
}
