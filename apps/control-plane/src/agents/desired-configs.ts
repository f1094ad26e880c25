/** What agents should have: assigned by groups, rendered and serialised once for all agents that share it. */
import { createAssigner, nothingDesired, renderDesired } from '@drover/fleet'
import type { Assigner, Assignment, DesiredConfig, DesiredFile, GroupRule, Lookup } from '@drover/fleet'
import { fromHex } from '@drover/protocol'
import { prepareRemoteConfig } from '@drover/server'
import type { PreparedRemoteConfig } from '@drover/server'
import type { Decisions } from '../seams.ts'

export interface Rendered {
  readonly config: DesiredConfig
  /** For people: `base@3 (group all), edge@1 (group edge)`. */
  readonly source: string
  /** Undefined when nothing is desired. */
  readonly prepared: PreparedRemoteConfig | undefined
}

const nothing: Rendered = { config: nothingDesired, source: '', prepared: undefined }

export class DesiredConfigs {
  readonly #decisions: Decisions
  #groups: readonly GroupRule[] = []
  #assigner: Assigner = createAssigner([])
  #files = new Map<string, readonly DesiredFile[]>()
  readonly #rendered = new Map<string, Rendered>()

  constructor(decisions: Decisions) {
    this.#decisions = decisions
  }

  get groups(): readonly GroupRule[] {
    return this.#groups
  }

  /** Reads what people decided. Assignments made before belong to the past. */
  async reload(): Promise<void> {
    const groups = await this.#decisions.readGroups()
    const files = await this.readFiles(groups)
    this.#groups = groups
    this.#files = files
    this.#assigner = createAssigner(groups)
    this.#rendered.clear()
  }

  /** Files of every version that the groups name; those known already are not read again. */
  async readFiles(groups: readonly Pick<GroupRule, 'configs'>[]): Promise<Map<string, readonly DesiredFile[]>> {
    const files = new Map<string, readonly DesiredFile[]>()
    for (const { config, version } of groups.flatMap((group) => group.configs)) {
      const key = fileKey(config, version)
      if (!files.has(key)) files.set(key, this.#files.get(key) ?? (await this.#decisions.readFiles(config, version)))
    }
    return files
  }

  assign(lookup: Lookup): Assignment {
    return this.#assigner.assign(lookup)
  }

  render(assignment: Assignment): Rendered {
    const known = this.#rendered.get(assignment.key)
    if (known !== undefined) return known
    const rendered = renderWith(assignment, this.#files)
    this.#rendered.set(assignment.key, rendered)
    return rendered
  }
}

export function renderWith(assignment: Assignment, files: ReadonlyMap<string, readonly DesiredFile[]>): Rendered {
  const config = renderDesired(assignment, (name, version) => files.get(fileKey(name, version)) ?? [])
  if (config.hash === null) return nothing
  const source = assignment.refs.map((ref) => `${ref.config}@${ref.version} (group ${ref.group})`).join(', ')
  return { config, source, prepared: prepare(config.hash, config.files) }
}

export function prepare(hash: string, files: readonly DesiredFile[]): PreparedRemoteConfig {
  const encoder = new TextEncoder()
  return prepareRemoteConfig(
    files.map((file) => ({ name: file.name, contentType: file.contentType, body: encoder.encode(file.body) })),
    fromHex(hash),
  )
}

function fileKey(config: string, version: number): string {
  return `${config}@${version}`
}
