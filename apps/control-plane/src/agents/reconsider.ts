/**
 * Agents for whom something else may be meant now: they are looked at in pieces and offered what they should have. All of them after a
 * change of groups, some of them when a rollout moves them; those some come first.
 */
import { setImmediate, setTimeout } from 'node:timers/promises'
import type { AgentRecord } from './agent-record.ts'
import type { Assignments } from './assignments.ts'
import type { DesiredConfigs } from './desired-configs.ts'
import { forgetUnsent } from './driver.ts'
import type { Offers, Outgoing } from './offers.ts'
import type { Registry } from './registry.ts'
import type { AgentStore } from './store.ts'

export interface ReconsiderOptions {
  readonly registry: Registry
  readonly desired: DesiredConfigs
  readonly assignments: Assignments
  readonly offers: Offers
  readonly store: AgentStore
  readonly send: (record: AgentRecord, outgoing: Outgoing) => void
  /** Where the agent stands may be another than before. */
  readonly onStanding: (record: AgentRecord) => void
  readonly log: { error(fields: object, message: string): void }
}

/** Agents looked at, and offers made, before the event loop gets its turn. */
const LOOKED_AT = 500
const OFFERED = 250
const RETRY_MS = 1000

interface Waiting {
  readonly record: AgentRecord
  readonly outgoing: Outgoing
}

export class Reconsider {
  readonly #options: ReconsiderOptions
  readonly #some = new Set<string>()
  /** The rest of a round through all agents. */
  #round: Iterator<AgentRecord> | undefined
  #reload = false
  #running: Promise<void> | undefined
  #stopped = false

  constructor(options: ReconsiderOptions) {
    this.#options = options
  }

  /** Groups or revisions are others: reads them, and looks at every agent once. Returns at once; a change during a round starts it over. */
  all(): void {
    this.#reload = true
    this.#start()
  }

  /** Returns at once. */
  some(agentIds: Iterable<string>): void {
    for (const id of agentIds) this.#some.add(id)
    if (this.#some.size > 0) this.#start()
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.settled()
  }

  #start(): void {
    if (!this.#stopped) this.#running ??= this.#run().finally(() => (this.#running = undefined))
  }

  async #run(): Promise<void> {
    // Whoever calls may be in the middle of something, and more may come in the same turn.
    await setImmediate()
    while (!this.#stopped && (this.#reload || this.#some.size > 0 || this.#round !== undefined)) {
      // While groups cannot be read, rollouts go on with what is known of them.
      const isRead = !this.#reload || (await this.#isDone(this.#begin()))
      const isCarriedOut = await this.#isDone(this.#piece())
      if (!isRead || !isCarriedOut) await setTimeout(RETRY_MS)
      if (!isRead) this.#reload = true
    }
  }

  async #isDone(work: Promise<void>): Promise<boolean> {
    try {
      await work
      return true
    } catch (error) {
      this.#options.log.error({ err: error }, 'change not carried out for all agents, trying again')
      return false
    }
  }

  async #begin(): Promise<void> {
    this.#reload = false
    await this.#options.desired.reload()
    this.#round = this.#options.registry.all()
  }

  async #piece(): Promise<void> {
    const waiting: Waiting[] = []
    let failure: { readonly error: unknown } | undefined
    for (let looked = 0; looked < LOOKED_AT && waiting.length < OFFERED && !this.#reload && failure === undefined; looked++) {
      const record = this.#next()
      if (record === undefined) break
      try {
        const outgoing = await this.#look(record)
        if (outgoing !== undefined) waiting.push({ record, outgoing })
      } catch (error) {
        this.#some.add(record.id)
        failure = { error }
      }
    }
    // What was decided on goes out whatever became of the next.
    await this.#send(waiting)
    if (failure !== undefined) throw failure.error
    await setImmediate()
  }

  #next(): AgentRecord | undefined {
    const { registry } = this.#options
    for (const id of this.#some) {
      this.#some.delete(id)
      const record = registry.byId(id)
      if (record === undefined) continue
      record.undecided = true
      return record
    }
    const next = this.#round?.next()
    if (next?.done !== false) this.#round = undefined
    return next?.value as AgentRecord | undefined // as: the iterator returns nothing at its end
  }

  async #look(record: AgentRecord): Promise<Outgoing | undefined> {
    const { assignments, offers, onStanding } = this.#options
    if (record.forgotten) return undefined
    assignments.reassign(record)
    if (!record.undecided) return undefined
    const outgoing = await offers.decide(record)
    onStanding(record)
    return outgoing
  }

  async #send(waiting: readonly Waiting[]): Promise<void> {
    if (waiting.length === 0) return
    try {
      await this.#options.store.flush()
    } catch (error) {
      for (const { record } of waiting) {
        forgetUnsent(record)
        this.#some.add(record.id)
      }
      throw error
    }
    for (const { record, outgoing } of waiting) this.#options.send(record, outgoing)
  }
}
