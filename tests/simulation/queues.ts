/** Members that wait for their release, by group and wave, in the order of release. Made anew from the rows when a rollout starts. */
import type { Member } from '@drover/fleet'
import type { GroupName } from './scenario.ts'
import type { Row } from './store.ts'

export class Queues {
  private readonly waves: Map<number, Member[]>

  constructor(rows: Iterable<Row>, group: GroupName) {
    this.waves = new Map()
    const members = Array.from(rows, ({ members: all }) => all[group]).filter((member): member is Member => member?.state === 'pending')
    for (const member of members.toSorted((a, b) => a.point - b.point || (a.agent < b.agent ? -1 : 1))) this.add(member)
  }

  add(member: Member): void {
    const queue = this.waves.get(member.wave)
    if (queue === undefined) this.waves.set(member.wave, [member])
    else queue.push(member)
  }

  /** The next one that still waits. */
  take(wave: number, isPending: (agent: string) => boolean): string | undefined {
    const queue = this.waves.get(wave) ?? []
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) if (isPending(next.agent)) return next.agent
    return undefined
  }
}
