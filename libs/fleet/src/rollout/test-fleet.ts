/** A small fleet for tests: members, and a driver that does at once what the engine asks for. */
import type { Decision } from './decision.ts'
import { describeDecision } from './decision.ts'
import { type Effect, outstandingEffects } from './effects.ts'
import type { Verdict } from './judge.ts'
import { type MemberState, retriable } from './member-state.ts'
import { createMember, type Member, moveOf, observeMember, recount, releaseMember, restoreMember, retryDueAt, retryMember, type Sight } from './member.ts'
import { type Candidate, placeLate, placeMembers } from './membership.ts'
import type { RolloutPlan } from './plan.ts'
import { releasesDue, retriesDue } from './progress.ts'
import { revisionFor } from './revision-for.ts'
import { createRollout, isOver, type Rollout } from './rollout.ts'
import { type RolloutEvent, step } from './step.ts'

export const passing: Verdict = { verdict: 'pass', text: 'all is well', numbers: {} }

export class TestFleet {
  readonly plan: RolloutPlan
  readonly members = new Map<string, Member>()
  readonly offline = new Map<string, number>()
  readonly busy = new Set<string>()
  /** Moved by a rollout of another group. */
  readonly elsewhere = new Set<string>()
  readonly decisions: Decision[] = []
  readonly agents: readonly string[]
  rollout: Rollout = createRollout({ id: 'r1', group: 'g', from: 1, to: 2 })
  now = 1000
  /** What agents make of the revision they are given. */
  answer: (agent: string, revision: number | null) => Sight['outcome'] = () => 'applied'
  verdict: Verdict | null = passing
  /** Of every attribute. */
  lookup: (agent: string) => string | undefined = () => undefined
  /** Off: nothing but `send` happens. */
  acts = true

  constructor(plan: RolloutPlan, count: number) {
    this.plan = plan
    this.agents = Array.from({ length: count }, (_, index) => `a${index}`)
  }

  start(by = 'ann', blockers: readonly string[] = []): this {
    const candidates = this.agents.map((agent): Candidate => ({ agent, reachable: !this.offline.has(agent), lookup: () => this.lookup(agent) }))
    const { waves, placements } = placeMembers(this.plan, this.rollout.id, candidates)
    for (const placement of placements) this.members.set(placement.agent, createMember(placement, 1, this.now))
    return this.send({ kind: 'start', by, reason: '', waves, blockers })
  }

  act(kind: 'approve' | 'pause' | 'resume' | 'promote' | 'retry' | 'stop' | 'rollBack', by = 'ann', reason = ''): this {
    return this.send({ kind, by, reason })
  }

  send(event: RolloutEvent): this {
    const { rollout, decisions, effects } = step(this.plan, this.rollout, event, this.now)
    this.rollout = JSON.parse(JSON.stringify(rollout)) as Rollout
    this.decisions.push(...decisions)
    if (this.acts) for (const effect of effects) this.carryOut(effect)
    return this
  }

  /** As after a crash. */
  carryOutAgain(): this {
    for (const effect of outstandingEffects(this.plan, this.rollout)) this.carryOut(effect)
    return this
  }

  carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'release':
        return this.release(effect.wave)
      case 'restore':
        for (const member of this.members.values())
          this.change(member, restoreMember(member, this.rollout.from, this.offline.get(member.agent) ?? null, this.now))
        for (const agent of this.members.keys()) this.look(agent)
        this.send({ kind: 'swept', sweep: effect.sweep })
        return
      case 'retry':
        return this.retryFailed(effect.sweep)
      case 'ask':
        for (const gate of effect.gates) if (this.verdict !== null) this.send({ kind: 'verdict', round: effect.round, gate, verdict: this.verdict })
        return
      case 'wake':
      case 'finished':
        return
      default:
        return effect satisfies never
    }
  }

  private retryFailed(sweep: number): void {
    const failed = [...this.members.values()].filter(({ state }) => retriable.includes(state))
    for (const member of failed.toSorted((a, b) => a.since - b.since)) {
      if (retriesDue(this.plan, this.rollout) === 0) return
      this.change(member, retryMember(member, this.now))
      this.look(member.agent)
    }
    this.send({ kind: 'swept', sweep })
  }

  private release(wave: number): void {
    for (;;) {
      const pending = [...this.members.values()].filter((member) => member.wave === wave && member.state === 'pending')
      const [next] = pending.toSorted((a, b) => a.point - b.point || (a.agent < b.agent ? -1 : 1))
      if (releasesDue(this.rollout, wave) === 0 || next === undefined) return
      this.change(next, releaseMember(this.plan, next, this.sight(next.agent), this.now))
      this.look(next.agent)
    }
  }

  sight(agent: string): Sight {
    const { revision } = revisionFor(1, this.rollout, this.members.get(agent) ?? null)
    const standing = !isOver(this.rollout) ? 'underWay' : this.elsewhere.has(agent) ? 'elsewhere' : 'over'
    const offlineSince = this.offline.get(agent) ?? null
    return { outcome: this.answer(agent, revision), offlineSince, connectedSince: null, busy: this.busy.has(agent), standing }
  }

  change(before: Member, after: Member | null): void {
    const move = moveOf(before, after)
    if (after === null) this.members.delete(before.agent)
    else this.members.set(after.agent, after)
    if (move !== null) this.send({ kind: 'moved', moves: [move] })
  }

  look(agent: string): this {
    const member = this.members.get(agent)
    if (member !== undefined) this.change(member, observeMember(this.plan, member, this.sight(agent), this.now))
    return this
  }

  join(agent: string): this {
    const member = createMember(
      placeLate(this.plan, this.rollout.id, this.rollout.waves, agent, () => undefined),
      this.rollout.from,
      this.now,
    )
    this.members.set(agent, member)
    const move = moveOf(null, member)
    return move === null ? this : this.send({ kind: 'moved', moves: [move] })
  }

  leave(agent: string): this {
    const member = this.members.get(agent)
    if (member !== undefined) this.change(member, null)
    return this
  }

  disconnect(agent: string): this {
    this.offline.set(agent, this.now)
    return this.look(agent)
  }

  connect(agent: string): this {
    this.offline.delete(agent)
    return this.look(agent)
  }

  pass(ms: number): this {
    this.now += ms
    for (const member of this.members.values()) if (this.now >= (retryDueAt(this.plan, member) ?? Infinity)) this.change(member, retryMember(member, this.now))
    for (const agent of this.members.keys()) this.look(agent)
    return this.send({ kind: 'tick' })
  }

  /** Until nothing is to be waited for. */
  finish(): this {
    for (let turns = 0; turns < 2000 && this.rollout.wakeAt !== null; turns++) this.pass(Math.max(1, this.rollout.wakeAt - this.now))
    return this
  }

  /** Agents of a wave, in the order of release. */
  of(wave: number): readonly string[] {
    const members = [...this.members.values()].filter((member) => member.wave === wave)
    return members.toSorted((a, b) => a.point - b.point).map(({ agent }) => agent)
  }

  states(): Readonly<Partial<Record<MemberState, number>>> {
    const sum: Partial<Record<MemberState, number>> = {}
    for (const { state } of this.members.values()) sum[state] = (sum[state] ?? 0) + 1
    return sum
  }

  revision(agent: string): number | null {
    return revisionFor(1, this.rollout, this.members.get(agent) ?? null).revision
  }

  told(): readonly string[] {
    return this.decisions.map(describeDecision)
  }

  /** The counters that are kept equal those of the members. */
  counts(): boolean {
    return this.rollout.waves.every(({ counters }, wave) => sorted(counters) === sorted(recount(this.members.values(), wave)))
  }
}

const sorted = (counters: object): string => JSON.stringify(Object.entries(counters).toSorted())
