import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseYaml } from './parse.ts'
import { toYaml } from './to-yaml.ts'

const read = (text: string): unknown => {
  const { document, findings } = parseYaml(text, 'f')
  return findings.length > 0 ? findings : document
}

describe('toYaml', () => {
  it('writes as escapes what readers of YAML refuse as it is, in keys and in texts of several lines too', () => {
    for (const character of ['\u0001', '\u007f', '\u0081', '\u0085', '\u2028', '\u2029', '\ufeff', '\ufffe', '\uffff']) {
      const value = { [`k${character}`]: { text: `a${character}b`, lines: `one\n${character}two\n`, list: [character], 'it\'s "quoted"': `'"${character}` } }
      const written = toYaml(value)
      expect(written).not.toContain(character)
      expect(read(written)).toEqual(value)
    }
  })

  it('writes what reads back as the same value', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('\u2028', '\u0085', '\n', ' ', "'", '"', ':', '#', 'a'), maxLength: 8 }),
    )
    fc.assert(
      fc.property(
        fc.dictionary(
          text.filter((key) => key !== '<<' && key !== '__proto__'),
          fc.oneof(text, fc.array(text, { maxLength: 3 })),
          { minKeys: 1, maxKeys: 4 },
        ),
        (value) => {
          expect(read(toYaml(value))).toEqual(value)
        },
      ),
      { numRuns: 1000 },
    )
  })
})
