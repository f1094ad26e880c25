/** Watches who goes back, and what is over: nobody is given up before it was tried a few times, and nobody's outcome changes later. */
import { isOver, type Member, memberTraits, retriable } from '@drover/fleet'
import type { Offer } from './agent.ts'
import { broken } from './invariant.ts'
import { type GroupName, groupNames } from './scenario.ts'
import type { Before, Change, MemoryStore, StoredDecision } from './store.ts'

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
        if (after.state === 'restoreFailed') this.checkTries(name, after)
        this.checkHistory(name, before, after, was)
      }
    }
  }

  private checkTries(name: GroupName, { agent }: Member): void {
    const sends = this.sends[name].get(agent) ?? 0
    if (sends < minSends) broken('given-up', `${agent} counts as one that cannot go back, and was sent what it should have ${sends} times`)
  }

  /** Only a person changes an outcome of what is over, by a retry. */
  private checkHistory(name: GroupName, before: Member, after: Member, was: Before): void {
    const now = this.store.groups.get(name)?.rollout
    const rollout = (was.groups.find((one) => one.name === name)?.group ?? this.store.groups.get(name))?.rollout
    if (rollout == null || rollout.id !== now?.id || !isOver(rollout) || !memberTraits[before.state].settled) return
    if (rollout.sweep?.kind === 'retry' && retriable.includes(before.state)) return
    broken('history', `${before.agent} was ${before.state} in ${rollout.id}, which is ${rollout.state}, and is ${after.state} now`)
  }
}
