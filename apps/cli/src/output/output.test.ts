/** Tables, facts, JSON and YAML: aligned, and harmless on a terminal. */
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { testIo } from '../test-io.ts'
import { painterFor } from './colour.ts'
import { Output } from './format.ts'
import { renderFacts, renderTable } from './table.ts'
import type { Column } from './table.ts'
import { countOf, printable, shorten, widthOf } from './text.ts'
import { formatAgo, formatBytes, formatDuration } from './time.ts'

const plain = (_: string, text: string) => text
const columns: readonly Column<{ name: string; count: number }>[] = [
  { title: 'NAME', value: ({ name }) => name, flexible: true },
  { title: 'COUNT', value: ({ count }) => String(count), align: 'right' },
  { title: 'END', value: () => 'x' },
]

describe('printable', () => {
  it.each([
    ['\u001b[31mred\u001b[0m', '\\u001b[31mred\\u001b[0m'],
    ['a\nb\tc\rd', 'a\\nb\\tc\\rd'],
    ['\u009b2J', '\\u009b2J'],
    ['safe\u202etxt.exe', 'safe\\u202etxt.exe'],
    ['zero\u200bwidth', 'zero\\u200bwidth'],
    ['\u{1f469}\u{1f3fd} ünïcode 日本', '\u{1f469}\u{1f3fd} ünïcode 日本'],
    ['half \ud800 pair', 'half \\ud800 pair'],
  ])('shows %j as %j', (text, shown) => {
    expect(printable(text)).toBe(shown)
  })

  it('keeps line ends where text has lines', () => {
    expect(printable('a:\n\tb\u0007', 'lines')).toBe('a:\n\tb\\u0007')
  })
})

describe('widths', () => {
  it('speaks of one and of several', () => {
    expect([countOf(0, 'agent'), countOf(1, 'agent'), countOf(2, 'agent')]).toEqual(['0 agents', '1 agent', '2 agents'])
  })

  it('counts columns of a terminal', () => {
    expect([widthOf('abc'), widthOf('日本'), widthOf('é'), widthOf('🙂'), widthOf('\u001b[31mred\u001b[0m')]).toEqual([3, 4, 1, 2, 3])
  })

  it('shortens by columns', () => {
    expect([shorten('abcdef', 4), shorten('日本語', 4), shorten('abc', 3)]).toEqual(['abc…', '日…', 'abc'])
  })
})

describe('renderTable', () => {
  const rows = [
    { name: 'web-1', count: 5 },
    { name: '日本', count: 1000 },
  ]

  it('aligns columns and leaves no blanks at line ends', () => {
    expect(renderTable(columns, rows, { width: undefined, paint: plain })).toBe('NAME   COUNT  END\nweb-1      5  x\n日本    1000  x\n')
  })

  it('cuts flexible columns to the width of the terminal, and nothing when there is none', () => {
    const long = [{ name: 'a-very-long-name-of-a-host', count: 1 }]
    const lines = renderTable(columns, long, { width: 24, paint: plain }).trimEnd().split('\n')
    expect(lines[1]).toBe('a-very-long…      1  x')
    expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(24)
    expect(renderTable(columns, long, { width: undefined, paint: plain })).toContain('a-very-long-name-of-a-host')
  })

  it('escapes what agents say of themselves', () => {
    expect(renderTable(columns, [{ name: 'evil\u001b]0;title\u0007\nname', count: 1 }], { width: undefined, paint: plain })).toContain(
      'evil\\u001b]0;title\\u0007\\nname',
    )
  })
})

describe('renderFacts', () => {
  it('leaves out what has no value', () => {
    expect(
      renderFacts(
        [
          ['Name', 'a'],
          ['Nothing', undefined],
          ['Longer name', 'b\u0007'],
        ],
        plain,
      ),
    ).toBe('Name         a\nLonger name  b\\u0007\n')
  })
})

describe('Output', () => {
  const value = { text: 'a\u001b[2J\u009b\u202e', lines: 'one\ntwo\n', none: null }

  it('writes JSON that parses to the same and is harmless on a terminal', () => {
    const io = testIo()
    new Output(io, 'json').result(value, () => '')
    expect(io.written.stdout).not.toMatch(/[\u001b\u009b\u202e]/)
    expect(JSON.parse(io.written.stdout)).toEqual(value)
  })

  it('writes YAML that parses to the same and is harmless on a terminal', () => {
    const io = testIo()
    new Output(io, 'yaml').result(value, () => '')
    expect(io.written.stdout).not.toMatch(/[\u001b\u009b\u202e]/)
    expect(parse(io.written.stdout)).toEqual(value)
  })

  it('writes a stream of values as lines of JSON or documents of YAML', () => {
    const [json, yaml] = [testIo(), testIo()]
    for (const id of [1, 2]) new Output(json, 'json').item({ id }, () => '')
    for (const id of [1, 2]) new Output(yaml, 'yaml').item({ id }, () => '')
    expect(json.written.stdout).toBe('{"id":1}\n{"id":2}\n')
    expect(yaml.written.stdout).toBe('---\nid: 1\n---\nid: 2\n')
  })

  it('has colours only on a terminal, and not when NO_COLOR is set', () => {
    const terminal = testIo({ columns: 80 }).stdout
    expect(painterFor(terminal, {})('bad', 'x')).toBe('\u001b[31mx\u001b[39m')
    expect(painterFor(terminal, { NO_COLOR: '1' })('bad', 'x')).toBe('x')
    expect(painterFor(terminal, { NO_COLOR: '' })('bad', 'x')).not.toBe('x')
    expect(painterFor(testIo().stdout, {})('bad', 'x')).toBe('x')
  })
})

describe('times and sizes', () => {
  it('are short', () => {
    expect([formatDuration(0), formatDuration(59_999), formatDuration(3_600_000), formatDuration(2 * 86_400_000)]).toEqual(['0s', '59s', '1h', '2d'])
    expect([formatAgo(null, 0), formatAgo('1970-01-01T00:00:00.000Z', 5_000), formatAgo('1970-01-01T00:01:00.000Z', 0)]).toEqual(['never', '5s ago', 'in 1m'])
    expect([formatBytes(0), formatBytes(1023), formatBytes(1536), formatBytes(200 * 1024 * 1024)]).toEqual(['0 B', '1023 B', '1.5 KiB', '200 MiB'])
  })
})
