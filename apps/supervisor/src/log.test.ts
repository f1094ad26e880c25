import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type LogRecord, openLog } from './log.ts'

it('writes one JSON object to a line, from its level on, and tells whoever listens', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'log-'))
  const path = join(folder, 'supervisor.log')
  const heard: LogRecord[] = []
  {
    using opened = openLog({ level: 'info', outputPaths: [path], now: () => Date.UTC(2026, 0, 1) })
    opened.tap = (record) => heard.push(record)
    opened.log('debug', 'not said')
    opened.log('info', 'said', { pid: 1, reason: 'two\nlines', nothing: undefined })
  }
  const text = await readFile(path, 'utf8')
  expect(text).toBe('{"level":"info","ts":"2026-01-01T00:00:00.000Z","msg":"said","pid":1,"reason":"two\\nlines"}\n')
  expect(heard.map(({ message }) => message)).toEqual(['said'])
  await rm(folder, { recursive: true })
})

it('goes on when its file cannot be written to', () => {
  using opened = openLog({ level: 'info', outputPaths: ['/dev/full'], now: () => 0 })
  expect(() => opened.log('info', 'lost')).not.toThrow()
})
