/** Effective configurations on their way to the store: secrets are taken out between other work, and never twice from the same text. */
import { createHmac, createSecretKey, randomBytes } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { redactFiles } from '@drover/agent-config'
import type { EffectiveConfig } from '@drover/protocol'
import { StoreUnavailableError } from '../storage/errors.ts'
import type { BlobStore } from '../storage/blob-store.ts'
import type { Store, Tx } from '../storage/store.ts'
import type { AgentRecord } from './agent-record.ts'
import { sha256Hex } from './report-values.ts'
import type { AgentStore } from './store.ts'

export interface EffectiveConfigsOptions {
  readonly store: Pick<AgentStore, 'changed' | 'together'>
  readonly blobs: Pick<BlobStore, 'put'>
  /** Under which texts are known again; see `readMacKey`. */
  readonly macKey: KeyObject
  readonly intern: (text: string) => string
  readonly now: () => number
  /** Takes known secrets out of a text. */
  readonly redact: (text: string) => string
  readonly log: { error(fields: object, message: string): void }
  readonly maxWaitingBytes?: number
}

interface Reported {
  readonly config: EffectiveConfig
  readonly mac: string
  readonly bytes: number
}

/** So long the event loop is kept from other work; a single text may take longer. */
const SLICE_MS = 5
/** Beyond this, a report is redacted before it is answered: agents that come faster than that have to wait. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024
/** The rest is reported again when the agents come back. */
const STOP_MS = 2000
/** Small fleets made from one template report the same text. */
const MAX_RECENT = 50
const MAX_RECENT_LENGTH = 64 * 1024

export class EffectiveConfigs {
  readonly #options: EffectiveConfigsOptions
  readonly #waiting = new Map<AgentRecord, Reported>()
  #waitingBytes = 0
  #running: Promise<void> | undefined
  readonly #recent = new Map<string, string>()
  /** One function for all agents, so that bodies are written together. */
  readonly #put = async (tx: Tx, bodies: readonly string[]): Promise<void> => {
    for (const body of new Set(bodies)) await this.#options.blobs.put(tx, new TextEncoder().encode(body))
  }

  constructor(options: EffectiveConfigsOptions) {
    this.#options = options
  }

  /** `record.effectiveHash` follows soon. */
  take(record: AgentRecord, config: EffectiveConfig): void {
    const reported = { config, mac: macOf(config, this.#options.macKey), bytes: bytesOf(config) }
    this.#drop(record)
    record.effectiveAt = this.#options.now()
    if (record.effectiveHash !== null && record.effectiveMac === reported.mac) return
    this.#waiting.set(record, reported)
    this.#waitingBytes += reported.bytes
    if (this.#waitingBytes > (this.#options.maxWaitingBytes ?? MAX_WAITING_BYTES)) this.redactNow(record)
    else this.#running ??= this.#work().finally(() => (this.#running = undefined))
  }

  /** For whoever needs it at once. */
  redactNow(record: AgentRecord): void {
    const reported = this.#drop(record)
    if (reported === undefined || record.forgotten) return
    const { store, intern } = this.#options
    const json = this.#redact(reported)
    record.effectiveHash = intern(sha256Hex(json))
    record.effectiveMac = reported.mac
    store.changed(record)
    store.together(this.#put, json)
  }

  /** More secrets are known: what was redacted so far does not count any more. */
  forgetRedacted(): void {
    this.#recent.clear()
  }

  /** Resolves when nothing waits. */
  async settled(): Promise<void> {
    await this.#running
  }

  /** Gives what waits a moment, and lets go of the rest. */
  async stop(): Promise<void> {
    const timeUp = new AbortController()
    await Promise.race([this.settled(), setTimeout(STOP_MS, undefined, { signal: timeUp.signal }).catch(() => {})])
    timeUp.abort()
    this.#waiting.clear()
    await this.settled()
  }

  async #work(): Promise<void> {
    while (this.#waiting.size > 0) {
      await setImmediate()
      const end = performance.now() + SLICE_MS
      for (const record of this.#waiting.keys()) {
        this.#redactSafely(record)
        if (performance.now() >= end) break
      }
    }
  }

  #redactSafely(record: AgentRecord): void {
    try {
      this.redactNow(record)
    } catch (error) {
      this.#options.log.error({ err: error, agent: record.id }, 'effective configuration dropped: it cannot be redacted')
    }
  }

  #redact({ config, mac }: Reported): string {
    const known = this.#recent.get(mac)
    if (known !== undefined) return known
    const decoder = new TextDecoder()
    const files = Object.entries(config.configMap?.configMap ?? {})
    const json = JSON.stringify(
      redactFiles(
        files.map(([name, file]) => ({ name, contentType: file.contentType, body: decoder.decode(file.body) })),
        this.#options.redact,
      ),
    )
    const [oldest] = this.#recent.keys()
    if (this.#recent.size >= MAX_RECENT && oldest !== undefined) this.#recent.delete(oldest)
    if (json.length <= MAX_RECENT_LENGTH) this.#recent.set(mac, json)
    return json
  }

  #drop(record: AgentRecord): Reported | undefined {
    const reported = this.#waiting.get(record)
    if (reported === undefined) return undefined
    this.#waiting.delete(record)
    this.#waitingBytes -= reported.bytes
    return reported
  }
}

function macOf(config: EffectiveConfig, key: KeyObject): string {
  const mac = createHmac('sha256', key)
  for (const [name, { contentType, body }] of Object.entries(config.configMap?.configMap ?? {})) {
    mac.update(JSON.stringify([name, contentType, body.length])).update(body)
  }
  return mac.digest('base64url')
}

function bytesOf(config: EffectiveConfig): number {
  return Object.values(config.configMap?.configMap ?? {}).reduce((sum, file) => sum + file.body.length, 0)
}

const META_KEY = 'effective_config_mac_key'

/** The key, made at first. Another version of the program may redact otherwise, so it begins with another key. */
export async function readMacKey(store: Pick<Store, 'read' | 'transaction'>, version: string): Promise<KeyObject> {
  const row = await store.read.selectFrom('meta').select('value').where('key', '=', META_KEY).executeTakeFirst()
  const [madeBy, hex] = row?.value.split(' ') ?? []
  if (madeBy === version && hex !== undefined) return createSecretKey(hex, 'hex')
  const key = randomBytes(32).toString('hex')
  const value = `${version} ${key}`
  try {
    await store.transaction((tx) =>
      tx
        .insertInto('meta')
        .values({ key: META_KEY, value })
        .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
        .execute(),
    )
  } catch (error) {
    // Without the key on disk, everything is redacted once more after the next start.
    if (!(error instanceof StoreUnavailableError)) throw error
  }
  return createSecretKey(key, 'hex')
}
