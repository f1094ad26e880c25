/** After a change of groups: every agent is looked at once, in pieces, and those that should have something else are offered it. */
import { setImmediate, setTimeout } from 'node:timers/promises'
import type { PreparedRemoteConfig } from '@drover/server'
import type { AgentRecord } from './agent-record.ts'
import type { DesiredConfigs } from './desired-configs.ts'
import type { Offers } from './offers.ts'
import type { Registry } from './registry.ts'
import type { AgentStore } from './store.ts'

export interface WaveOptions {
  readonly registry: Registry
  readonly desired: DesiredConfigs
  readonly offers: Offers
  readonly store: AgentStore
  readonly send: (record: AgentRecord, prepared: PreparedRemoteConfig) => void
  readonly log: { error(fields: object, message: string): void }
}

/** Agents looked at, and offers made, before the event loop gets its turn. */
const LOOKED_AT = 500
const OFFERED = 250
const RETRY_MS = 1000

export class Wave {
  readonly #options: WaveOptions
  #running: Promise<void> | undefined
  /** Decided on, but the store could not take it. */
  readonly #unsent = new Set<AgentRecord>()
  #again = false
  #stopped = false

  constructor(options: WaveOptions) {
    this.#options = options
  }

  /** Returns at once. A change during a wave starts it over. */
  start(): void {
    if (this.#stopped) return
    this.#again = true
    this.#running ??= this.#run().finally(() => (this.#running = undefined))
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.settled()
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false
      try {
        await this.#options.desired.reload()
        await this.#reassignAll()
      } catch (error) {
        this.#options.log.error({ err: error }, 'change of groups not carried out for all agents, trying again')
        await setTimeout(RETRY_MS)
        this.#again = true
      }
    }
  }

  async #reassignAll(): Promise<void> {
    const { registry, offers } = this.#options
    let offered: { record: AgentRecord; prepared: PreparedRemoteConfig }[] = []
    let looked = 0
    for (const record of registry.all()) {
      if (record.forgotten) continue
      if (offers.reassign(record) || this.#unsent.delete(record)) {
        const prepared = await offers.decide(record)
        if (prepared !== undefined) offered.push({ record, prepared })
      }
      if (offered.length >= OFFERED) {
        await this.#send(offered)
        offered = []
      } else if (++looked % LOOKED_AT === 0) await setImmediate()
      if (this.#again || this.#stopped) break
    }
    await this.#send(offered)
  }

  async #send(offered: readonly { record: AgentRecord; prepared: PreparedRemoteConfig }[]): Promise<void> {
    if (offered.length === 0) return
    try {
      await this.#options.store.flush()
    } catch (error) {
      for (const { record } of offered) {
        record.lastOffered = null
        this.#unsent.add(record)
      }
      throw error
    }
    for (const { record, prepared } of offered) this.#options.send(record, prepared)
    await setImmediate()
  }
}
