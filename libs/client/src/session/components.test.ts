import { create } from '@bufbuild/protobuf'
import { AvailableComponentsSchema } from '@drover/protocol'
import { describe, expect, it } from 'vitest'
import { componentsHash, withHash } from './components.ts'

const text = (value: string) => ({ value: { case: 'stringValue' as const, value } })
const components = (map: NonNullable<Parameters<typeof create<typeof AvailableComponentsSchema>>[1]>['components']) =>
  create(AvailableComponentsSchema, { components: map ?? {} }).components

describe('the hash of components', () => {
  const metadata = [
    { key: 'a', value: text('1') },
    { key: 'b', value: text('2') },
  ]

  it('is the same for the same set in any order [AC-02]', () => {
    const a = components({ receivers: { metadata, subComponentMap: { otlp: {}, nop: {} } }, exporters: {} })
    const b = components({ exporters: {}, receivers: { metadata: metadata.toReversed(), subComponentMap: { nop: {}, otlp: {} } } })
    expect(componentsHash(a)).toEqual(componentsHash(b))
  })

  it('is another when anything in the set is', () => {
    const hashes = [
      components({}),
      components({ a: {} }),
      components({ b: {} }),
      components({ a: { subComponentMap: { b: {} } } }),
      components({ a: {}, b: {} }),
      components({ a: { metadata } }),
      components({ a: { metadata: [metadata[0]!] } }), // !: two are there
    ].map((set) => Buffer.from(componentsHash(set)).toString('hex'))
    expect(new Set(hashes).size).toBe(hashes.length)
  })

  it('stays as it was given', () => {
    expect(withHash(create(AvailableComponentsSchema, { hash: Uint8Array.of(1) })).hash).toEqual(Uint8Array.of(1))
  })
})
