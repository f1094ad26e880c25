/** A store that keeps each value in a file of its own. */
import { chmod, mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ClientStore } from '../store.ts'
import type { StoreOptions } from './memory-store.ts'
import { assertName, assertSize, defaultMaxValueBytes } from './store-error.ts'
import { removeFileDurably, removeUnfinishedWrites, syncFolder, writeFileDurably } from './write-file.ts'

/**
 * The folder is made (mode 0700) when it is first needed and must belong to one process only; files have mode 0600.
 * Calls may overlap: they take effect one after another, in the order in which they were made.
 */
export function folderStore(path: string, { maxValueBytes = defaultMaxValueBytes }: StoreOptions = {}): ClientStore {
  let last: Promise<unknown> = Promise.resolve()
  let prepared = false

  /** Runs after all earlier calls, whether they succeeded or not. */
  function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = last.then(async () => {
      if (!prepared) await prepareFolder(path)
      prepared = true
      return work()
    })
    last = result.catch(() => undefined)
    return result
  }

  return {
    isDurable: true,
    read: async (name) => {
      assertName(name)
      return inTurn(() => readBounded(join(path, name), name, maxValueBytes))
    },
    write: async (name, value) => {
      assertName(name)
      assertSize(name, value.length, maxValueBytes)
      const copy = value.slice() // the caller may go on using its bytes while this waits for its turn
      return inTurn(() => writeFileDurably(join(path, name), copy))
    },
    remove: async (name) => {
      assertName(name)
      return inTurn(() => removeFileDurably(join(path, name)))
    },
  }
}

async function prepareFolder(path: string): Promise<void> {
  const firstMade = await mkdir(path, { recursive: true, mode: 0o700 })
  await chmod(path, 0o700).catch((error: unknown) => {
    // A folder of somebody else who lets this user write to it, such as a volume of a pod with an fsGroup: its mode is that one's business.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error // as: what node:fs throws
  })
  if (firstMade !== undefined) for (const made of foldersFrom(path, firstMade)) await syncFolder(dirname(made))
  await removeUnfinishedWrites(path)
}

/** From `path` up to the first folder that had to be made. */
function foldersFrom(path: string, firstMade: string): readonly string[] {
  const parent = dirname(path)
  return path === firstMade || parent === path ? [path] : [path, ...foldersFrom(parent, firstMade)]
}

async function readBounded(path: string, name: string, maxValueBytes: number): Promise<Uint8Array | undefined> {
  let file
  try {
    file = await open(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined // as: what node:fs throws
    throw error
  }
  try {
    assertSize(name, (await file.stat()).size, maxValueBytes)
    const content = await file.readFile()
    return new Uint8Array(content.buffer, content.byteOffset, content.byteLength).slice()
  } finally {
    await file.close()
  }
}
