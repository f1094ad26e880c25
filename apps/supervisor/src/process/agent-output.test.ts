import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { AgentOutput } from './agent-output.ts'
import type { AgentOutputOptions } from './agent-output.ts'
import { failureText } from './plain-text.ts'

let folder = ''
const lines: unknown[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drover-output-'))
  lines.length = 0
})
afterEach(() => rm(folder, { recursive: true }))

const open = (more: Partial<AgentOutputOptions> = {}) =>
  new AgentOutput({
    storageDirectory: folder,
    passthrough: false,
    maxFileBytes: 1_000_000,
    maxFiles: 2,
    snippetKib: 0,
    log: (_level, message, fields) => lines.push([message, fields['stream'], fields['line']]),
    ...more,
  })
const text = (value: string) => Buffer.from(value)

it('goes to agent.log as it is, and its end into reports without secrets and colours', async () => {
  const output = open()
  const write = output.begin()
  write(text('\u001b[31mtoken: abcdefgh12345678\u001b[0m\n'), 'stderr')
  await output.close()
  expect(await readFile(join(folder, 'agent.log'), 'utf8')).toBe('\u001b[31mtoken: abcdefgh12345678\u001b[0m\n')
  expect(output.reportTail()).toBe('token: [REDACTED]')
  expect(lines).toEqual([])
})

it('goes line by line into the log of the supervisor where that is wanted, and to no file', async () => {
  const output = open({ passthrough: true })
  const write = output.begin()
  const euro = text('5 €\n')
  write(text('one\r\ntw'), 'stdout')
  write(text('error\n'), 'stderr')
  write(text('o\n\n'), 'stdout')
  write(euro.subarray(0, 3), 'stdout')
  write(euro.subarray(3), 'stdout')
  write(text('unfinished'), 'stdout')
  await output.close()
  expect(lines).toEqual([
    ['Agent output', 'stdout', 'one'],
    ['Agent output', 'stderr', 'error'],
    ['Agent output', 'stdout', 'two'],
    ['Agent output', 'stdout', '5 €'],
    ['Agent output', 'stdout', 'unfinished'],
  ])
  expect(await readdir(folder)).toEqual([])
})

it('cuts a line without end', async () => {
  const output = open({ passthrough: true })
  const write = output.begin()
  for (let count = 0; count < 40; count++) write(text('x'.repeat(1024)), 'stdout')
  expect(lines).toHaveLength(2)
  await output.close()
  expect(lines).toHaveLength(3)
})

it('tells of the present process only, as much as was asked for', () => {
  const output = open({ snippetKib: 1 })
  const first = output.begin()
  first(text('first process\n'), 'stderr')
  const second = output.begin()
  second(text('second process\n'.repeat(200)), 'stderr')
  first(text('late word of the first\n'), 'stderr')
  expect(output.reportTail().length).toBeLessThanOrEqual(1024)
  expect(output.reportTail()).toMatch(/^(second process\n)+second process$/)
})

it('tells why a Go program crashed, though what its threads were doing is longer than what is kept', () => {
  const output = open({ snippetKib: 1 })
  const write = output.begin()
  write(text('Everything is ready\nfatal err'), 'stderr')
  write(text('or: runtime: out of memory\n\nruntime stack:\n'), 'stderr')
  for (let count = 0; count < 2_000; count++) write(text(`goroutine ${count} [select]:\nmain.work()\n`), 'stderr')
  expect(output.reportTail()).toMatch(/^fatal error: runtime: out of memory\n\nruntime stack:\ngoroutine 0/)
  expect(output.reportTail().length).toBeLessThanOrEqual(1024)
  expect(failureText(output.rawTail(), 1000)).toBe('fatal error: runtime: out of memory')
  output.begin()
  expect(output.rawTail()).toBe('')
})

it('tells of the last crash, and of none where a line only speaks of one', () => {
  const output = open({ snippetKib: 1 })
  const write = output.begin()
  write(text('panic: first, survived\n'), 'stderr')
  write(text('x'.repeat(30_000)), 'stderr')
  write(text('\npanic: second\n'), 'stderr')
  write(text('y\n'.repeat(10_000)), 'stderr')
  expect(output.reportTail()).toMatch(/^panic: second\ny\n/)
  const next = output.begin()
  next(text('a panic: not at the start\n'), 'stderr')
  next(text('z\n'.repeat(10_000)), 'stderr')
  expect(output.reportTail()).toMatch(/^(z\n)+z$/)
})
