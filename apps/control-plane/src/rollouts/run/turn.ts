/** What one turn makes of one rollout: pure, from what is in memory and what is seen of the fleet. Nothing of it counts before it is committed. */
import {
  createMember,
  memberDeadline,
  memberTraits,
  moveOf,
  observeMember,
  placeLate,
  releaseMember,
  releasesDue,
  restoreMember,
  retryDueAt,
  retryMember,
  step,
} from '@drover/fleet'
import type { Decision, Effect, Member, Move, Rollout, RolloutEvent, Sight } from '@drover/fleet'
import type { FleetAgent, FleetForRollouts } from '../../seams.ts'
import { agentsPerTurn } from './batch.ts'
import type { Batch } from './batch.ts'
import type { Before, LiveRollout } from './live-rollout.ts'
import type { RolloutMemory } from './memory.ts'

/** One agent was looked at. */
export interface Look {
  readonly agent: string
  /** null: it left. */
  readonly after: Member | null
  readonly before: Before | null
  readonly isChanged: boolean
  readonly isOffline: boolean
  /** When to look again although nothing is heard. */
  readonly deadlineAt: number | null
  /** It is to be assigned anew. */
  readonly isMoved: boolean
}

/** What is to be stored and, after the commit, to be true in memory. */
export interface Change {
  readonly live: LiveRollout
  readonly rollout: Rollout
  readonly looks: readonly Look[]
  readonly decisions: readonly Decision[]
  readonly effects: readonly Effect[]
  /** Anything that would be lost without a commit. */
  readonly isStored: boolean
  /** Of the sweep: how many more are done. */
  readonly swept: number
}

export interface TurnTools {
  readonly fleet: FleetForRollouts
  readonly memory: RolloutMemory
  readonly now: number
  /** An agent could not be looked at; it is looked at again when something is heard of it. */
  readonly onFault: (error: unknown) => void
}

export function computeTurn(live: LiveRollout, batch: Batch, tools: TurnTools): Change {
  const turn = new Turn(live, batch, tools)
  for (const agent of batch.agents) turn.look(agent)
  const swept = turn.sweep()
  turn.takeEvents()
  turn.release()
  return { live, rollout: turn.rollout, looks: [...turn.looks.values()], decisions: turn.decisions, effects: turn.effects, isStored: turn.isStored(), swept }
}

/** A person acts, without looking at anybody. */
export function computeEvent(live: LiveRollout, event: RolloutEvent, now: number): Change {
  const { rollout, decisions, effects } = step(live.plan, live.rollout, event, now)
  return { live, rollout, looks: [], decisions, effects, isStored: true, swept: 0 }
}

/** Whether the time has come to try the agent again by itself. Not while it is away: it would be counted as a try. */
export function isRetryDue(live: LiveRollout, member: Member, isOffline: boolean, { memory, now }: Pick<TurnTools, 'memory' | 'now'>): boolean {
  const dueAt = retryDueAt(live.plan, member)
  if (dueAt === null || now < dueAt || (isOffline && member.state === 'restoreRetrying')) return false
  return memory.standingOf(live, member.agent) !== 'elsewhere'
}

class Turn {
  readonly #live: LiveRollout
  readonly #batch: Batch
  readonly #tools: TurnTools
  readonly looks = new Map<string, Look>()
  readonly decisions: Decision[] = []
  readonly effects: Effect[] = []
  rollout: Rollout

  constructor(live: LiveRollout, batch: Batch, tools: TurnTools) {
    this.#live = live
    this.#batch = batch
    this.#tools = tools
    this.rollout = live.rollout
  }

  look(agentId: string): void {
    try {
      this.#look(agentId)
    } catch (error) {
      this.#tools.onFault(error)
    }
  }

  #look(agentId: string): void {
    const { fleet } = this.#tools
    const known = this.#memberOf(agentId)
    const agent = fleet.agent(agentId)
    const member = agent === undefined ? null : this.#batch.regrouped.has(agentId) ? this.#regrouped(agent, known) : known
    if (agent === undefined || member === null) {
      if (known !== null) this.#leave(agentId)
      return
    }
    const isRetried = this.#batch.allowed.has(agentId) && isRetryDue(this.#live, member, agent.offlineSince !== null, this.#tools)
    const after = isRetried ? retryMember(member, this.#tools.now) : observeMember(this.#live.plan, member, this.#sight(agent, member), this.#tools.now)
    this.#put(agent, after, { isMoved: isRetried })
  }

  /** null: it does not belong to the rollout. */
  #regrouped(agent: FleetAgent, member: Member | null): Member | null {
    const { live, now } = { live: this.#live, now: this.#tools.now }
    if (!live.chooses(agent.lookup, member ?? undefined)) return null
    if (member !== null) return member
    if (!live.takesJoiners) return null
    return createMember(placeLate(live.plan, live.id, live.rollout.waves, agent.id, agent.lookup), live.rollout.from, now)
  }

  #sight({ id, offlineSince, connectedSince }: FleetAgent, { state }: Member): Sight {
    const { fleet, memory } = this.#tools
    // Of an agent that still has the earlier revision nobody asks what became of the new one; what is history is not asked for again.
    const isAsked = memberTraits[state].side !== 'before' && !this.#live.keeps(state)
    const outcome = isAsked ? fleet.outcome(id, this.#live.group) : 'none'
    return { outcome, offlineSince, connectedSince, busy: memory.isBusy(this.#live, id), standing: memory.standingOf(this.#live, id) }
  }

  /** Some of those that are to go back, or to be tried again. Returns how many. */
  sweep(): number {
    const { sweep, allowed } = this.#batch
    if (sweep === null || this.rollout.sweep?.no !== sweep.no) return 0
    const { now } = this.#tools
    const { from } = this.rollout
    for (const agentId of sweep.agents) {
      const member = this.#memberOf(agentId)
      const agent = this.#tools.fleet.agent(agentId)
      if (member === null || agent === undefined) continue
      if (this.rollout.sweep.kind === 'restore') this.#put(agent, restoreMember(member, from, agent.offlineSince, now), { isMoved: true })
      else if (allowed.has(agentId)) this.#put(agent, retryMember(member, now), { isMoved: true })
    }
    return sweep.agents.length
  }

  /** One step for all that was looked at; a verdict or the time is one of its own. */
  takeEvents(): void {
    const moves = this.#moves(this.looks.values())
    const [clock, events] = [this.#batch.events.filter(isClock), this.#batch.events.filter((event) => !isClock(event))]
    for (const event of clock) this.#step(event)
    const presence = this.#presence()
    if (presence !== null) this.#step(presence)
    if (moves.length > 0) this.#step({ kind: 'moved', moves })
    for (const event of events) this.#step(event)
    if (this.#batch.sweep?.isLast === true) this.#step({ kind: 'swept', sweep: this.#batch.sweep.no })
  }

  /** After what was seen was taken in: trouble stops it. */
  release(): void {
    const released: Look[] = []
    this.rollout.waves.forEach((_, wave) => {
      const due = Math.min(releasesDue(this.rollout, wave), agentsPerTurn - released.length)
      if (due <= 0) return
      for (const agentId of this.#live.nextPending(wave, due, (id) => this.#memberOf(id)?.state === 'pending')) {
        const look = this.#release(agentId)
        if (look !== null) released.push(look)
      }
    })
    const moves = released.flatMap(({ after }) => (after === null ? [] : [moveOf({ ...after, state: 'pending' }, after)])).filter((move) => move !== null)
    if (moves.length > 0) this.#step({ kind: 'moved', moves })
  }

  #release(agentId: string): Look | null {
    const { fleet, memory, now } = this.#tools
    const member = this.#memberOf(agentId)
    const agent = fleet.agent(agentId)
    if (member === null || agent === undefined) return null
    const { offlineSince, healthy, drifted } = agent
    const after = releaseMember(this.#live.plan, member, { offlineSince, busy: memory.isBusy(this.#live, agentId) }, now)
    return this.#put(agent, after, { isMoved: after.state === 'released', before: shared({ healthy, drifted }) })
  }

  isStored(): boolean {
    if (this.decisions.length > 0 || [...this.looks.values()].some(({ isChanged }) => isChanged)) return true
    const { rollout } = this.#live
    return this.rollout !== rollout && JSON.stringify({ ...this.rollout, now: 0 }) !== JSON.stringify({ ...rollout, now: 0 })
  }

  /** As it is after what this turn found so far. */
  #memberOf(agentId: string): Member | null {
    const look = this.looks.get(agentId)
    return look === undefined ? (this.#live.entries.get(agentId)?.member ?? null) : look.after
  }

  #put(agent: FleetAgent, after: Member, { isMoved, before }: { readonly isMoved: boolean; readonly before?: Before }): Look {
    const entry = this.#live.entries.get(agent.id)
    const standing = this.#tools.memory.standingOf(this.#live, agent.id)
    const { offlineSince, connectedSince } = agent
    const deadlineAt = memberDeadline(this.#live.plan, after, { outcome: 'none', offlineSince, connectedSince, busy: false, standing })
    const look: Look = {
      agent: agent.id,
      after,
      before: before ?? entry?.before ?? null,
      isChanged: after !== entry?.member,
      isOffline: agent.offlineSince !== null,
      deadlineAt,
      isMoved: (isMoved && after !== entry?.member) || this.looks.get(agent.id)?.isMoved === true,
    }
    this.looks.set(agent.id, look)
    return look
  }

  #leave(agent: string): void {
    this.looks.set(agent, { agent, after: null, before: null, isChanged: true, isOffline: false, deadlineAt: null, isMoved: false })
  }

  #moves(looks: Iterable<Look>): Move[] {
    const moves: Move[] = []
    for (const { agent, after } of looks) {
      const move = moveOf(this.#live.entries.get(agent)?.member ?? null, after)
      if (move !== null) moves.push(move)
    }
    return moves
  }

  /** Agents without the change that went offline: an outage is no fault of the change. */
  #presence(): RolloutEvent | null {
    if (this.#live.isOver) return null
    let { bad, of } = this.#live.control
    for (const look of this.looks.values()) {
      const entry = this.#live.entries.get(look.agent)
      const [was, is] = [
        controlOf(entry?.member, entry?.seen, entry?.offline),
        controlOf(look.after, (entry?.seen ?? false) || !look.isOffline, look.isOffline),
      ]
      bad += is.bad - was.bad
      of += is.of - was.of
    }
    const { presence } = this.rollout
    if ((bad === 0 && presence.bad === 0) || (bad === presence.bad && of === presence.of)) return null
    return { kind: 'presence', control: { bad, of } }
  }

  #step(event: RolloutEvent): void {
    const { rollout, decisions, effects } = step(this.#live.plan, this.rollout, event, this.#tools.now)
    this.rollout = rollout
    this.decisions.push(...decisions)
    this.effects.push(...effects)
  }
}

const isClock = ({ kind }: RolloutEvent): boolean => kind === 'clockSet'

function controlOf(member: Member | null | undefined, seen = false, offline = false): { readonly bad: number; readonly of: number } {
  if (member == null || !seen || memberTraits[member.state].side !== 'before') return { bad: 0, of: 0 }
  return { bad: offline ? 1 : 0, of: 1 }
}

const sharedBefore = new Map<string, Before>()

/** There are nine values, and as many uses as members. */
function shared(before: Before): Before {
  const key = `${before.healthy} ${before.drifted}`
  const known = sharedBefore.get(key) ?? before
  sharedBefore.set(key, known)
  return known
}
