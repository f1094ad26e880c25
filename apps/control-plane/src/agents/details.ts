/** One agent in full, for a person: what is in memory together with what only the store has. */
import type { AgentDetail, ConfigFile, DesiredConfig, HealthNode } from '@drover/api'
import { mergeFiles, redactFiles, toYaml } from '@drover/agent-config'
import { drift, heldBack, lastGoodHash, nothingDesired } from '@drover/fleet'
import type { DesiredConfig as FleetDesiredConfig, DriftEntry } from '@drover/fleet'
import type { z } from 'zod'
import type { BlobStore } from '../storage/blob-store.ts'
import type { ReadStore } from '../storage/store.ts'
import { isoTime, summaryOf } from './agent-record.ts'
import type { AgentRecord } from './agent-record.ts'
import type { Assignments } from './assignments.ts'
import type { ComponentSets } from './component-sets.ts'
import type { EffectiveConfigs } from './effective-configs.ts'
import type { Reasons } from './reasons.ts'
import type { RenderedConfigs } from './rendered-configs.ts'
import type { DescriptionValue } from './report-values.ts'
import { readAgent } from './store.ts'
import type { AgentStore } from './store.ts'

export interface DetailsOptions {
  readonly read: ReadStore
  readonly blobs: BlobStore
  readonly agentStore: AgentStore
  readonly components: ComponentSets
  readonly assignments: Assignments
  readonly rendered: RenderedConfigs
  readonly reasons: Reasons
  readonly effectiveConfigs: EffectiveConfigs
  readonly lastSeen: (record: AgentRecord) => number | null
}

export interface EffectiveAnswer {
  readonly hash: string | null
  readonly reportedAt: string | null
  readonly files: ConfigFile[]
}

export class Details {
  readonly #options: DetailsOptions

  constructor(options: DetailsOptions) {
    this.#options = options
  }

  async detail(record: AgentRecord): Promise<AgentDetail> {
    const { lastSeen, components, effectiveConfigs } = this.#options
    effectiveConfigs.redactNow(record)
    const { description, health } = await this.#largeParts(record)
    const set = components.get(record.componentsHash)
    const { reported, connection } = record
    return {
      ...summaryOf(record, lastSeen(record)),
      previousInstanceUids: [...record.previousUids],
      identifyingAttributes: description?.identifying ?? {},
      nonIdentifyingAttributes: description?.nonIdentifying ?? {},
      capabilities: [...record.capabilities.names()],
      customCapabilities: [...record.customCapabilities],
      health,
      remoteConfigStatus: reported === null ? null : { ...reported },
      connectionSettingsStatus: record.settings.status === null ? null : { ...record.settings.status },
      effectiveConfigHash: record.effectiveHash,
      desiredConfigHash: record.desiredHash,
      lastGoodConfigHash: lastGoodHash(record.ledger),
      components: record.componentsHash === null ? null : { hash: record.componentsHash, complete: set?.complete ?? false, items: [...(set?.items ?? [])] },
      connection:
        connection === undefined
          ? null
          : { remoteAddress: connection.remoteAddress, connectedAt: isoTime(connection.connectedAt), credential: connection.principal },
    }
  }

  async effective(record: AgentRecord): Promise<EffectiveAnswer> {
    const { agentStore, blobs, read, effectiveConfigs } = this.#options
    effectiveConfigs.redactNow(record)
    if (record.effectiveHash === null) return { hash: null, reportedAt: null, files: [] }
    await agentStore.flush().catch(() => {})
    const files = (await blobs.getJson(read, record.effectiveHash)) as ConfigFile[] | undefined // as: only the intake writes it
    return { hash: record.effectiveHash, reportedAt: record.effectiveAt === null ? null : isoTime(record.effectiveAt), files: files ?? [] }
  }

  async desired(record: AgentRecord): Promise<DesiredConfig> {
    const { assignments, reasons } = this.#options
    assignments.reassign(record)
    const { assignment } = record
    const rendered = assignments.render(record)
    const config = record.isBack ? await this.#earlier(record) : (rendered?.shown ?? nothingDesired)
    return {
      hash: record.desiredHash,
      state: record.configState,
      reason: reasons.of(record),
      unresolved: (rendered?.unresolved ?? []).map(({ reference, message, place, line, column }) => ({ reference, message, place, line, column })),
      files: config.files.map((file) => ({ ...file })),
      merged: config.merged,
      fragments: config.fragments.map(({ group, priority, revision, config: name, version, file }) => ({
        group,
        priority,
        revision,
        config: name,
        version,
        file,
      })),
      overrides: config.overrides.map(({ path, winner, losers }) => ({ path, winner, losers: [...losers] })),
      skipped: (assignment?.skipped ?? []).map(({ group, reason }) => ({ group, reason })),
      heldBack: heldBack(record.ledger, record.desiredHash),
      drift: record.desiredHash === null ? [] : [...(await this.#drift(record, config.merged))],
    }
  }

  /** What it had before a change that was taken back; its groups may not know it any more. */
  async #earlier({ desiredHash }: AgentRecord): Promise<FleetDesiredConfig> {
    const known = desiredHash === null ? undefined : await this.#options.rendered.load(desiredHash)
    if (known === undefined) return nothingDesired
    return { ...nothingDesired, hash: desiredHash, files: known.shown, merged: toYaml(mergeFiles(known.shown).merged) }
  }

  /** The effective configuration is kept redacted, so both sides are compared so. */
  async #drift(record: AgentRecord, merged: string): Promise<readonly DriftEntry[]> {
    if (merged === '') return []
    const { files } = await this.effective(record)
    const [redacted] = redactFiles([{ name: 'desired.yaml', contentType: 'text/yaml', body: merged }])
    return files.length === 0 ? [] : (drift(redacted?.body ?? '', files) ?? [])
  }

  async #largeParts(record: AgentRecord): Promise<{ description: DescriptionValue | null; health: z.output<typeof HealthNode> | null }> {
    const { agentStore, read } = this.#options
    // A store that cannot write now has what was written before.
    await agentStore.flush().catch(() => {})
    const row = await readAgent(read, record.id)
    const description = record.unsaved?.description ?? row?.description_json ?? null
    const health = record.unsaved?.health ?? row?.health_json ?? null
    return {
      description: description === null ? null : (JSON.parse(description) as DescriptionValue), // as: only the intake writes it
      health: health === null ? null : (JSON.parse(health) as HealthNode), // as: likewise
    }
  }
}
