/** Watches who goes back, and what is over: nobody is given up before it was tried a few times, and nobody's outcome changes later. */
import { isOver, type Member, type MemberState, memberTraits, retriable, type Rollout } from '@drover/fleet'
import type { Offer } from './agent.ts'
import { isUnderWay } from './desired.ts'
import { broken } from './invariant.ts'
import { type GroupName, groupNames } from './scenario.ts'
import type { Before, Change, GroupRow, MemoryStore, Row, StoredDecision } from './store.ts'

/** Two of them are always of what it should go back to; the first failure may have been known before. */
const minSends = 2

export class RestoreWitness {
  private readonly store: MemoryStore
  /** Offers to each Agent since its group last began to take something back. */
  private readonly sends: Readonly<Record<GroupName, Map<string, number>>> = { g: new Map(), h: new Map() }

  constructor(store: MemoryStore) {
    this.store = store
  }

  onDecision({ group, decision }: StoredDecision): void {
    if (decision.kind === 'rollingBack') this.sends[group].clear()
  }

  onSend(agent: string, _: Offer): void {
    for (const { name, rollout } of this.store.groups.values())
      if (rollout?.state === 'rollingBack' || rollout?.state === 'rolledBack') this.sends[name].set(agent, (this.sends[name].get(agent) ?? 0) + 1)
  }

  onStored({ rows }: Change, was: Before): void {
    for (let index = 0; index < rows.length; index++) {
      const [row, old] = [rows[index], was.rows[index]?.row]
      for (const name of groupNames) {
        const [before, after] = [old?.members[name], row?.members[name]]
        if (before === undefined || after === undefined || before.state === after.state) continue
        // One that says that it applies it is waited for, and not sent it again.
        if (after.state === 'restoreFailed' && row?.ledger.reported?.status !== 'applying') this.checkTries(name, after)
        this.checkHistory(name, before, after, was)
        if (old !== undefined) this.checkCause(name, old, after, was)
      }
    }
  }

  private checkTries(name: GroupName, { agent }: Member): void {
    const sends = this.sends[name].get(agent) ?? 0
    if (sends < minSends) broken('given-up', `${agent} counts as one that cannot go back, and was sent what it should have ${sends} times`)
  }

  /** Only a person changes an outcome of what is over, by a retry. */
  private checkHistory(name: GroupName, before: Member, after: Member, was: Before): void {
    const rollout = this.overBefore(name, was)
    if (rollout === null || !memberTraits[before.state].settled) return
    if (rollout.sweep?.kind === 'retry' && retriable.includes(before.state)) return
    broken('history', `${before.agent} was ${before.state} in ${rollout.id}, which is ${rollout.state}, and is ${after.state} now`)
  }

  /** What an Agent makes of the change of another group is held against nobody else. */
  private checkCause(name: GroupName, { members }: Row, after: Member, was: Before): void {
    const rollout = this.overBefore(name, was)
    if (rollout === null || rollout.sweep?.kind === 'retry' || !failures.includes(after.state)) return
    for (const other of groupNames) {
      const group = groupBefore(this.store, other, was)
      const member = members[other]
      if (other === name || group === undefined || !isUnderWay(group) || member === undefined || memberTraits[member.state].side === 'before') continue
      broken('not-its-own', `${after.agent} counts as ${after.state} in ${rollout.id}, which is over, while ${group.rollout?.id} changes it`)
    }
  }

  private overBefore(name: GroupName, was: Before): Rollout | null {
    const rollout = groupBefore(this.store, name, was)?.rollout ?? null
    return rollout !== null && rollout.id === this.store.groups.get(name)?.rollout?.id && isOver(rollout) ? rollout : null
  }
}

const failures: readonly MemberState[] = ['retrying', 'failed', 'timedOut', 'lost', 'restoreRetrying', 'restoreFailed']

function groupBefore(store: MemoryStore, name: GroupName, was: Before): GroupRow | undefined {
  return was.groups.find((one) => one.name === name)?.group ?? store.groups.get(name)
}
