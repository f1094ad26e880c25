/** What may stand on the wire in each message, compiled from the schema for the structural scan. */
import type { DescField, DescMessage } from '@bufbuild/protobuf'
import { ScalarType } from '@bufbuild/protobuf'
import { AnyValueSchema, KeyValueListSchema, KeyValueSchema } from './gen/opamp/v1/anyvalue_pb.js'
import { AgentDescriptionSchema, ComponentHealthSchema } from './gen/opamp/v1/opamp_pb.js'

export const wireType = { varint: 0, fixed64: 1, lengthDelimited: 2, startGroup: 3, endGroup: 4, fixed32: 5 } as const

export interface FieldPlan {
  readonly name: string
  readonly wireType: number
  /** Must be valid UTF-8. */
  readonly isText: boolean
  /** Holds attributes proper, not the pairs inside an attribute's value. */
  readonly isAttribute: boolean
  readonly message: MessagePlan | undefined
}

export interface MessagePlan {
  /** What the scan counts when it meets this message. */
  readonly counts: 'health-node' | 'any-value' | 'description' | 'nothing'
  /** By field number. */
  readonly fields: readonly (FieldPlan | undefined)[]
}

const plans = new Map<DescMessage, MessagePlan>()

export function planMessage(desc: DescMessage): MessagePlan {
  const known = plans.get(desc)
  if (known !== undefined) return known
  const fields: (FieldPlan | undefined)[] = []
  const plan: MessagePlan = { counts: whatCounts(desc), fields }
  // Registered before its fields, because messages contain themselves.
  plans.set(desc, plan)
  for (const field of desc.fields) fields[field.number] = planField(field)
  return plan
}

function whatCounts(desc: DescMessage): MessagePlan['counts'] {
  switch (desc.typeName) {
    case ComponentHealthSchema.typeName:
      return 'health-node'
    case AnyValueSchema.typeName:
      return 'any-value'
    case AgentDescriptionSchema.typeName:
      return 'description'
    default:
      return 'nothing'
  }
}

function planField(field: DescField): FieldPlan {
  return {
    name: field.name,
    wireType: wireTypeOf(field),
    isText: isText(field),
    isAttribute: field.message?.typeName === KeyValueSchema.typeName && field.parent.typeName !== KeyValueListSchema.typeName,
    message: field.fieldKind === 'map' ? planMapEntry(field) : field.message && planMessage(field.message),
  }
}

type MapField = DescField & { fieldKind: 'map' }

/** On the wire a map is a list of messages with a key and a value. */
function planMapEntry(field: MapField): MessagePlan {
  const common = { isAttribute: false }
  const key = { ...common, name: 'key', wireType: wireTypeOfScalar(field.mapKey), isText: field.mapKey === ScalarType.STRING, message: undefined }
  const value = {
    ...common,
    name: 'value',
    wireType: field.mapKind === 'scalar' ? wireTypeOfScalar(field.scalar) : field.mapKind === 'enum' ? wireType.varint : wireType.lengthDelimited,
    isText: field.mapKind === 'scalar' && field.scalar === ScalarType.STRING,
    message: field.mapKind === 'message' ? planMessage(field.message) : undefined,
  }
  return { counts: 'nothing', fields: [undefined, key, value] }
}

function isText(field: DescField): boolean {
  return (field.fieldKind === 'scalar' || (field.fieldKind === 'list' && field.listKind === 'scalar')) && field.scalar === ScalarType.STRING
}

function wireTypeOf(field: DescField): number {
  switch (field.fieldKind) {
    case 'scalar':
      return wireTypeOfScalar(field.scalar)
    case 'enum':
      return wireType.varint
    case 'message':
    case 'map':
      return wireType.lengthDelimited
    case 'list':
      // OpAMP has lists of strings and messages. Lists of numbers come packed and unpacked, which a scan must know.
      if (field.listKind === 'message' || field.scalar === ScalarType.STRING) return wireType.lengthDelimited
      throw new Error(`the scan does not know lists such as ${field.name}`)
    default:
      return field satisfies never
  }
}

function wireTypeOfScalar(scalar: ScalarType): number {
  switch (scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return wireType.lengthDelimited
    case ScalarType.DOUBLE:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return wireType.fixed64
    case ScalarType.FLOAT:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return wireType.fixed32
    default:
      return wireType.varint
  }
}
