/**
 * The structural scan: reads a message once without building anything, so that depth, counts, lengths and text are
 * known to be sound before the decoder allocates its first object.
 */
import { ProtocolError, type ProtocolErrorCode } from './errors.ts'
import type { DecodeLimits } from './limits.ts'
import { type FieldPlan, type MessagePlan, wireType } from './wire-plan.ts'

/** Throws a ProtocolError that names the field at fault. */
export function scanMessage(plan: MessagePlan, bytes: Uint8Array, limits: DecodeLimits): void {
  if (bytes.length > limits.maxMessageBytes) {
    throw new ProtocolError('too-large', `the message has ${bytes.length} bytes, allowed are ${limits.maxMessageBytes}`)
  }
  new Scan(bytes, limits).message(plan, bytes.length, 1, 0)
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true })

class Scan {
  readonly #bytes: Uint8Array
  readonly #limits: DecodeLimits
  #position = 0
  #elements = 0
  #healthNodes = 0
  #descriptionAttributes = 0
  #descriptionBytes = 0
  readonly #path: string[] = []

  constructor(bytes: Uint8Array, limits: DecodeLimits) {
    this.#bytes = bytes
    this.#limits = limits
  }

  message(plan: MessagePlan, end: number, depth: number, anyValueDepth: number): void {
    if (depth > this.#limits.maxDepth) this.#fail('too-deep', `more than ${this.#limits.maxDepth} messages inside each other`)
    const innerAnyValueDepth = anyValueDepth + this.#count(plan)
    if (innerAnyValueDepth > this.#limits.maxAnyValueDepth) {
      this.#fail('too-deep', `more than ${this.#limits.maxAnyValueDepth} attribute values inside each other`)
    }
    // Two occurrences of the description are merged by the decoder, so they share one count.
    let attributes = plan.counts === 'description' ? this.#descriptionAttributes : 0
    while (this.#position < end) {
      const tag = this.#tag(end)
      const field = plan.fields[tag >>> 3]
      if (field === undefined) {
        this.#unknown(tag, end, depth)
        continue
      }
      if ((tag & 7) !== field.wireType) this.#fail('malformed', 'the field has another type', field.name)
      if (field.isAttribute && ++attributes > this.#limits.maxAttributes) {
        this.#fail('too-many-elements', `more than ${this.#limits.maxAttributes} attributes`, field.name)
      }
      const start = this.#position
      this.#known(field, end, depth, innerAnyValueDepth)
      if (field.isAttribute && plan.counts === 'description') this.#countDescription(this.#position - start, field)
    }
    if (plan.counts === 'description') this.#descriptionAttributes = attributes
  }

  #countDescription(bytes: number, field: FieldPlan): void {
    this.#descriptionBytes += bytes
    if (this.#descriptionBytes > this.#limits.maxDescriptionBytes) {
      this.#fail('too-large', `the attributes together have more than ${this.#limits.maxDescriptionBytes} bytes`, field.name)
    }
  }

  /** Returns by how many the depth of attribute values grows. */
  #count(plan: MessagePlan): 0 | 1 {
    if (plan.counts === 'any-value') return 1
    if (plan.counts === 'health-node' && ++this.#healthNodes > this.#limits.maxHealthNodes) {
      this.#fail('too-many-elements', `more than ${this.#limits.maxHealthNodes} health nodes`)
    }
    return 0
  }

  #known(field: FieldPlan, end: number, depth: number, anyValueDepth: number): void {
    if (field.wireType === wireType.varint) this.#skipVarint(end, field.name)
    else if (field.wireType === wireType.fixed64) this.#skip(8, end, field.name)
    else if (field.wireType === wireType.fixed32) this.#skip(4, end, field.name)
    else this.#content(field, this.#length(end, field.name), depth, anyValueDepth)
  }

  #content(field: FieldPlan, length: number, depth: number, anyValueDepth: number): void {
    const start = this.#position
    if (field.isAttribute && length > this.#limits.maxAttributeBytes) {
      this.#fail('too-large', `an attribute has more than ${this.#limits.maxAttributeBytes} bytes`, field.name)
    }
    if (field.message === undefined) {
      if (field.isText) this.#checkText(start, start + length, field.name)
      this.#position = start + length
      return
    }
    this.#path.push(field.name)
    this.message(field.message, start + length, depth + 1, anyValueDepth)
    this.#path.pop()
  }

  /** Skips a field that this version of the schema does not have. Groups nest without a length, so each is a level. */
  #unknown(tag: number, end: number, depth: number): void {
    switch (tag & 7) {
      case wireType.varint:
        return this.#skipVarint(end)
      case wireType.fixed64:
        return this.#skip(8, end)
      case wireType.fixed32:
        return this.#skip(4, end)
      case wireType.lengthDelimited:
        return this.#skip(this.#length(end), end)
      case wireType.startGroup:
        return this.#skipGroup(tag >>> 3, end, depth + 1)
      default:
        return this.#fail('malformed', 'an unknown wire type, or the end of a group that did not begin')
    }
  }

  #skipGroup(number: number, end: number, depth: number): void {
    if (depth > this.#limits.maxDepth) this.#fail('too-deep', `more than ${this.#limits.maxDepth} groups inside each other`)
    while (this.#position < end) {
      const tag = this.#tag(end)
      if ((tag & 7) !== wireType.endGroup) this.#unknown(tag, end, depth)
      else if (tag >>> 3 === number) return
      else this.#fail('malformed', 'a group ends as another one')
    }
    this.#fail('malformed', 'the message ends inside a group')
  }

  /** Each field of each level begins here, so this is where elements are counted. */
  #tag(end: number): number {
    if (++this.#elements > this.#limits.maxElements) this.#fail('too-many-elements', `more than ${this.#limits.maxElements} fields`)
    const start = this.#position
    const tag = this.#varint(end)
    if (tag > 0xffffffff || this.#position - start > 5 || tag >>> 3 === 0) this.#fail('malformed', 'no field has this number')
    return tag
  }

  /** A length lies within the message around it; larger ones are refused whatever they are, also 2^63 and above. */
  #length(end: number, name?: string): number {
    const length = this.#varint(end, name)
    if (length > end - this.#position) this.#fail('malformed', 'the length reaches beyond the message', name)
    return length
  }

  /** Rounded when it exceeds 2^53, which is more than any tag or length may be. */
  #varint(end: number, name?: string): number {
    let value = 0
    let factor = 1
    const start = this.#position
    for (;;) {
      if (this.#position >= end) this.#fail('malformed', 'the message ends inside a number', name)
      const byte = this.#bytes[this.#position++] ?? 0
      value += (byte & 0x7f) * factor
      if (byte < 0x80) {
        if (this.#position - start === 10 && byte > 1) this.#fail('malformed', 'a number has more than 64 bits', name)
        return value
      }
      if (this.#position - start === 10) this.#fail('malformed', 'a number has more than 10 bytes', name)
      factor *= 0x80
    }
  }

  #skipVarint(end: number, name?: string): void {
    this.#varint(end, name)
  }

  #skip(length: number, end: number, name?: string): void {
    if (length > end - this.#position) this.#fail('malformed', 'the message ends inside a field', name)
    this.#position += length
  }

  #checkText(start: number, end: number, name: string): void {
    let i = start
    while (i < end && (this.#bytes[i] ?? 0) < 0x80) i++
    if (i === end) return
    try {
      strictUtf8.decode(this.#bytes.subarray(i, end))
    } catch (cause) {
      this.#fail('invalid-text', 'the text is not UTF-8', name, cause)
    }
  }

  #fail(code: ProtocolErrorCode, message: string, name?: string, cause?: unknown): never {
    const path = name === undefined ? this.#path : [...this.#path, name]
    // Deep messages have long paths, and errors go to logs and answers.
    const shown = path.length > 8 ? [...path.slice(0, 5), '…', ...path.slice(-2)] : path
    const field = shown.length === 0 ? undefined : shown.join('.')
    throw new ProtocolError(code, field === undefined ? message : `${field}: ${message}`, { field, cause })
  }
}
