/** Configurations that were offered, by hash: what an agent goes back to must be there whatever became of its groups. */
import { baselineConfig, hashFiles } from '@drover/fleet'
import type { DesiredFile } from '@drover/fleet'
import type { PreparedRemoteConfig } from '@drover/server'
import type { Sealer } from '../seams.ts'
import type { BlobStore } from '../storage/blob-store.ts'
import type { ReadStore, Tx } from '../storage/store.ts'
import type { ComponentSet } from './component-sets.ts'
import { prepare } from './desired-state.ts'
import type { AgentStore } from './store.ts'

export interface KnownConfig {
  readonly prepared: PreparedRemoteConfig
  readonly source: string
  /** For people, without the values of secrets. */
  readonly shown: readonly DesiredFile[]
}

/** What is offered: with the values of secrets. */
export interface OfferedFiles {
  readonly files: readonly DesiredFile[]
  readonly hasSecrets: boolean
}

export interface RenderedConfigsOptions {
  readonly store: AgentStore
  readonly read: ReadStore
  readonly blobs: BlobStore
  readonly sealer: Pick<Sealer, 'seal' | 'open'>
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
    const body = row === undefined ? undefined : await this.#options.blobs.get(this.#options.read, row.blob_hash)
    if (row === undefined || body === undefined) return undefined
    this.#saved.add(hash)
    const { files, shown } = this.#unpack(hash, body, row.sealed === 1)
    return this.#remember(hash, { prepared: prepare(hash, files), source: row.source, shown })
  }

  /** Written with the attempt that offers it. */
  save(hash: string, offered: OfferedFiles, known: KnownConfig): void {
    this.#remember(hash, known)
    if (this.#saved.has(hash)) return
    this.#saved.add(hash)
    const { store, now } = this.#options
    store.also(async (tx) => {
      const blobHash = await this.#put(tx, hash, offered, known)
      await tx
        .insertInto('rendered_configs')
        .values({ hash, blob_hash: blobHash, source: known.source, sealed: offered.hasSecrets ? 1 : 0, created_at: now() })
        .onConflict((conflict) => conflict.column('hash').doNothing())
        .execute()
    })
  }

  /** Forgets those that no attempt speaks of any more. */
  async prune(tx: Tx, before: number): Promise<void> {
    // What is offered from here on is written again, if it is not there.
    this.#saved.clear()
    await tx
      .deleteFrom('rendered_configs')
      .where('created_at', '<', before)
      .where('hash', 'not in', [...this.#known.keys()])
      .where(({ not, exists, selectFrom }) => not(exists(selectFrom('attempts').select('attempts.id').whereRef('attempts.hash', '=', 'rendered_configs.hash'))))
      .execute()
  }

  #put(tx: Tx, hash: string, { files, hasSecrets }: OfferedFiles, { shown }: KnownConfig): Promise<string> {
    const { blobs, sealer } = this.#options
    return hasSecrets ? blobs.put(tx, sealer.seal(JSON.stringify({ files, shown }), sealContext(hash))) : blobs.putJson(tx, files)
  }

  #unpack(hash: string, body: Uint8Array, sealed: boolean): { files: readonly DesiredFile[]; shown: readonly DesiredFile[] } {
    if (sealed) return JSON.parse(this.#options.sealer.open(body, sealContext(hash))) as { files: DesiredFile[]; shown: DesiredFile[] } // as: only #put() writes it
    const files = JSON.parse(new TextDecoder().decode(body)) as DesiredFile[] // as: likewise
    return { files, shown: files }
  }

  /** What works on any agent with these components; undefined: nothing does. */
  baseline(components: ComponentSet | undefined): Baseline | undefined {
    const key = components?.complete === true ? components.hash : ''
    if (!this.#baselines.has(key)) {
      const files = baselineConfig(key === '' ? undefined : components?.items)
      const hash = files === undefined ? '' : hashFiles(files)
      this.#baselines.set(
        key,
        files === undefined ? undefined : { hash, files, known: { prepared: prepare(hash, files), source: 'baseline without pipelines', shown: files } },
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

function sealContext(hash: string): string {
  return `rendered configuration ${hash}`
}
