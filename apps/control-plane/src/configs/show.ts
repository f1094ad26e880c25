/** Configs and versions as the API shows them. */
import type { Config, ConfigFile, ConfigVersion, Finding } from '@drover/api'
import { NotFoundError } from '../http/errors.ts'
import type { ReadStore } from '../storage/store.ts'
import type { ConfigRow, ConfigStore, VersionRow } from './store.ts'

export interface ConfigUse {
  readonly group: string
  readonly version: number
}

export async function findConfig(from: ReadStore, configs: ConfigStore, name: string): Promise<ConfigRow> {
  const row = await configs.find(from, name)
  if (row === undefined) throw new NotFoundError('config', name)
  return row
}

export async function findVersion(from: ReadStore, configs: ConfigStore, name: string, version: number): Promise<VersionRow> {
  const config = await findConfig(from, configs, name)
  const row = version >= config.first_version ? await configs.findVersion(from, name, version) : undefined
  if (row === undefined) throw new NotFoundError('version', `${name}@${version}`)
  return row
}

export async function showConfig(from: ReadStore, configs: ConfigStore, row: ConfigRow, uses: readonly ConfigUse[]): Promise<Config> {
  const latest = await configs.findVersion(from, row.name, row.latest_version)
  if (latest === undefined) throw new Error(`the latest version of config ${row.name} is missing`)
  return {
    name: row.name,
    description: row.description,
    latest: showVersionInfo(latest),
    usedBy: uses.map(({ group, version }) => ({ group, version })),
    createdAt: new Date(row.created_at).toISOString(),
    updatedAt: new Date(row.updated_at).toISOString(),
  }
}

export function showVersionInfo(row: VersionRow): Config['latest'] {
  return {
    version: row.version,
    hash: row.content_hash,
    message: row.message,
    author: row.author,
    createdAt: new Date(row.created_at).toISOString(),
    bytes: row.bytes,
  }
}

export function showVersion(row: VersionRow, files: ConfigFile[]): ConfigVersion {
  return { ...showVersionInfo(row), config: row.config, files, findings: JSON.parse(row.findings_json) as Finding[] } // as: only the store writes it
}

/** A config that was deleted and made again is another one. */
export function etagOf(row: ConfigRow): string {
  return `c${row.first_version}-${row.latest_version}`
}
