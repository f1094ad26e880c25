/** Attribute values as JSON and as text. */
import { create } from '@bufbuild/protobuf'
import { base64Encode } from '@bufbuild/protobuf/wire'
import { type AnyValue, AnyValueSchema, type KeyValue, KeyValueSchema } from './gen/opamp/v1/anyvalue_pb.js'

export type AttributeJson = null | boolean | number | string | AttributeJson[] | { [key: string]: AttributeJson }

/**
 * A value as JSON. What JSON cannot hold becomes a string: integers beyond 2^53 in decimal, bytes in base64, and `NaN`,
 * `Infinity`, `-Infinity`. Objects have no prototype, so that a key such as `__proto__` is plain data.
 */
export function anyValueToJson(value: AnyValue | undefined): AttributeJson {
  const content = value?.value
  switch (content?.case) {
    case undefined:
      return null
    case 'stringValue':
    case 'boolValue':
      return content.value
    case 'intValue':
      return isSafe(content.value) ? Number(content.value) : content.value.toString()
    case 'doubleValue':
      return Number.isFinite(content.value) ? content.value : String(content.value)
    case 'bytesValue':
      return base64Encode(content.value)
    case 'arrayValue':
      return content.value.values.map(anyValueToJson)
    case 'kvlistValue':
      return attributesToJson(content.value.values)
    default:
      return content satisfies never
  }
}

/** Where a key occurs twice, the last one counts. The result has no prototype. */
export function attributesToJson(list: readonly KeyValue[]): Record<string, AttributeJson> {
  const attributes = Object.create(null) as Record<string, AttributeJson> // Object.create returns any
  for (const { key, value } of list) attributes[key] = anyValueToJson(value)
  return attributes
}

/**
 * Attributes as selectors see them: text by key. Nested keys are joined with dots, lists are written as JSON, null is
 * the empty text.
 */
export function attributesToText(list: readonly KeyValue[]): Map<string, string> {
  const texts = new Map<string, string>()
  collectTexts(list, '', texts)
  return texts
}

function collectTexts(list: readonly KeyValue[], prefix: string, texts: Map<string, string>): void {
  for (const { key, value } of list) {
    const path = prefix + key
    if (value?.value.case === 'kvlistValue') collectTexts(value.value.value.values, `${path}.`, texts)
    else texts.set(path, toText(anyValueToJson(value)))
  }
}

function toText(json: AttributeJson): string {
  if (json === null) return ''
  return typeof json === 'object' ? JSON.stringify(json) : String(json)
}

/** The way back: whole numbers up to 2^53 become integers, others doubles. */
export function keyValues(attributes: Readonly<Record<string, AttributeJson>>): KeyValue[] {
  return Object.entries(attributes).map(([key, json]) => create(KeyValueSchema, { key, value: anyValueFromJson(json) }))
}

function anyValueFromJson(json: AttributeJson): AnyValue {
  return create(AnyValueSchema, { value: contentFromJson(json) })
}

function contentFromJson(json: AttributeJson): AnyValue['value'] {
  if (json === null) return { case: undefined }
  if (typeof json === 'string') return { case: 'stringValue', value: json }
  if (typeof json === 'boolean') return { case: 'boolValue', value: json }
  if (typeof json === 'number') return contentFromNumber(json)
  const list = create(AnyValueSchema, {
    value: Array.isArray(json)
      ? { case: 'arrayValue', value: { values: json.map(anyValueFromJson) } }
      : { case: 'kvlistValue', value: { values: keyValues(json) } },
  })
  return list.value
}

function contentFromNumber(number: number): AnyValue['value'] {
  // -0 has no integer form.
  const isInteger = Number.isSafeInteger(number) && !Object.is(number, -0)
  return isInteger ? { case: 'intValue', value: BigInt(number) } : { case: 'doubleValue', value: number }
}

function isSafe(integer: bigint): boolean {
  return integer >= BigInt(Number.MIN_SAFE_INTEGER) && integer <= BigInt(Number.MAX_SAFE_INTEGER)
}
