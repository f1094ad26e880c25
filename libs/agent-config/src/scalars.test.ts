import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseYaml } from './parse.ts'
import { readScalars, writePlainScalar, writeQuotedScalar } from './scalars.ts'

describe('readScalars', () => {
  it('finds every text with its place, and neither comments nor numbers', () => {
    const text = '# no: comment\na: plain text # nor this\n"b": [\'one\', 2, true]\nc: |\n  block\n  text\nd: >-\n  folded\n'
    const { scalars } = readScalars(text, 'f')
    expect(scalars.map(({ style, value, start, end }) => [style, value, text.slice(start, end)])).toEqual([
      ['plain', 'a', 'a'],
      ['plain', 'plain text', 'plain text'],
      ['double', 'b', '"b"'],
      ['single', 'one', "'one'"],
      ['plain', 'c', 'c'],
      ['block', 'block\ntext\n', '|\n  block\n  text\n'],
      ['plain', 'd', 'd'],
      ['block', 'folded', '>-\n  folded\n'],
    ])
  })

  it('says where an offset is, also behind a byte order mark', () => {
    const text = '\uFEFFa: x\nb: yy\n'
    const { scalars, place } = readScalars(text, 'f')
    expect(scalars.map(({ start, end }) => [text.slice(start, end), place(start)])).toEqual([
      ['a', { line: 1, column: 1 }],
      ['x', { line: 1, column: 4 }],
      ['b', { line: 2, column: 1 }],
      ['yy', { line: 2, column: 4 }],
    ])
  })

  it('reports what cannot be read', () => {
    expect(readScalars('a: [\n', 'f')).toMatchObject({ scalars: [], findings: [{ severity: 'error', code: 'yaml-syntax', file: 'f' }] })
    expect(readScalars('\n'.repeat(60_000), 'f').findings).toMatchObject([{ code: 'too-large' }])
  })
})

describe('what is written', () => {
  const read = (written: string) => parseYaml(`a: ${written}\nb: [${written}, 1]\n`, 'f').document

  it('is one text on one line to any reader of YAML, whatever is in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const written = writeQuotedScalar(text)
        expect(written).not.toMatch(/[\n\r\u0085\u2028\u2029\u0000-\u001f]/)
        expect(read(written)).toEqual({ a: text, b: [text, 1] })
      }),
    )
  })

  it('is a number or a switch only where it is commonly written so', () => {
    for (const [text, value] of [
      ['0', 0],
      ['-12', -12],
      ['4317', 4317],
      ['0.5', 0.5],
      ['true', true],
      ['false', false],
    ] as const)
      expect(read(writePlainScalar(text))).toEqual({ a: value, b: [value, 1] })
    for (const text of [
      '',
      '~',
      'null',
      'True',
      'yes',
      '01',
      '+1',
      '1e3',
      '.5',
      '1.',
      '0x10',
      '1_0',
      '.nan',
      '2024-01-01',
      '9'.repeat(16),
      '-',
      '- a',
      'a: b',
      'a #b',
      '{a}',
      '*a',
    ])
      expect(read(writePlainScalar(text))).toEqual({ a: text, b: [text, 1] })
  })

  it('stays as it is when it is a harmless word', () => {
    for (const text of ['detailed', 'a/b.c-d', '5s', '10.0.0.1:4317', 'Bearer abc']) expect(writePlainScalar(text)).toBe(text)
  })
})
