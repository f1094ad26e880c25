import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeFileDurably } from './write-file.ts'

const run = promisify(execFile)
const fullDiskWriter = fileURLToPath(new URL('./test-full-disk-writer.ts', import.meta.url))
const bytes = (text: string) => new TextEncoder().encode(text)

/** Whether a small file system may be mounted in a namespace of its own. */
const mayMount = await run('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()]).then(
  () => true,
  () => false,
)

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drover-write-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

describe('a durable write', () => {
  it('replaces a file at once and has the mode that was asked for', async () => {
    const path = join(folder, 'file')
    await writeFile(path, 'old', { mode: 0o600 })
    await writeFileDurably(path, bytes('new'), 0o644)
    expect(await readFile(path, 'utf8')).toBe('new')
    expect((await stat(path)).mode & 0o777).toBe(0o644)
    await writeFileDurably(path, bytes('newer'))
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readdir(folder)).toEqual(['file'])
  })

  it('has its mode whatever the mask of the process', async () => {
    const former = process.umask(0o077)
    try {
      await writeFileDurably(join(folder, 'file'), bytes('new'), 0o644)
    } finally {
      process.umask(former)
    }
    expect((await stat(join(folder, 'file'))).mode & 0o777).toBe(0o644)
  })

  it('replaces a link and not what it points to', async () => {
    const target = join(folder, 'target')
    await writeFile(target, 'kept')
    await symlink(target, join(folder, 'link'))
    await writeFileDurably(join(folder, 'link'), bytes('new'))
    expect(await readFile(target, 'utf8')).toBe('kept')
    expect(await readFile(join(folder, 'link'), 'utf8')).toBe('new')
  })

  it('leaves nothing when the name cannot be taken', async () => {
    const path = join(folder, 'folder-in-its-place', 'x')
    await writeFileDurably(path, bytes('x')).catch(() => undefined)
    await expect(writeFileDurably(path, bytes('x'))).rejects.toThrow('ENOENT')
    await expect(writeFileDurably(folder, bytes('x'))).rejects.toThrow(/EISDIR|EEXIST|ENOTEMPTY|EPERM/)
    expect(await readdir(folder)).toEqual([])
  })

  it.skipIf(process.platform === 'win32')('keeps the old content when a file may not grow so large', async () => {
    const { stdout } = await run('sh', ['-c', 'ulimit -f 128; exec "$0" "$@"', process.execPath, fullDiskWriter, folder])
    expect(stdout).toBe('EFBIG: old value whole, files: value\n')
  })

  it.skipIf(!mayMount)('keeps the old content on a full disk', async () => {
    const { stdout } = await run('unshare', [
      '-rm',
      'sh',
      '-c',
      'mount -t tmpfs -o size=160k tmpfs "$2" && exec "$0" "$@"',
      process.execPath,
      fullDiskWriter,
      folder,
    ])
    expect(stdout).toBe('ENOSPC: old value whole, files: value\n')
  })
})
