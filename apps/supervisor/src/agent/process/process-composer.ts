/** From the sources to the one file that a program reads. Nothing is merged: its format is not known here. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { ConfigFile } from '@drover/agent-config'
import { ConfigRejectedError } from '../agent.ts'
import type { ComposedConfig, ConfigSources } from '../agent.ts'

export interface ProcessConfig extends ComposedConfig {
  readonly contentType: string
  /** It was there before any was offered, so the Server does not know what is in it. */
  readonly isLocal: boolean
}

/**
 * The body of the one offered file that is not empty, whatever its name. While none was offered: what is on disk, of which the first path counts that
 * there is; where there is nothing, nothing is run.
 */
export function composeForProcess(name: string, { remote, fallback }: ConfigSources, localPaths: readonly string[]): ProcessConfig {
  const offered = fallback ?? remote
  if (offered === undefined) return localConfig(localPaths)
  const filled = offered.filter(({ body }) => body.trim() !== '')
  const [file, ...more] = filled
  if (more.length > 0)
    throw new ConfigRejectedError(
      `${name} reads one configuration file, and ${filled.length} were offered: ${filled.map(({ name: key }) => JSON.stringify(key)).join(', ')}`,
    )
  return file === undefined ? nothing : composed(file, false)
}

const nothing: ProcessConfig = { text: '', fingerprint: fingerprintOf(''), runsNothing: true, contentType: '', isLocal: false }

function localConfig(paths: readonly string[]): ProcessConfig {
  for (const path of paths) {
    try {
      return composed({ name: '', contentType: '', body: readFileSync(path, 'utf8') }, true)
    } catch {
      // not there, or not to be read
    }
  }
  return nothing
}

function composed({ body, contentType }: ConfigFile, isLocal: boolean): ProcessConfig {
  return { text: body, fingerprint: fingerprintOf(body), runsNothing: false, contentType, isLocal }
}

function fingerprintOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
