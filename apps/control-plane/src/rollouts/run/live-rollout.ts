/** One rollout in memory: as it was committed last, and what is still to be looked at. */
import type { PresetName } from '@drover/api'
import { isOver, matches, memberTraits } from '@drover/fleet'
import type { Lookup, Member, MemberState, Rollout, RolloutEvent, RolloutPlan, Selector, Share } from '@drover/fleet'
import type { Deadlines } from '../part.ts'
import { PendingQueue } from './pending-queue.ts'

/** How an agent was before it got the change. */
export interface Before {
  readonly healthy: boolean | null
  readonly drifted: boolean | null
}

export interface Entry {
  member: Member
  before: Before | null
  /** It was connected at some time since the rollout, or the server, started: what an outage is told by. */
  seen: boolean
  /** It is not connected now. */
  offline: boolean
  alarm: { readonly at: number; cancel(): void } | null
}

/** Agents to be restored or tried again, from first to last. */
export interface SweepWork {
  readonly no: number
  readonly agents: readonly string[]
  /** How many of them are done, and committed. */
  done: number
}

export interface LiveRolloutInit {
  readonly seq: number
  readonly preset: PresetName | null
  readonly endedAt: number | null
  readonly plan: RolloutPlan
  readonly rollout: Rollout
  readonly selectors: ReadonlyMap<number, Selector>
  readonly members: Iterable<Pick<Entry, 'member' | 'before'> & { readonly seen?: boolean }>
}

export class LiveRollout {
  /** Grows with each start: older ones go first. */
  readonly seq: number
  readonly id: string
  readonly group: string
  readonly plan: RolloutPlan
  readonly preset: PresetName | null
  /** As committed. */
  rollout: Rollout
  endedAt: number | null
  readonly entries = new Map<string, Entry>()
  /** Of the revisions that it goes from and to, and of those that members had when it began. */
  readonly #selectors: ReadonlyMap<number, Selector>
  readonly #holds = new Set<number>()
  readonly #queues = new Map<number, PendingQueue>()
  /** Agents without the change that were seen: how many of them are offline. */
  control: Share = { bad: 0, of: 0 }
  /** Agents to be looked at. */
  readonly changed = new Set<string>()
  /** Of those: whether they still belong to it is to be found out. */
  readonly regrouped = new Set<string>()
  readonly inbox: RolloutEvent[] = []
  sweep: SweepWork | null = null
  /** The sweep waits for another try. */
  isSweepHeld = false
  /** Turns in a row that failed. */
  failures = 0
  /** It waits for another try. */
  isHeld = false
  /** When it wants to be told the time. */
  wake: { readonly at: number; cancel(): void } | null = null
  /** Gates that are being judged, by round and place. */
  readonly asked = new Set<string>()
  readonly #listeners = new Set<() => void>()

  constructor({ seq, preset, endedAt, plan, rollout, selectors, members }: LiveRolloutInit) {
    this.seq = seq
    this.preset = preset
    this.endedAt = endedAt
    this.id = rollout.id
    this.group = rollout.group
    this.plan = plan
    this.rollout = rollout
    this.#selectors = selectors
    const pending = new Map<number, Member[]>()
    for (const { member, before, seen = false } of members) {
      this.entries.set(member.agent, { member, before, seen, offline: false, alarm: null })
      this.#count(member, seen, false, 1)
      if (member.holds !== null) this.#holds.add(member.holds)
      if (member.state !== 'pending') continue
      const wave = pending.get(member.wave)
      if (wave === undefined) pending.set(member.wave, [member])
      else wave.push(member)
    }
    for (const [wave, waiting] of pending) this.#queues.set(wave, new PendingQueue(waiting))
  }

  get isOver(): boolean {
    return isOver(this.rollout)
  }

  /** What was found of an agent in that state stays, whatever it says from now on. */
  keeps(state: MemberState): boolean {
    return this.isOver && memberTraits[state].settled
  }

  /** Revisions that some agent may have through it. */
  revisions(): ReadonlySet<number> {
    const { from, to } = this.rollout
    return new Set([...(from === null ? [] : [from]), to, ...this.#holds])
  }

  /** Whether an agent belongs to it: by the revision before, the one after, or the one that it has as a member. */
  chooses(lookup: Lookup, member: Member | undefined): boolean {
    const { from, to } = this.rollout
    const numbers = new Set([to, from, member?.holds ?? null])
    for (const number of numbers) {
      const selector = number === null ? undefined : this.#selectors.get(number)
      if (selector !== undefined && matches(selector, lookup)) return true
    }
    return false
  }

  /** Whether an agent that joins now becomes a member: one that goes back, or ended otherwise, has nothing for it. */
  get takesJoiners(): boolean {
    return this.rollout.state === 'completed' || (!this.isOver && this.rollout.state !== 'rollingBack')
  }

  /** The next members of a wave to be released. */
  nextPending(wave: number, count: number, isPending: (agent: string) => boolean): string[] {
    return this.#queues.get(wave)?.first(count, isPending) ?? []
  }

  /** After a commit. `after` null: it left. */
  setMember(agent: string, after: Member | null, before: Before | null): Entry | null {
    const entry = this.entries.get(agent)
    if (entry !== undefined) this.#count(entry.member, entry.seen, entry.offline, -1)
    if (after === null) {
      entry?.alarm?.cancel()
      this.entries.delete(agent)
      return null
    }
    const was = entry?.member.state
    const next = entry ?? { member: after, before, seen: false, offline: false, alarm: null }
    next.member = after
    next.before = before
    if (entry === undefined) this.entries.set(agent, next)
    if (after.holds !== null) this.#holds.add(after.holds)
    if (after.state === 'pending' && was !== 'pending') this.#queueOf(after.wave).add(after)
    this.#count(after, next.seen, next.offline, 1)
    return next
  }

  setPresence(entry: Entry, offline: boolean): void {
    this.#count(entry.member, entry.seen, entry.offline, -1)
    entry.offline = offline
    entry.seen ||= !offline
    this.#count(entry.member, entry.seen, entry.offline, 1)
  }

  /** Calls `ring` at that time, instead of at another. null: not at all. */
  setAlarm(entry: Entry, at: number | null, now: number, deadlines: Deadlines, ring: (agent: string) => void): void {
    if (entry.alarm?.at === at) return
    entry.alarm?.cancel()
    entry.alarm = null
    if (at === null) return
    const { agent } = entry.member
    const deadline = deadlines.after(at - now, () => {
      entry.alarm = null
      ring(agent)
    })
    entry.alarm = { at, cancel: () => deadline.cancel() }
  }

  cancelAlarms(): void {
    this.wake?.cancel()
    this.wake = null
    for (const entry of this.entries.values()) {
      entry.alarm?.cancel()
      entry.alarm = null
    }
  }

  /** Called after each commit that changed it, and when it is left behind. Returns how to stop. */
  onChanged(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  announce(): void {
    for (const listener of this.#listeners) listener()
  }

  #queueOf(wave: number): PendingQueue {
    const known = this.#queues.get(wave)
    if (known !== undefined) return known
    const queue = new PendingQueue()
    this.#queues.set(wave, queue)
    return queue
  }

  #count({ state }: { readonly state: MemberState }, seen: boolean, offline: boolean, by: 1 | -1): void {
    if (!seen || memberTraits[state].side !== 'before') return
    this.control = { bad: this.control.bad + (offline ? by : 0), of: this.control.of + by }
  }
}
