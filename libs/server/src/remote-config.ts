/** A remote configuration offer, serialised once for all the agents that get it. */
import { concatBytes, lengthDelimited } from './wire.ts'

export interface ConfigFile {
  /** May be empty when there is only one file. */
  readonly name: string
  /** A hint such as `text/yaml`; may be empty. */
  readonly contentType: string
  readonly body: Uint8Array
}

export interface PreparedRemoteConfig {
  /** Never empty: an agent cannot report on an offer without one. */
  readonly hash: Uint8Array
  /** Field 3 of ServerToAgent as it goes on the wire, tag and length included. */
  readonly encoded: Uint8Array
}

/**
 * Encodes by hand because file names are free text: as keys of a plain object some of them (`__proto__`, `1`) would be lost
 * or change the order. Throws a TypeError for two files of one name and for an empty hash.
 */
export function prepareRemoteConfig(files: readonly ConfigFile[], hash: Uint8Array): PreparedRemoteConfig {
  if (hash.length === 0) throw new TypeError('a remote configuration needs a hash')
  if (new Set(files.map((file) => file.name)).size !== files.length) throw new TypeError('two files of a remote configuration have the same name')
  const configMap = concatBytes(files.map((file) => lengthDelimited(1, encodeEntry(file))))
  const remoteConfig = concatBytes([lengthDelimited(1, configMap), lengthDelimited(2, hash)])
  return { hash: hash.slice(), encoded: lengthDelimited(3, remoteConfig) }
}

/** One entry of `AgentConfigMap.config_map`: the name, then an AgentConfigFile. */
function encodeEntry(file: ConfigFile): Uint8Array {
  const text = new TextEncoder()
  const content = [lengthDelimited(1, file.body)]
  if (file.contentType !== '') content.push(lengthDelimited(2, text.encode(file.contentType)))
  return concatBytes([lengthDelimited(1, text.encode(file.name)), lengthDelimited(2, concatBytes(content))])
}
