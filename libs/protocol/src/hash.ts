/** The hash by which a Server names a configuration. */
import { sha256 } from '@noble/hashes/sha2.js'

export interface HashedFile {
  readonly name: string
  readonly contentType: string
  readonly body: Uint8Array
}

/** Stands before everything else, so that the hash of something else can never equal that of a configuration. */
const domain = 'drover config 1'

/**
 * SHA-256 over the files in the order of their names' UTF-8 bytes: the domain, then name, content type and body of
 * each file, every one of these preceded by its length in bytes as 8 bytes, highest first. The order in which files
 * are given does not matter, everything else does. A configuration without files has a hash too: on the wire, an empty
 * hash would mean that there is none.
 *
 * Throws a RangeError when two files have the same name, as a configuration map cannot hold both.
 */
export function configHash(files: Iterable<HashedFile>): Uint8Array {
  const text = new TextEncoder()
  const named = Array.from(files, (file) => ({ file, name: text.encode(file.name) })).toSorted((a, b) => compareBytes(a.name, b.name))
  const hash = sha256.create()
  const update = (part: Uint8Array) => {
    const length = new DataView(new ArrayBuffer(8))
    length.setBigUint64(0, BigInt(part.length))
    hash.update(new Uint8Array(length.buffer)).update(part)
  }
  update(text.encode(domain))
  named.forEach(({ file, name }, i) => {
    const next = named[i + 1]
    if (next !== undefined && compareBytes(name, next.name) === 0) throw new RangeError('two files of a configuration have the same name')
    update(name)
    update(text.encode(file.contentType))
    update(file.body)
  })
  return hash.digest()
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}
