/** Who is stale: nothing heard for two and a half heartbeats. Looks at an agent when it could have become so, never at all of them. */
import type { AgentRecord } from './agent-record.ts'
import type { Deadlines } from './deadlines.ts'
import type { Registry } from './registry.ts'

export interface LivenessOptions {
  readonly registry: Registry
  readonly deadlines: Deadlines
  readonly now: () => number
  /** Of a connected agent, from the server. */
  readonly lastSeen: (record: AgentRecord) => number | null
  readonly staleAfterMs: number
}

/** How often a silent agent is looked at again: its next heartbeat does not come by here. */
const RECHECK_MS = 5_000

export class Liveness {
  readonly #options: LivenessOptions

  constructor(options: LivenessOptions) {
    this.#options = options
  }

  /** After a start, a report or a disconnect. */
  watch(record: AgentRecord): void {
    record.staleCheck?.cancel()
    record.staleCheck = undefined
    if (record.forgotten) return
    const { registry, deadlines, now, lastSeen, staleAfterMs } = this.#options
    const silentMs = now() - (lastSeen(record) ?? 0)
    const stale = silentMs >= staleAfterMs
    if (stale !== record.stale) registry.change(record, () => (record.stale = stale))
    // Nobody can hear from a stale agent without a connection; its next report calls this again.
    if (stale && record.connection === undefined) return
    record.staleCheck = deadlines.after(stale ? RECHECK_MS : staleAfterMs - silentMs, () => this.watch(record))
  }
}
