/** Arbitrary messages of any type of the schema, for property tests. */
import { create, type DescField, type DescMessage, type MessageInitShape, type MessageShape, ScalarType } from '@bufbuild/protobuf'
import fc from 'fast-check'

/** Messages nest to a depth of `levels`; lists and maps are short. */
export function arbitraryMessage<Desc extends DescMessage>(desc: Desc, levels = 4): fc.Arbitrary<MessageShape<Desc>> {
  // An object with local names and matching values is an initial value; the types cannot follow a schema read at run time.
  return arbitraryFields(desc, levels).map((init) => create(desc, init as MessageInitShape<Desc>))
}

function arbitraryFields(desc: DescMessage, levels: number): fc.Arbitrary<Record<string, unknown>> {
  const fields = desc.fields.filter((field) => levels > 0 || field.message === undefined)
  const single = fields.filter((field) => field.oneof === undefined).map((field) => [field.localName, arbitraryField(field, levels)] as const)
  const oneofs = desc.oneofs.map((oneof) => {
    const choices = fields.filter((field) => field.oneof === oneof)
    return [oneof.localName, fc.oneof(fc.constant({ case: undefined }), ...choices.map((field) => arbitraryChoice(field, levels)))] as const
  })
  return fc.record(Object.fromEntries<fc.Arbitrary<unknown>>([...single, ...oneofs]), { requiredKeys: [] })
}

function arbitraryChoice(field: DescField, levels: number): fc.Arbitrary<unknown> {
  return arbitraryField(field, levels).map((value) => ({ case: field.localName, value }))
}

function arbitraryField(field: DescField, levels: number): fc.Arbitrary<unknown> {
  switch (field.fieldKind) {
    case 'list':
      return fc.array(arbitraryValue(field, levels), { maxLength: 3 })
    case 'map':
      return fc.dictionary(arbitraryText, arbitraryValue(field, levels), { maxKeys: 3, noNullPrototype: true })
    default:
      return arbitraryValue(field, levels)
  }
}

/** `create` cannot take the key `__proto__`; decoding it has a test of its own. */
const arbitraryText = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((text) => text !== '__proto__')

function arbitraryValue(field: DescField, levels: number): fc.Arbitrary<unknown> {
  if (field.message !== undefined) return arbitraryMessage(field.message, levels - 1)
  if (field.enum !== undefined) return fc.integer({ min: 0, max: 9 })
  switch (field.scalar) {
    case ScalarType.STRING:
      return arbitraryText
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 20 })
    case ScalarType.BOOL:
      return fc.boolean()
    case ScalarType.DOUBLE:
      return fc.double({ noNaN: true })
    case ScalarType.INT64:
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
    default:
      throw new Error(`the schema has no ${field.scalar === undefined ? 'such field' : ScalarType[field.scalar]}`)
  }
}
