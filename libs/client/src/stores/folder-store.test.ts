import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { folderStore } from './folder-store.ts'
import { numberOf } from './test-numbered-value.ts'
import { testStore } from './test-store-contract.ts'

let root = ''
let count = 0
const newFolder = () => join(root, `store-${(count += 1)}`, 'inner')

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'drover-store-'))
})

afterAll(async () => {
  await rm(root, { recursive: true, force: true })
})

let lastFolder = ''
testStore('a store in a folder', {
  make: async (maxValueBytes) => {
    lastFolder = newFolder()
    return folderStore(lastFolder, maxValueBytes === undefined ? {} : { maxValueBytes })
  },
  reopen: async () => folderStore(lastFolder),
})

const modeOf = async (path: string) => (await stat(path)).mode & 0o777

describe('the folder of a store', () => {
  it('and its files are for the owner only, also when they were not before', async () => {
    const folder = newFolder()
    await mkdir(folder, { recursive: true })
    await chmod(folder, 0o755)
    await writeFile(join(folder, 'value'), 'old', { mode: 0o644 })
    await folderStore(folder).write('value', Uint8Array.of(1))
    expect(await modeOf(folder)).toBe(0o700)
    expect(await modeOf(join(folder, 'value'))).toBe(0o600)
  })

  it.skipIf(process.getuid?.() !== 0)('may belong to somebody else who lets this user write to it, and keeps its mode then', async () => {
    const folder = newFolder()
    await mkdir(folder, { recursive: true })
    for (const path of [root, join(folder, '..')]) await chmod(path, 0o755)
    await chmod(folder, 0o777)
    const script = `import { folderStore } from ${JSON.stringify(new URL('./folder-store.ts', import.meta.url).href)}
      await folderStore(${JSON.stringify(folder)}).write('value', Uint8Array.of(1))`
    const nobody = 65_534
    const writer = spawn(process.execPath, ['--input-type=module', '--eval', script], { uid: nobody, gid: nobody, stdio: ['ignore', 'ignore', 'inherit'] })
    expect(await once(writer, 'exit')).toEqual([0, null])
    expect(await modeOf(folder)).toBe(0o777)
    expect(await modeOf(join(folder, 'value'))).toBe(0o600)
  })

  it('is cleared of what killed writes left, and of nothing else', async () => {
    const folder = newFolder()
    await mkdir(folder, { recursive: true })
    for (const name of ['.value.3f2c1a54-9d3b-4c52-8f0e-0c64f2a1b7d9.tmp', '.foreign', 'other']) await writeFile(join(folder, name), 'x')
    expect(await folderStore(folder).read('value')).toBeUndefined()
    expect((await readdir(folder)).toSorted()).toEqual(['.foreign', 'other'])
  })

  it('may be unusable for a while: the next call tries again', async () => {
    const folder = newFolder()
    await mkdir(join(folder, '..'), { recursive: true })
    await writeFile(folder, 'a file in its place')
    const store = folderStore(folder)
    await expect(store.write('value', Uint8Array.of(1))).rejects.toThrow('EEXIST')
    await rm(folder)
    await store.write('value', Uint8Array.of(2))
    expect(await store.read('value')).toEqual(Uint8Array.of(2))
  })

  it('has one whole value after every kill -9 in the midst of many writes, at least as new as the last that was acknowledged', async () => {
    const folder = newFolder()
    let next = 1
    for (let round = 0; round < 12; round += 1) {
      const acknowledged = await writeUntilKilled(folder, next, 1 + ((round * 7) % 11))
      const store = folderStore(folder)
      const value = await store.read('value')
      const number = value === undefined ? undefined : numberOf(value)
      expect(number, `round ${round}, after ${acknowledged}`).toBeOneOf([acknowledged, acknowledged + 1])
      expect(await readdir(folder)).toEqual(['value'])
      next = (number ?? 0) + 1
    }
  })
})

/** Kills the writer some writes on; the number of the last write that it acknowledged. */
async function writeUntilKilled(folder: string, first: number, writes: number): Promise<number> {
  const writer = spawn(process.execPath, [fileURLToPath(new URL('./test-endless-writer.ts', import.meta.url)), folder, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(writer, 'exit')
  let acknowledged = first - 1
  for await (const line of createInterface({ input: writer.stdout })) {
    acknowledged = Number(line)
    if (acknowledged === first + writes) writer.kill('SIGKILL') // goes on reading what it acknowledged before it died
  }
  await exited
  return acknowledged
}
