/** One agent in full, for a person: what is in memory together with what only the store has. */
import { redactFiles } from '@drover/agent-config'
import type { AgentDetail, ConfigFile, DesiredConfig, HealthNode } from '@drover/api'
import { drift, explain, heldBack, lastGoodHash, nothingDesired } from '@drover/fleet'
import type { DriftEntry } from '@drover/fleet'
import type { z } from 'zod'
import type { BlobStore } from '../storage/blob-store.ts'
import type { ReadStore } from '../storage/store.ts'
import { isoTime, summaryOf } from './agent-record.ts'
import type { AgentRecord } from './agent-record.ts'
import type { ComponentSets } from './component-sets.ts'
import type { DesiredConfigs } from './desired-configs.ts'
import type { EffectiveConfigs } from './effective-configs.ts'
import type { Offers } from './offers.ts'
import type { DescriptionValue } from './report-values.ts'
import { readAgent } from './store.ts'
import type { AgentStore } from './store.ts'

export interface DetailsOptions {
  readonly read: ReadStore
  readonly blobs: BlobStore
  readonly agentStore: AgentStore
  readonly components: ComponentSets
  readonly desired: DesiredConfigs
  readonly effectiveConfigs: EffectiveConfigs
  readonly offers: Offers
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
    const { desired, offers } = this.#options
    const decision = offers.explain(record)
    const { assignment } = record
    const config = assignment === undefined ? nothingDesired : desired.render(assignment).config
    return {
      hash: config.hash,
      state: record.configState,
      reason: assignment === undefined ? '' : explain(assignment, decision),
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
      drift: [...(await this.#drift(record, config.merged))],
    }
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
