/** The hash of an Agent's components: the same for the same set, on every Agent. */
import { createHash, type Hash } from 'node:crypto'
import { toBinary } from '@bufbuild/protobuf'
import { type AvailableComponents, type ComponentDetails, type KeyValue, KeyValueSchema } from '@drover/protocol'

/** Stands before everything else, so that the hash of something else can never equal that of components. */
const domain = 'drover components 1'

/** SHA-256 over names, metadata and sub-components, each level in the order of its names; metadata in the order of keys. */
export function componentsHash(components: AvailableComponents['components']): Uint8Array {
  const hash = createHash('sha256')
  update(hash, domain)
  updateMap(hash, components)
  return new Uint8Array(hash.digest())
}

/** With a hash: the one that is there, or a computed one. */
export function withHash(components: AvailableComponents): AvailableComponents {
  return components.hash.length > 0 ? components : { ...components, hash: componentsHash(components.components) }
}

function updateMap(hash: Hash, components: Readonly<Record<string, ComponentDetails>>): void {
  const names = Object.keys(components).toSorted()
  update(hash, String(names.length))
  for (const name of names) {
    const details = components[name]! // !: one of its keys
    update(hash, name)
    const metadata = details.metadata.toSorted(byKey)
    update(hash, String(metadata.length))
    for (const item of metadata) update(hash, toBinary(KeyValueSchema, item))
    updateMap(hash, details.subComponentMap)
  }
}

/** By code units, as the order of names must not depend on a locale. */
function byKey(a: KeyValue, b: KeyValue): number {
  if (a.key === b.key) return 0
  return a.key < b.key ? -1 : 1
}

/** Length first, so that no two sequences of parts run together to the same bytes. */
function update(hash: Hash, part: string | Uint8Array): void {
  const bytes = Buffer.from(part)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  hash.update(length).update(bytes)
}
