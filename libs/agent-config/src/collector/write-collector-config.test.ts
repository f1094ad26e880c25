import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseYaml } from '../parse.ts'
import type { ConfigMap, ConfigValue } from '../value.ts'
import { isMap } from '../value.ts'
import { writeCollectorConfig } from './write-collector-config.ts'

const text = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    'true',
    'Yes',
    '~',
    '0x1F',
    '1e3',
    'E5',
    'a: b',
    'a #b',
    '- a',
    '|',
    'x\ny',
    'x\n',
    'x\n\n',
    '\nx',
    'x\n  y\n',
    'x \ny',
    '\u0085',
    '\u2028',
    'é',
    '😀',
  ),
  fc.string({ maxLength: 10 }),
  fc.string({ unit: fc.constantFrom('a', ' ', '\n', ':', '#', '"'), maxLength: 8 }),
)
const { map: maps } = fc.letrec<{ map: ConfigMap; value: ConfigValue }>((tie) => ({
  map: fc.dictionary(text, tie('value'), { maxKeys: 4 }).map((found) => Object.assign(Object.create(null), found) as ConfigMap), // as: Object.create returns any
  value: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.oneof(fc.boolean(), fc.integer(), fc.double({ noNaN: true }), fc.constant(null)),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('map'),
  ),
}))

/** `-0` is the same number. By itself and not by way of JSON: V8 mixes up keys that are escapes (https://github.com/nodejs/node/issues/63785). */
function comparable(value: ConfigValue | undefined): unknown {
  if (typeof value === 'bigint' || typeof value === 'number') return `number ${Number(value) + 0}`
  if (Array.isArray(value)) return value.map(comparable)
  return isMap(value) ? new Map(Object.entries(value).map(([key, inner]) => [key, comparable(inner)])) : value
}

describe('writeCollectorConfig', () => {
  it('writes what reads back as the same value', () => {
    fc.assert(
      fc.property(
        maps.filter((map) => !JSON.stringify(map).includes('<<')),
        (map) => {
          const { document, findings } = parseYaml(writeCollectorConfig(map), 'written')
          expect(findings).toEqual([])
          expect(comparable(document)).toEqual(comparable(map))
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('gives one text for equal values, whatever their order', () => {
    const one = parseYaml('b: {y: 1, x: [1, {d: 1, c: 2}]}\na: 1\n', '').document ?? {}
    const other = parseYaml('a: 1\nb: {x: [1, {c: 2, d: 1}], y: 1}\n', '').document ?? {}
    expect(writeCollectorConfig(one)).toBe(writeCollectorConfig(other))
    expect(writeCollectorConfig(one)).toBe('a: 1\nb:\n  x:\n    - 1\n    - c: 2\n      d: 1\n  "y": 1\n')
  })

  it('keeps lines of text readable', () => {
    expect(writeCollectorConfig({ a: { b: 'set(x, 1)\n  where y\n' }, c: ['one\ntwo'] })).toBe(
      'a:\n  b: |\n    set(x, 1)\n      where y\nc:\n  - |-\n    one\n    two\n',
    )
  })

  it('writes nothing that a reader of YAML 1.1 takes for something else', () => {
    expect(writeCollectorConfig({ a: 'yes', b: '0o17', c: '12:30:45', d: 'a: b', e: '\u0085', f: '~' })).toBe(
      'a: "yes"\nb: "0o17"\nc: "12:30:45"\nd: "a: b"\ne: "\\u0085"\nf: "~"\n',
    )
    expect(writeCollectorConfig({})).toBe('{}\n')
  })
})
