import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ConfigFile } from './config-file.ts'
import { mergeFiles } from './merge.ts'
import { mergeValues } from './merge-values.ts'
import { toYaml } from './to-yaml.ts'
import type { ConfigMap } from './value.ts'

const file = (name: string, body: string): ConfigFile => ({ name, contentType: 'text/yaml', body })
const merge = (...bodies: string[]) => mergeFiles(bodies.map((body, index) => file(`${index}.yaml`, body)))

describe('mergeFiles', () => {
  it('merges in the order of names, with the empty name last', () => {
    const { merged } = mergeFiles([file('', 'v: unnamed'), file('b', 'v: b\nb: 1'), file('a', 'v: a\na: 1')])
    expect(merged).toEqual({ v: 'unnamed', a: 1, b: 1 })
    expect(mergeFiles([file('b', 'v: b'), file('a', 'v: a')]).merged).toEqual({ v: 'b' })
  })

  it('orders names by their bytes, not by their UTF-16 units', () => {
    // U+FF5E sorts before U+1F600 as bytes, after it as UTF-16.
    expect(mergeFiles([file('😀', 'v: emoji'), file('～', 'v: tilde')]).merged).toEqual({ v: 'emoji' })
    expect(mergeFiles([file('Z', 'v: Z'), file('a', 'v: a')]).merged).toEqual({ v: 'a' })
    expect(mergeFiles([file('a', 'v: short'), file('ab', 'v: long')]).merged).toEqual({ v: 'long' })
  })

  it('merges maps key by key and replaces lists', () => {
    expect(merge('m: {a: 1, deep: {x: 1}}\nl: [1, 2]', 'm: {b: 2, deep: {y: 2}}\nl: [3]').merged).toEqual({ m: { a: 1, b: 2, deep: { x: 1, y: 2 } }, l: [3] })
  })

  it('replaces a map by an empty value, but not by an empty map', () => {
    expect(merge('receivers: {otlp: {protocols: {grpc: }}}', 'receivers: {otlp: }').merged).toEqual({ receivers: { otlp: null } })
    expect(merge('receivers: {otlp: {protocols: {grpc: }}}', 'receivers: {otlp: {}}').merged).toEqual({ receivers: { otlp: { protocols: { grpc: null } } } })
    expect(merge('a: {x: 1}', 'a: text').merged).toEqual({ a: 'text' })
    expect(merge('a: text', 'a: {x: 1}').merged).toEqual({ a: { x: 1 } })
  })

  it('unites service.extensions in order without repeating any', () => {
    expect(merge('service: {extensions: [a, b]}', 'service: {extensions: [c, a]}', 'service: {extensions: [d]}').merged).toEqual({
      service: { extensions: ['a', 'b', 'c', 'd'] },
    })
  })

  it('does not unite extensions elsewhere, nor with something that is no list', () => {
    expect(merge('extensions: [a]\nx: {service: {extensions: [a]}}', 'extensions: [b]\nx: {service: {extensions: [b]}}').merged).toEqual({
      extensions: ['b'],
      x: { service: { extensions: ['b'] } },
    })
    expect(merge('service: {extensions: [a]}', 'service: {extensions: }').merged).toEqual({ service: { extensions: null } })
    expect(merge('service: {extensions: [a]}', 'service: {telemetry: {}}').merged).toEqual({ service: { extensions: ['a'], telemetry: {} } })
  })

  it('ignores the content type', () => {
    expect(mergeFiles([{ name: 'a', contentType: 'application/json', body: 'a: 1' }]).merged).toEqual({ a: 1 })
  })

  it('says who set a value and who won', () => {
    const { origin, overrides } = mergeFiles([file('b', 'm: {x: 2, y: 2}\nl: [2]'), file('a', 'm: {x: 1, z: 1}\nl: [1]'), file('c', 'm: {x: 3}')])
    expect(origin(['m', 'x'])).toEqual([1, 0, 2])
    expect(origin(['m', 'y'])).toEqual([0])
    expect(origin(['m'])).toEqual([1, 0, 2])
    expect(origin(['l', 0])).toEqual([1, 0])
    expect(origin(['nowhere'])).toEqual([])
    expect(overrides).toEqual([
      { path: 'm.x', winner: 2, losers: [1, 0] },
      { path: 'l', winner: 0, losers: [1] },
    ])
  })

  it('names everything that a replaced map lost', () => {
    expect(merge('a: {x: 1}', 'a: {y: 1}', 'a: gone').overrides).toEqual([{ path: 'a', winner: 2, losers: [0, 1] }])
    expect(merge('a: 1', 'a: {x: 1}', 'a: {x: 2}').overrides).toEqual([
      { path: 'a', winner: 1, losers: [0] },
      { path: 'a.x', winner: 2, losers: [1] },
    ])
  })

  it('does not call the union of extensions an override, and names all its origins', () => {
    const { origin, overrides } = merge('service: {extensions: [a]}', 'service: {extensions: [b]}', 'service: {extensions: [c]}')
    expect(overrides).toEqual([])
    expect(origin(['service', 'extensions'])).toEqual([0, 1, 2])
  })

  it('locates a value in the file that won', () => {
    const { locate } = mergeFiles([file('a', 'm:\n  x: 1\n'), file('b', '# comment\n\nm:\n  x: 2\n')])
    expect(locate(['m', 'x'])).toEqual({ line: 4, column: 3, file: 'b', fileIndex: 1 })
  })

  it('refuses file names that could be paths or repeat', () => {
    for (const name of ['../../etc/passwd', 'a/../b', '/abs', 'nul\u0000', 'back\\slash', 'x'.repeat(300)]) {
      expect(mergeFiles([file(name, 'a: 1')]).findings).toMatchObject([{ severity: 'error', code: 'bad-file-name' }])
    }
    expect(mergeFiles([file('a', 'a: 1'), file('a', 'a: 1')]).findings).toMatchObject([{ code: 'duplicate-file' }])
    expect(mergeFiles([file('ns/name', 'a: 1'), file('a..b', 'a: 1'), file('', '')]).findings).toMatchObject([{ severity: 'warning', code: 'empty-file' }])
  })

  it('refuses too many files and too many bytes together', () => {
    const many = Array.from({ length: 1000 }, (_, index) => file(`f${index}`, 'a: 1'))
    expect(mergeFiles(many).findings).toMatchObject([{ code: 'too-many-files' }])
    const large = Array.from({ length: 4 }, (_, index) => file(`f${index}`, `a: "${'x'.repeat(1_000_000)}"`))
    expect(mergeFiles(large).findings).toMatchObject([{ code: 'too-large' }])
  })

  it('leaves out what it cannot read and says so', () => {
    const { merged, findings } = mergeFiles([file('a', 'a: 1'), file('b', 'b: [')])
    expect(merged).toEqual({ a: 1 })
    expect(findings[0]).toMatchObject({ severity: 'error', file: 'b', line: 1 })
  })
})

const keys = fc.constantFrom('a', 'b', 'c', 'service', 'extensions', '__proto__')
const scalars = fc.oneof(fc.integer(), fc.boolean(), fc.constant(null), fc.string({ maxLength: 8 }))
const { map: maps } = fc.letrec<{ map: ConfigMap; value: unknown }>((tie) => ({
  map: fc.dictionary(keys, tie('value') as fc.Arbitrary<never>, { maxKeys: 4, noNullPrototype: false }) as fc.Arbitrary<ConfigMap>,
  value: fc.oneof({ maxDepth: 4 }, scalars, fc.array(scalars, { maxLength: 3 }), tie('map')),
}))
/** Maps all the way down and numbers at the ends, in the same places: nothing replaces a map. */
const sameShape = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.dictionary(fc.constantFrom('x', 'y'), fc.integer()), {
  noNullPrototype: false,
}) as fc.Arbitrary<ConfigMap>
const plain = (value: unknown) => JSON.parse(JSON.stringify(value))

describe('mergeValues', () => {
  it('has the empty map as identity on either side, apart from shared lists', () => {
    fc.assert(
      fc.property(maps, (map) => {
        expect(plain(mergeValues(map, {}))).toEqual(plain(map))
        expect(plain(mergeValues({}, map))).toEqual(plain(map))
      }),
    )
  })

  it('gives the same when merged with itself again', () => {
    fc.assert(
      fc.property(maps, maps, (a, b) => {
        const once = mergeValues(a, b)
        const again = plain(mergeValues(once, b))
        expect(again).toEqual(plain(mergeValues(mergeValues(once, b), b)))
      }),
    )
  })

  it('is associative as long as no file puts something else in the place of a map', () => {
    fc.assert(
      fc.property(sameShape, sameShape, sameShape, (a, b, c) => {
        expect(plain(mergeValues(mergeValues(a, b), c))).toEqual(plain(mergeValues(a, mergeValues(b, c))))
      }),
    )
  })

  it('changes neither argument', () => {
    fc.assert(
      fc.property(maps, maps, (a, b) => {
        const before = [JSON.stringify(a), JSON.stringify(b)]
        mergeValues(a, b)
        expect([JSON.stringify(a), JSON.stringify(b)]).toEqual(before)
      }),
    )
  })

  it('agrees with merging the same values as files', () => {
    fc.assert(
      fc.property(maps, maps, (a, b) => {
        const { merged, findings } = mergeFiles([file('1', toYaml(a)), file('2', toYaml(b))])
        expect(findings.filter(({ severity }) => severity === 'error')).toEqual([])
        expect(plain(merged)).toEqual(plain(mergeValues(mergeValues({}, a), b)))
      }),
    )
  })
})
