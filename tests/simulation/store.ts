/** What survives the death of the driver. Everything in one transaction is stored, or nothing is. */
import type { Decision, Ledger, Member, Rollout } from '@drover/fleet'

export interface Row {
  readonly agent: string
  readonly parity: string
  readonly ledger: Ledger
  /** In the newest rollout. */
  readonly member: Member | null
}

export interface Change {
  /** null: the Agent left. */
  readonly rows?: readonly (Row | { readonly agent: string; readonly gone: true })[]
  readonly rollout?: Rollout | null
  /** Revision that the last completed rollout gave. */
  readonly current?: number
  readonly decisions?: readonly Decision[]
}

/** The driver is gone, with everything that it only remembered. */
export class DriverDied extends Error {}

export class MemoryStore {
  readonly rows = new Map<string, Row>()
  readonly decisions: { readonly rollout: string; readonly decision: Decision }[] = []
  rollout: Rollout | null = null
  current = 1
  commits = 0
  /** May throw DriverDied. */
  beforeCommit: () => void = () => undefined
  afterCommit: () => void = () => undefined

  commit(change: Change): void {
    this.beforeCommit()
    for (const row of change.rows ?? [])
      if ('gone' in row) this.rows.delete(row.agent)
      else this.rows.set(row.agent, row)
    if (change.rollout !== undefined) this.rollout = change.rollout
    if (change.current !== undefined) this.current = change.current
    for (const decision of change.decisions ?? []) this.decisions.push({ rollout: this.rollout?.id ?? '', decision })
    this.commits++
    this.afterCommit()
  }

  /** As a driver reads it after its start: values without any identity. */
  load(): { readonly rows: readonly Row[]; readonly rollout: Rollout | null; readonly current: number } {
    return JSON.parse(JSON.stringify({ rows: [...this.rows.values()], rollout: this.rollout, current: this.current })) as ReturnType<MemoryStore['load']>
  }
}
