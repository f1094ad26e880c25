/** Configurations that were offered, by hash: what an agent goes back to must be there whatever became of its groups. */
import { baselineConfig, hashFiles } from '@drover/fleet'
import type { DesiredFile } from '@drover/fleet'
import type { PreparedRemoteConfig } from '@drover/server'
import type { BlobStore } from '../storage/blob-store.ts'
import type { ReadStore } from '../storage/store.ts'
import type { ComponentSet } from './component-sets.ts'
import { prepare } from './desired-configs.ts'
import type { AgentStore } from './store.ts'

export interface KnownConfig {
  readonly prepared: PreparedRemoteConfig
  readonly source: string
}

export interface RenderedConfigsOptions {
  readonly store: AgentStore
  readonly read: ReadStore
  readonly blobs: BlobStore
  readonly now: () => number
}

export interface Baseline {
  readonly hash: string
  readonly files: readonly DesiredFile[]
  readonly known: KnownConfig
}

const MAX_KNOWN = 500

export class RenderedConfigs {
  readonly #options: RenderedConfigsOptions
  readonly #known = new Map<string, KnownConfig>()
  readonly #saved = new Set<string>()
  readonly #baselines = new Map<string, Baseline | undefined>()

  constructor(options: RenderedConfigsOptions) {
    this.#options = options
  }

  /** In memory already? */
  known(hash: string): KnownConfig | undefined {
    return this.#known.get(hash)
  }

  /** From the store if need be; undefined when it was never offered by this server. */
  async load(hash: string): Promise<KnownConfig | undefined> {
    const known = this.#known.get(hash)
    if (known !== undefined) return known
    const row = await this.#options.read.selectFrom('rendered_configs').selectAll().where('hash', '=', hash).executeTakeFirst()
    const files = row === undefined ? undefined : await this.#options.blobs.getJson(this.#options.read, row.blob_hash)
    if (row === undefined || files === undefined) return undefined
    this.#saved.add(hash)
    return this.#remember(hash, { prepared: prepare(hash, files as readonly DesiredFile[]), source: row.source }) // as: only save() writes it
  }

  /** Written with the attempt that offers it. */
  save(hash: string, files: readonly DesiredFile[], known: KnownConfig): void {
    this.#remember(hash, known)
    if (this.#saved.has(hash)) return
    this.#saved.add(hash)
    const { store, blobs, now } = this.#options
    store.also(async (tx) => {
      const blobHash = await blobs.putJson(tx, files)
      await tx
        .insertInto('rendered_configs')
        .values({ hash, blob_hash: blobHash, source: known.source, created_at: now() })
        .onConflict((conflict) => conflict.column('hash').doNothing())
        .execute()
    })
  }

  /** What works on any agent with these components; undefined: nothing does. */
  baseline(components: ComponentSet | undefined): Baseline | undefined {
    const key = components?.complete === true ? components.hash : ''
    if (!this.#baselines.has(key)) {
      const files = baselineConfig(key === '' ? undefined : components?.items)
      const hash = files === undefined ? '' : hashFiles(files)
      this.#baselines.set(
        key,
        files === undefined ? undefined : { hash, files, known: { prepared: prepare(hash, files), source: 'baseline without pipelines' } },
      )
    }
    return this.#baselines.get(key)
  }

  #remember(hash: string, known: KnownConfig): KnownConfig {
    if (this.#known.size >= MAX_KNOWN) this.#known.clear()
    this.#known.set(hash, known)
    return known
  }
}
