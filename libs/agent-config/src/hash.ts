/** SHA-256 over named files: equal exactly when names, content types and bodies are equal, in whatever order they come. */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { ConfigFile } from './config-file.ts'
import { compareFileNames } from './config-file.ts'

/** Lower-case hex. */
export function contentHash(files: readonly ConfigFile[]): string {
  const encoder = new TextEncoder()
  const hash = sha256.create()
  const field = (text: string): void => {
    const bytes = encoder.encode(text)
    // The length in front keeps ('ab', 'c') apart from ('a', 'bc').
    const length = new Uint8Array(4)
    new DataView(length.buffer).setUint32(0, bytes.length)
    hash.update(length).update(bytes)
  }
  for (const file of [...files].toSorted((a, b) => compareFileNames(a.name, b.name))) {
    field(file.name)
    field(file.contentType)
    field(file.body)
  }
  return bytesToHex(hash.digest())
}
