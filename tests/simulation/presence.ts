/** Of the Agents without the change: how many went offline since the start. Kept up to date, never counted anew. */
import type { Share } from '@drover/fleet'
import { isBefore } from './desired.ts'
import type { GroupName } from './scenario.ts'
import type { GroupRow, Row } from './store.ts'

type Standing = 'here' | 'gone'

export class Presence {
  private readonly standings = new Map<string, Standing>()
  private gone = 0

  /** Call it whenever something of the Agent changed. `row` undefined: it left. */
  update(agent: string, row: Row | undefined, { name, rollout }: GroupRow, offlineSince: number | undefined): void {
    const startedAt = rollout?.startedAt ?? Number.POSITIVE_INFINITY
    const isCounted = row !== undefined && isBefore(row, name) && (offlineSince === undefined || offlineSince >= startedAt)
    const next: Standing | undefined = isCounted ? (offlineSince === undefined ? 'here' : 'gone') : undefined
    const before = this.standings.get(agent)
    if (before === next) return
    if (before === 'gone') this.gone--
    if (next === 'gone') this.gone++
    if (next === undefined) this.standings.delete(agent)
    else this.standings.set(agent, next)
  }

  get share(): Share {
    return { bad: this.gone, of: this.standings.size }
  }
}

export type Presences = Map<GroupName, Presence>
