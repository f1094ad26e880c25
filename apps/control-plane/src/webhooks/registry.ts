/** The webhooks that are at work: one intake and one sender for each that is enabled. What the store says is carried over after each change. */
import type { Logger } from 'pino'
import type { EventLog } from '../events/event-log.ts'
import type { Outgoing } from '../outgoing/index.ts'
import type { Clock, Sealer } from '../seams.ts'
import type { Store } from '../storage/store.ts'
import { startIntake } from './intake.ts'
import type { Intake } from './intake.ts'
import { webhookLimits } from './limits.ts'
import type { Destination } from './message.ts'
import type { WebhookMetrics } from './metrics.ts'
import { Sender } from './sender.ts'
import { findWebhook, readWebhooks } from './store.ts'
import type { WebhookRow } from './store.ts'
import type { Timers } from './timers.ts'

export interface RegistryOptions {
  readonly store: Store
  readonly events: EventLog
  readonly sealer: Sealer
  readonly outgoing: Pick<Outgoing, 'send' | 'refusalOf'>
  readonly clock: Clock
  readonly timers: Timers
  readonly random: () => number
  readonly metrics: WebhookMetrics
  readonly log: Pick<Logger, 'warn'>
  readonly maxPending?: number
}

export const sealContext = (name: string): string => `signing secret of the webhook ${name}`

interface Active {
  readonly intake: Intake
  readonly sender: Sender
}

export class Registry {
  readonly #options: RegistryOptions
  readonly #destinations = new Map<string, Destination>()
  readonly #active = new Map<string, Active>()
  readonly #toldGivenUpAt = new Map<string, number>()
  /** Changes are carried over one after the other. */
  #changing: Promise<void> = Promise.resolve()
  #isRunning = false

  constructor(options: RegistryOptions) {
    this.#options = options
  }

  /** @throws {StoreUnusableError} when a signing secret cannot be opened. */
  async start(): Promise<void> {
    this.#isRunning = true
    for (const row of await readWebhooks(this.#options.store.read)) this.#begin(row)
  }

  /** The stored webhook is another one, or gone. Returns at once. */
  onChanged(name: string): void {
    this.#changing = this.#changing.then(() => this.#carryOver(name))
  }

  /** Something was added for it to send. */
  wake(name: string): void {
    this.#active.get(name)?.sender.wake()
  }

  destinations(): IteratorObject<Destination> {
    return this.#destinations.values()
  }

  names(): readonly string[] {
    return [...this.#destinations.keys()]
  }

  /** Up to which event it has looked at everything; undefined: it is disabled. */
  position(name: string): number | undefined {
    return this.#active.get(name)?.intake.position()
  }

  async saveCursors(): Promise<void> {
    for (const { intake } of this.#active.values()) await intake.saveCursor()
  }

  async stop(): Promise<void> {
    this.#isRunning = false
    await this.#changing
    await Promise.all(this.#active.keys().map((name) => this.#end(name)))
  }

  async #carryOver(name: string): Promise<void> {
    const { store, log } = this.#options
    try {
      await this.#end(name)
      this.#destinations.delete(name)
      const row = await findWebhook(store.read, name)
      if (row !== undefined) this.#begin(row)
    } catch (error) {
      log.warn({ err: error, webhook: name }, 'webhook cannot be started')
    }
  }

  #begin(row: WebhookRow): void {
    const { sealer, ...options } = this.#options
    const destination = { url: row.url, secret: sealer.open(row.sealed_secret, sealContext(row.name)) }
    this.#destinations.set(row.name, destination)
    if (row.enabled === 0 || !this.#isRunning) return
    const sender: Sender = new Sender(row, destination, {
      ...options,
      mayTellGivenUp: () => this.#mayTellGivenUp(row.name),
      onDone: () => intake.onRoom(),
    })
    const intake = startIntake(row, () => sender.wake(), options)
    this.#active.set(row.name, { intake, sender })
    sender.wake()
  }

  async #end(name: string): Promise<void> {
    const active = this.#active.get(name)
    if (active === undefined) return
    this.#active.delete(name)
    await active.intake.stop()
    await active.sender.stop()
  }

  #mayTellGivenUp(name: string): boolean {
    const now = this.#options.clock.now()
    const last = this.#toldGivenUpAt.get(name)
    if (last !== undefined && now - last < webhookLimits.tellGivenUpEveryMs) return false
    this.#toldGivenUpAt.set(name, now)
    return true
  }
}
