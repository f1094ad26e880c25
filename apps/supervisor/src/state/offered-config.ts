/** A remote configuration as it was offered: what the protocol and the disk know of it, and its files as text. */
import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire'
import type { ConfigFile } from '@drover/agent-config'
import { type AgentRemoteConfig, AgentRemoteConfigSchema, bytesEqual, toHex } from '@drover/protocol'

export interface OfferedConfig {
  /** In hex, as the Server chose it. Empty when it chose none: then nothing can be reported about it. */
  readonly hash: string
  readonly files: readonly ConfigFile[]
  /** Names of files that are no UTF-8 text. Such a configuration is refused: running something near to it would be worse. */
  readonly garbled: readonly string[]
  /** The `AgentRemoteConfig`, as it is kept on disk. */
  readonly encoded: Uint8Array
}

/** What the good configuration replaced, newest first, while neither it nor what it replaced outlasted its grace. */
export type WayBack = readonly { readonly config: OfferedConfig | undefined }[]

export function offeredConfig(offer: AgentRemoteConfig): OfferedConfig {
  const garbled: string[] = []
  const files = Object.entries(offer.config?.configMap ?? {}).map(([name, { contentType, body }]) => {
    const text = decodeText(body)
    if (text === undefined) garbled.push(name)
    return { name, contentType, body: text ?? '' }
  })
  return { hash: toHex(offer.configHash), files, garbled, encoded: toBinary(AgentRemoteConfigSchema, offer) }
}

function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** Throws when the bytes are no such message. */
export function decodeOfferedConfig(encoded: Uint8Array): OfferedConfig {
  return { ...offeredConfig(fromBinary(AgentRemoteConfigSchema, encoded)), encoded }
}

/** One message after another, each after its length. One without content stands for local files alone. */
export function encodeWayBack(previous: WayBack): Uint8Array {
  const writer = new BinaryWriter()
  for (const { config } of previous) writer.bytes(config?.encoded ?? new Uint8Array())
  return writer.finish()
}

/** Throws when the bytes are nothing of the kind. */
export function decodeWayBack(encoded: Uint8Array): WayBack {
  const reader = new BinaryReader(encoded)
  const previous: { readonly config: OfferedConfig | undefined }[] = []
  while (reader.pos < reader.len) {
    const message = reader.bytes()
    previous.push({ config: message.length === 0 ? undefined : decodeOfferedConfig(message.slice()) })
  }
  return previous
}

/** The same hash may stand for other files when a Server is careless; then it is another configuration. */
export function sameConfig(a: OfferedConfig | undefined, b: OfferedConfig | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a.hash === b.hash && (bytesEqual(a.encoded, b.encoded) || (a.garbled.length + b.garbled.length === 0 && sameFiles(a.files, b.files)))
}

/** A map has no order on the wire, so equal files may come in different bytes. */
function sameFiles(a: readonly ConfigFile[], b: readonly ConfigFile[]): boolean {
  if (a.length !== b.length) return false
  const byName = new Map(b.map((file) => [file.name, file]))
  return a.every((file) => byName.get(file.name)?.body === file.body)
}
