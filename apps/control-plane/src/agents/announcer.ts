/** Says what happened to agents, in the event log; what comes too often is gathered. */
import type { EventKind } from '@drover/api'
import type { Attempt } from '@drover/fleet'
import type { EventLog, NewEvent } from '../events/event-log.ts'
import type { Tx } from '../storage/store.ts'
import type { AgentRecord } from './agent-record.ts'
import type { Deadlines } from './deadlines.ts'
import type { AgentStore } from './store.ts'

export interface AnnouncerOptions {
  readonly store: AgentStore
  readonly events: EventLog
  readonly deadlines: Deadlines
}

/** Health is told once it has lasted this long: supervisors report unhealthy before each start. */
const HEALTH_SETTLE_MS = 3_000
/** And then not more often than this. */
const HEALTH_GAP_MS = 30_000
/** So many changes within a gap are told whatever the health is at its end. */
const FLAPPING_FLIPS = 6
const LONGEST_QUOTE = 200

export class Announcer {
  readonly #options: AnnouncerOptions
  /** One function for all agents, so that their events are written together. */
  readonly #append = (tx: Tx, events: readonly NewEvent[]): Promise<unknown> => this.#options.events.appendAll(tx, events)

  constructor(options: AnnouncerOptions) {
    this.#options = options
  }

  say(record: AgentRecord, kind: EventKind, summary: string, data: Readonly<Record<string, unknown>> = {}, actor = 'agent'): void {
    const { store } = this.#options
    store.together(this.#append, { kind, actor, subject: record.id, summary, data: { agentName: record.name, instanceUid: record.uid, ...data } })
  }

  changed(record: AgentRecord, summary: string, data: Readonly<Record<string, unknown>>): void {
    this.say(record, 'agent.changed', summary, data)
  }

  attempt(record: AgentRecord, attempt: Attempt, source: string): void {
    const what = source === '' ? `configuration ${attempt.hash.slice(0, 12)}` : source
    const data = { hash: attempt.hash, source, reason: attempt.reason }
    switch (attempt.state) {
      case 'offered':
        return this.say(
          record,
          'attempt.offered',
          attempt.reason === 'restore' ? `${record.name} is given back ${what}` : `${record.name} is offered ${what}`,
          data,
          'system',
        )
      case 'applying':
        return this.say(record, 'attempt.applying', `${record.name} is applying ${what}`, data)
      case 'applied':
        return this.say(record, 'attempt.applied', `${record.name} applied ${what}`, data)
      case 'failed':
        return this.say(record, 'attempt.failed', `${record.name} failed ${what}: ${quote(attempt.errorMessage)}`, {
          ...data,
          errorMessage: attempt.errorMessage,
        })
      case 'timedOut':
        return this.say(record, 'attempt.timedOut', `${record.name} did not say in time what became of ${what}`, data, 'system')
      case 'rolledBack':
        return this.say(
          record,
          'attempt.restored',
          `${record.name} runs its last good configuration again after it failed ${what}`,
          { ...data, restoredHash: attempt.restoredHash },
          'system',
        )
      case 'superseded':
        return
      default:
        return attempt satisfies never
    }
  }

  /** Call it when the health changed; it is told when it has settled. */
  health(record: AgentRecord): void {
    record.healthFlips += 1
    record.healthCheck ??= this.#options.deadlines.after(HEALTH_SETTLE_MS, () => this.#afterSettling(record))
  }

  /** A short dip is not told, but counted until the gap is over. */
  #afterSettling(record: AgentRecord): void {
    this.#tellHealth(record, false)
    record.healthCheck = this.#options.deadlines.after(HEALTH_GAP_MS, () => this.#afterGap(record))
  }

  #afterGap(record: AgentRecord): void {
    const told = this.#tellHealth(record, record.healthFlips >= FLAPPING_FLIPS)
    record.healthFlips = 0
    record.healthCheck = told ? this.#options.deadlines.after(HEALTH_GAP_MS, () => this.#afterGap(record)) : undefined
  }

  #tellHealth(record: AgentRecord, flapping: boolean): boolean {
    const { healthy, announcedHealth, lastError } = record
    if (record.forgotten || record.connection === undefined || healthy === null) return false
    if (healthy === announcedHealth && !flapping) return false
    record.announcedHealth = healthy
    // That a new agent is well is no news.
    if (announcedHealth === null && healthy && !flapping) return false
    const error = lastError === null ? '' : `: ${quote(lastError)}`
    const state = healthy ? 'is healthy again' : `is unhealthy${error}`
    this.say(record, 'agent.health', `${record.name} ${flapping ? 'keeps changing between healthy and unhealthy' : state}`, { healthy, flapping, lastError })
    return true
  }
}

function quote(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return line.length > LONGEST_QUOTE ? `${line.slice(0, LONGEST_QUOTE).toWellFormed()}…` : line
}
