/** Attribute values as JSON and text. */
import { create } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AttributeJson, anyValueToJson, attributesToJson, attributesToText, keyValues } from './any-value.ts'
import { type AnyValue, AnyValueSchema, type KeyValue, KeyValueSchema } from './gen/opamp/v1/anyvalue_pb.js'

const value = (content: AnyValue['value']): AnyValue => create(AnyValueSchema, { value: content })
const attribute = (key: string, content: AnyValue['value']): KeyValue => create(KeyValueSchema, { key, value: value(content) })
const integer = (number: bigint) => anyValueToJson(value({ case: 'intValue', value: number }))
const double = (number: number) => anyValueToJson(value({ case: 'doubleValue', value: number }))

describe('attribute values as JSON', () => {
  it('are null when nothing is set [AV-01]', () => {
    expect(anyValueToJson(undefined)).toBe(null)
    expect(anyValueToJson(create(AnyValueSchema))).toBe(null)
    expect(attributesToJson([create(KeyValueSchema, { key: 'k' })])).toEqual({ k: null })
  })

  it('may be empty lists and empty maps [AV-02]', () => {
    expect(anyValueToJson(create(AnyValueSchema, { value: { case: 'arrayValue', value: {} } }))).toEqual([])
    expect(anyValueToJson(create(AnyValueSchema, { value: { case: 'kvlistValue', value: {} } }))).toEqual({})
  })

  it('keep the precision of every 64-bit integer', () => {
    expect(integer(-5n)).toBe(-5)
    expect(integer(2n ** 53n - 1n)).toBe(Number.MAX_SAFE_INTEGER)
    expect(integer(2n ** 53n)).toBe('9007199254740992')
    expect(integer(-(2n ** 63n))).toBe('-9223372036854775808')
  })

  it('are text where JSON has no number, and base64 for bytes', () => {
    expect([double(Number.NaN), double(Number.NEGATIVE_INFINITY), double(0.5)]).toEqual(['NaN', '-Infinity', 0.5])
    expect(anyValueToJson(value({ case: 'bytesValue', value: Uint8Array.of(255, 0) }))).toBe('/wA=')
  })

  it('treat __proto__, constructor and toString as plain keys', () => {
    const json = attributesToJson(['__proto__', 'constructor', 'toString'].map((key) => attribute(key, { case: 'stringValue', value: key })))
    expect(Object.keys(json)).toEqual(['__proto__', 'constructor', 'toString'])
    expect(JSON.stringify(json)).toBe('{"__proto__":"__proto__","constructor":"constructor","toString":"toString"}')
    expect(attributesToJson([])['toString']).toBeUndefined()
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  it('take the last of two attributes with one key', () => {
    expect(attributesToJson([attribute('k', { case: 'boolValue', value: true }), attribute('k', { case: 'intValue', value: 2n })])).toEqual({ k: 2 })
  })

  it('mean the same as a list of pairs and as a nested map [AV-03]', () => {
    const json = { a: 1, b: ['x', { c: false }] }
    const [nested] = keyValues({ outer: json })
    expect(anyValueToJson(nested?.value)).toEqual({ ...attributesToJson(keyValues(json)) })
  })

  it('come back from JSON unchanged', () => {
    const json = fc.letrec<{ any: AttributeJson }>((tie) => ({
      any: fc.oneof(
        { maxDepth: 4 },
        fc.constant(null),
        fc.boolean(),
        fc.string(),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.maxSafeInteger(),
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(fc.string(), tie('any'), { maxKeys: 3 }),
      ),
    })).any
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json), (record) => {
        expect(JSON.stringify(attributesToJson(keyValues(record)))).toBe(JSON.stringify(record))
      }),
    )
  })
})

describe('attributes as text', () => {
  it('join nested keys with dots and write lists as JSON', () => {
    const texts = attributesToText(keyValues({ 'host.name': 'web-1', cpus: 8, on: true, gone: null, k8s: { pod: { uid: 'u' }, labels: [1, 'a'] } }))
    expect([...texts]).toEqual([
      ['host.name', 'web-1'],
      ['cpus', '8'],
      ['on', 'true'],
      ['gone', ''],
      ['k8s.pod.uid', 'u'],
      ['k8s.labels', '[1,"a"]'],
    ])
  })
})
