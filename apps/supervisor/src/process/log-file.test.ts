import { chmod, mkdir, mkdtemp, readFile, readdir, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { LogFile } from './log-file.ts'

let folder = ''
const problems: string[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drover-log-'))
  problems.length = 0
})
afterEach(() => rm(folder, { recursive: true }))

const open = (maxFileBytes: number, maxFiles: number) =>
  new LogFile({ path: join(folder, 'agent.log'), maxFileBytes, maxFiles, onProblem: (problem) => problems.push(problem) })
const read = (name: string) => readFile(join(folder, name), 'utf8')

it('appends to what is there, and lets nobody else read it', async () => {
  await writeFile(join(folder, 'agent.log'), 'before\n')
  await chmod(join(folder, 'agent.log'), 0o644)
  const log = open(1000, 3)
  log.write(Buffer.from('one\n'))
  log.write(Buffer.from('two\n'))
  await log.close()
  expect(await read('agent.log')).toBe('before\none\ntwo\n')
  expect((await stat(join(folder, 'agent.log'))).mode & 0o777).toBe(0o600)
})

it('renames a full file at the end of a line, and keeps so many', async () => {
  const log = open(10, 3)
  for (const line of ['aaaa\n', 'bbbb\n', 'cccc\n', 'dddd\n', 'eeee\n', 'ffff\n', 'gggg\n']) {
    log.write(Buffer.from(line))
    await log.close()
  }
  expect(await readdir(folder)).toEqual(['agent.log', 'agent.log.1', 'agent.log.2'])
  expect(await Promise.all(['agent.log', 'agent.log.1', 'agent.log.2'].map(read))).toEqual(['gggg\n', 'eeee\nffff\n', 'cccc\ndddd\n'])
})

it('cuts one large chunk into files, none of them too large', async () => {
  const log = open(100, 10)
  const text = Array.from({ length: 60 }, (_, index) => `line ${index}\n`).join('')
  log.write(Buffer.from(text))
  await log.close()
  const names = (await readdir(folder)).toSorted().toReversed()
  const parts = await Promise.all(names.map(read))
  expect(parts.join('')).toBe(text)
  for (const part of parts) expect(part.length).toBeLessThanOrEqual(100)
})

it('cuts a line that no file can hold', async () => {
  const log = open(10, 10)
  log.write(Buffer.from('x'.repeat(25)))
  await log.close()
  expect(await Promise.all(['agent.log.2', 'agent.log.1', 'agent.log'].map(read))).toEqual(['x'.repeat(10), 'x'.repeat(10), 'x'.repeat(5)])
})

it('begins the one file anew where no other is kept', async () => {
  const log = open(10, 1)
  log.write(Buffer.from('aaaa\nbbbb\ncccc\n'))
  await log.close()
  expect(await readdir(folder)).toEqual(['agent.log'])
  expect(await read('agent.log')).toBe('cccc\n')
})

it('drops what the disk does not take in time, and says how much', async () => {
  const log = open(64 * 1024 * 1024, 1)
  const mebibyte = Buffer.alloc(1024 * 1024, 'x')
  for (let count = 0; count < 10; count++) log.write(mebibyte)
  await log.close()
  const text = await read('agent.log')
  expect(text.length).toBeLessThan(6 * 1024 * 1024)
  expect(text).toMatch(/\[\d+ bytes of output were dropped: the disk did not keep up\]\n$/)
})

it('says once that it cannot be written, and goes on when it can', async () => {
  const path = join(folder, 'agent.log')
  await mkdir(path)
  const log = open(1000, 2)
  for (const line of ['lost\n', 'lost too\n']) {
    log.write(Buffer.from(line))
    await log.close()
  }
  await rmdir(path)
  log.write(Buffer.from('kept\n'))
  await log.close()
  expect(problems).toEqual(['failed', 'recovered'])
  expect(await read('agent.log')).toBe('kept\n')
})
