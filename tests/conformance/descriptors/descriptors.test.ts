/** Compares our schema, by reflection and by what messages mean, with the one that opamp-go v0.23.0 compiles in. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { DescField, DescMessage, JsonValue } from '@bufbuild/protobuf'
import { equals, fromJson, ScalarType } from '@bufbuild/protobuf'
import { AgentToServerSchema, file_opamp_v1_anyvalue, file_opamp_v1_opamp, ServerToAgentSchema } from '@drover/protocol'
import { expect, it } from 'vitest'
import { describeWithPeers } from '../../peers/index.ts'

interface Field {
  readonly number: number
  readonly kind: string
  readonly cardinality: string
  readonly type?: string
  readonly oneof?: string
}

interface Schema {
  readonly messages: Record<string, Record<string, Field>>
  readonly enums: Record<string, Record<string, number>>
}

/** What our schema has and v0.23.0 has not, because our specification is newer. Names as in `flatten`. */
const newerThanThePeer: readonly string[] = ['ComponentHealth.attributes 7 repeated message KeyValue']

interface MessageVector {
  readonly name: string
  readonly type: string
  readonly bytes: string
  readonly json?: JsonValue
  readonly error?: string
  readonly limits?: object
}

/** Those with limits say nothing about other decoders. */
const messageVectors = (
  JSON.parse(readFileSync(new URL('../../../libs/protocol/vectors/messages.json', import.meta.url), 'utf8')) as { vectors: MessageVector[] }
).vectors.filter(({ limits }) => limits === undefined) // as: the library's own test checks the file

/** Go takes a field of another type for an unknown one, and its decoder has no limit of depth near ours. */
const stricterThanThePeer: readonly string[] = ['a field of another type', 'health nodes too deep', 'attribute values too deep', 'unknown groups too deep']

function agrees(vector: MessageVector, theirs: JsonValue | undefined): boolean {
  if (vector.error !== undefined || theirs === undefined) return vector.error !== undefined && theirs === undefined
  return meansTheSame(vector.type === 'AgentToServer' ? AgentToServerSchema : ServerToAgentSchema, vector.json ?? {}, theirs)
}

function meansTheSame(desc: DescMessage, ours: JsonValue, theirs: JsonValue): boolean {
  return equals(desc, fromJson(desc, ours), fromJson(desc, theirs))
}

function ourSchema(): Schema {
  const files = [file_opamp_v1_opamp, file_opamp_v1_anyvalue]
  const messages = files
    .flatMap((file) => file.messages)
    .map((message) => [message.name, Object.fromEntries(message.fields.map((field) => [field.name, describeField(field)]))])
  const enums = files.flatMap((file) => file.enums).map((desc) => [desc.name, Object.fromEntries(desc.values.map((value) => [value.name, value.number]))])
  return { messages: Object.fromEntries(messages), enums: Object.fromEntries(enums) }
}

function describeField(field: DescField): Field {
  const type = field.message?.name ?? field.enum?.name
  return {
    number: field.number,
    kind: field.message ? 'message' : field.enum ? 'enum' : scalarName(field.scalar),
    cardinality: field.fieldKind === 'map' ? `map<${scalarName(field.mapKey)}>` : field.fieldKind === 'list' ? 'repeated' : 'optional',
    ...(type !== undefined && { type }),
    ...(field.oneof && { oneof: field.oneof.name }),
  }
}

function scalarName(scalar: ScalarType | undefined): string {
  if (scalar === undefined) throw new Error('a field without message, enum and scalar type')
  return ScalarType[scalar].toLowerCase()
}

/** One line for each message, field, enum and enum value. */
function flatten(schema: Schema): string[] {
  return [
    ...Object.entries(schema.messages).flatMap(([message, fields]) => [
      `message ${message}`,
      ...Object.entries(fields).map(([name, { number, kind, cardinality, type, oneof }]) =>
        [`${message}.${name}`, number, cardinality, kind, type, oneof && `oneof ${oneof}`].filter((part) => part !== undefined).join(' '),
      ),
    ]),
    ...Object.entries(schema.enums).flatMap(([name, values]) => [
      `enum ${name}`,
      ...Object.entries(values).map(([value, number]) => `${name}.${value} ${number}`),
    ]),
  ].toSorted()
}

await describeWithPeers('the schema of opamp-go', ['opamp-descriptors'], (peers) => {
  it('has the messages, fields, numbers, types, oneofs and enum values of ours [IO-04]', () => {
    const theirs = flatten(JSON.parse(execFileSync(peers['opamp-descriptors'], { encoding: 'utf8' })) as Schema) // our own program's output
    const ours = flatten(ourSchema())
    expect(theirs.length).toBeGreaterThan(200)
    expect(ours.filter((line) => !theirs.includes(line))).toEqual(newerThanThePeer)
    expect(theirs.filter((line) => !ours.includes(line))).toEqual([])
  })

  it('reads the message vectors of the protocol library as we do', () => {
    const input = JSON.stringify(messageVectors.map(({ type, bytes }) => ({ type, bytes })))
    const results = JSON.parse(execFileSync(peers['opamp-descriptors'], ['decode'], { encoding: 'utf8', input })) as { json?: JsonValue }[] // our own program's output
    expect(results).toHaveLength(messageVectors.length)
    expect(messageVectors.filter((vector, i) => !agrees(vector, results[i]?.json)).map(({ name }) => name)).toEqual(stricterThanThePeer)
  })
})
