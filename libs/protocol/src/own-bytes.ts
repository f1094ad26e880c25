/** Gives a decoded message its own copy of every bytes field, so that a 16-byte uid does not keep a whole frame alive. */
import type { DescField, DescMessage, Message } from '@bufbuild/protobuf'
import { ScalarType } from '@bufbuild/protobuf'

type Fields = Record<string, unknown>
type Step = (fields: Fields) => void

const stepsOf = new Map<DescMessage, readonly Step[]>()

export function ownBytes(desc: DescMessage, message: Message): void {
  copyIn(desc, message as unknown as Fields) // a message is an object with its fields by local name
}

function copyIn(desc: DescMessage, fields: Fields): void {
  for (const step of stepsFor(desc)) step(fields)
}

function stepsFor(desc: DescMessage): readonly Step[] {
  let steps = stepsOf.get(desc)
  if (steps === undefined) {
    steps = desc.fields.map(createStep).filter((step) => step !== undefined)
    stepsOf.set(desc, steps)
  }
  return steps
}

function createStep(field: DescField): Step | undefined {
  const copy = createCopy(field)
  if (copy === undefined) return undefined
  if (field.oneof !== undefined) {
    const { localName } = field.oneof
    return (fields) => {
      const choice = fields[localName] as { case?: string; value?: unknown } // the shape of every oneof
      if (choice.case === field.localName) choice.value = copy(choice.value)
    }
  }
  return (fields) => {
    const value = fields[field.localName]
    if (value === undefined) return
    if (field.fieldKind === 'list') for (const item of value as unknown[]) copy(item)
    else if (field.fieldKind === 'map') for (const item of Object.values(value as Fields)) copy(item)
    else fields[field.localName] = copy(value)
  }
}

/** What to do with one value of the field; undefined when it can hold no bytes. The schema has no lists or maps of bytes. */
function createCopy(field: DescField): ((value: unknown) => unknown) | undefined {
  const { message } = field
  if (message !== undefined) {
    if (!holdsBytes(message, new Set())) return undefined
    return (value) => {
      copyIn(message, value as Fields) // the decoder put a message here
      return value
    }
  }
  // Not slice(): on a Node Buffer that gives a view.
  return field.scalar === ScalarType.BYTES ? (value) => new Uint8Array(value as Uint8Array) : undefined
}

function holdsBytes(desc: DescMessage, visited: Set<DescMessage>): boolean {
  if (visited.has(desc)) return false
  visited.add(desc)
  return desc.fields.some((field) => field.scalar === ScalarType.BYTES || (field.message !== undefined && holdsBytes(field.message, visited)))
}
