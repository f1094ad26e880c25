/**
 * Carries rollouts out. What is heard is collected and worked in by turns, a few agents at a time; each turn of a rollout is one transaction, after which
 * memory is what was committed, and only then is anything done.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { setImmediate } from 'node:timers/promises'
import { memberTraits, outstandingEffects, releasesDue } from '@drover/fleet'
import type { Effect } from '@drover/fleet'
import type { Logger } from 'pino'
import type { FleetForRollouts } from '../../seams.ts'
import { StoreUnavailableError } from '../../storage/errors.ts'
import type { Store } from '../../storage/store.ts'
import type { Deadlines, Timing } from '../part.ts'
import { giveBack, hasWork, takeBatch } from './batch.ts'
import type { Batch } from './batch.ts'
import { remainingBlockers } from './blockers.ts'
import type { Gates } from './gates.ts'
import type { InFlight } from './in-flight.ts'
import type { LiveRollout } from './live-rollout.ts'
import type { RolloutMemory } from './memory.ts'
import type { RolloutMetrics } from './metrics.ts'
import type { Recorder } from './recorder.ts'
import { computeTurn, isRetryDue } from './turn.ts'
import type { Change, Look } from './turn.ts'

export interface DriverOptions {
  readonly store: Store
  readonly memory: RolloutMemory
  readonly inFlight: InFlight
  readonly recorder: Recorder
  readonly gates: Gates
  readonly fleet: () => FleetForRollouts
  readonly timing: Timing
  readonly deadlines: Deadlines
  readonly metrics: RolloutMetrics
  readonly log: Pick<Logger, 'error' | 'warn' | 'info'>
}

/** What agents say is collected for so long: a burst of it is then one transaction. */
const collectMs = 50
const firstRetryMs = 1_000
const maxRetryMs = 30_000
/** Clocks that are kept right are moved by less, or little by little. */
const clockToleranceMs = 10_000
/** Agents looked at for joiners before others get their turn. */
const joinersPerTurn = 500

export class Driver {
  readonly #options: DriverOptions
  readonly #ready = new Set<LiveRollout>()
  /** Turns must not run inside the transaction of whoever woke them. */
  readonly #outside = AsyncLocalStorage.snapshot()
  #running: Promise<void> | undefined
  #timer: unknown
  #isStarted = false
  #isStopped = false
  #isFaultLogged = false
  /** What the clock that people set is ahead of the one that only runs. */
  #aheadMs: number
  /** Looking for joiners. */
  readonly #searches = new Set<Promise<void>>()

  constructor(options: DriverOptions) {
    this.#options = options
    this.#aheadMs = options.timing.now() - options.timing.monotonic()
  }

  /** Goes on from what is stored. */
  start(): void {
    this.#isStarted = true
    for (const live of this.#options.memory.all()) this.begin(live, outstandingEffects(live.plan, live.rollout))
    this.#refreshBlockers()
  }

  /** A rollout is in memory from now on: everybody in it is looked at once, and everybody else, since they may belong to it. */
  begin(live: LiveRollout, effects: readonly Effect[]): void {
    for (const agent of live.entries.keys()) live.changed.add(agent)
    this.#carryOut(live, effects)
    const search = this.#outside(() => this.#findJoiners(live))
      .catch((error: unknown) => this.#logFault(error, live))
      .finally(() => this.#searches.delete(search))
    this.#searches.add(search)
    this.wake(live)
  }

  /** Something about these agents changed; soon is early enough. */
  notice(live: LiveRollout, agent: string): void {
    live.changed.add(agent)
    if (live.isHeld) return
    this.#ready.add(live)
    if (this.#running !== undefined || this.#timer !== undefined || !this.#isStarted || this.#isStopped) return
    this.#timer = this.#options.timing.setTimeout(() => this.#run(), collectMs)
  }

  /** There is something to do now. */
  wake(live: LiveRollout): void {
    if (live.isHeld) return
    this.#ready.add(live)
    if (this.#isStarted) this.#run()
  }

  /** After a commit. */
  apply(change: Change): void {
    const { live } = change
    const { memory } = this.#options
    const wasOver = live.isOver
    live.rollout = change.rollout
    if (live.isOver !== wasOver) live.endedAt = live.isOver ? change.rollout.now : null
    if (live.sweep !== null) live.sweep.done += change.swept
    const left = change.looks.filter((look) => this.#applyLook(live, look))
    live.announce()
    if (!memory.has(live)) return
    const moved = change.looks.flatMap(({ agent, isMoved }) => (isMoved ? [agent] : []))
    this.#reconsider(moved)
    // Who has it already is not offered it, and has nothing to say.
    for (const agent of moved) this.notice(live, agent)
    if (live.isOver && !wasOver) this.onOver(live)
    else if (left.length > 0) this.#refreshBlockers()
    this.#carryOut(live, change.effects)
    if (this.#hasWork(live)) this.wake(live)
  }

  /** A rollout ended, or was replaced: others may go on. */
  onOver(live: LiveRollout): void {
    const { memory } = this.#options
    for (const agent of live.entries.keys()) {
      for (const other of memory.of(agent)) {
        const state = other === live ? undefined : other.entries.get(agent)?.member.state
        if (state === undefined || (state !== 'busy' && !(other.isOver && !memberTraits[state].settled))) continue
        other.changed.add(agent)
        this.wake(other)
      }
    }
    this.#refreshBlockers()
    // Whoever was not released yet has it with the group from now on.
    if (live.rollout.state === 'completed') this.#reconsider(live.entries.keys())
  }

  async settled(): Promise<void> {
    while (this.#searches.size > 0 || this.#running !== undefined || [...this.#ready].some((live) => !live.isHeld)) {
      await Promise.all(this.#searches)
      this.#run()
      await this.#running
      await setImmediate()
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#options.timing.clearTimeout(this.#timer)
    await Promise.all([this.#running, ...this.#searches])
    for (const live of this.#options.memory.all()) live.cancelAlarms()
  }

  #run(): void {
    if (this.#isStopped) return
    this.#options.timing.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#running ??= this.#outside(() => this.#turns()).finally(() => {
      this.#running = undefined
      if (this.#ready.size > 0) this.#run()
    })
  }

  /** One turn of each that has something to do, again and again. */
  async #turns(): Promise<void> {
    while (this.#ready.size > 0 && !this.#isStopped) {
      for (const live of this.#ready) {
        this.#ready.delete(live)
        if (this.#isStopped || live.isHeld || !this.#options.memory.has(live)) continue
        const startedAt = performance.now()
        await this.#turn(live)
        this.#options.metrics.observe('turn', performance.now() - startedAt)
        await setImmediate()
      }
    }
  }

  async #turn(live: LiveRollout): Promise<void> {
    this.#noticeClock()
    const taken = takeBatch(live)
    let hasProgress = taken.agents.length > 0 || taken.events.length > 0
    try {
      const batch = await this.#allowRetries(live, taken)
      const change = this.#compute(live, batch)
      hasProgress ||= change.isStored || change.swept > 0
      if (change.isStored) await this.#commit(live, batch)
      else this.apply({ ...change, rollout: live.rollout, effects: [] })
      live.failures = 0
    } catch (error) {
      giveBack(live, taken)
      this.#hold(live, error)
      return
    }
    this.#armWake(live)
    if (hasProgress && this.#options.memory.has(live) && this.#hasWork(live)) this.#ready.add(live)
  }

  /** A clock that is set forward by an hour ends no soak: nobody was watched meanwhile. */
  #noticeClock(): void {
    const { timing, memory, log } = this.#options
    const aheadMs = timing.now() - timing.monotonic()
    const byMs = aheadMs - this.#aheadMs
    if (Math.abs(byMs) < clockToleranceMs) return
    this.#aheadMs = aheadMs
    if (byMs < 0) return
    log.warn({ byMs }, 'the clock was set forward: waves are watched for that much longer by it')
    for (const live of memory.all()) {
      live.inbox.unshift({ kind: 'clockSet', byMs })
      if (!live.isHeld) this.#ready.add(live)
    }
  }

  /** Computed once more inside the transaction, where nobody else changes anything. */
  async #commit(live: LiveRollout, batch: Batch): Promise<void> {
    const { store, inFlight, memory, recorder } = this.#options
    await store.transaction(async (tx) => {
      await inFlight.settle(tx)
      if (!memory.has(live)) return
      const change = this.#compute(live, batch)
      await recorder.record(tx, change)
      inFlight.add(tx, () => this.apply(change))
    })
  }

  #compute(live: LiveRollout, batch: Batch): Change {
    const { memory, fleet, timing, metrics } = this.#options
    const startedAt = performance.now()
    const change = computeTurn(live, batch, { fleet: fleet(), memory, now: timing.now(), onFault: (error) => this.#logFault(error, live) })
    metrics.observe('rules', performance.now() - startedAt)
    return change
  }

  /** Before the members are tried again, so that a crash in between leaves them to be tried again once more, not never. */
  async #allowRetries(live: LiveRollout, taken: Omit<Batch, 'allowed'>): Promise<Batch> {
    const now = this.#options.timing.now()
    const isDue = (agent: string): boolean => {
      const entry = live.entries.get(agent)
      return entry !== undefined && isRetryDue(live, entry.member, entry.offline, { memory: this.#options.memory, now })
    }
    const swept = live.rollout.sweep?.kind === 'retry' ? (taken.sweep?.agents ?? []) : []
    const allowed = new Set([...taken.agents.filter(isDue), ...swept])
    if (allowed.size === 0) return { ...taken, allowed }
    try {
      await this.#options.fleet().allowRetry(allowed)
      return { ...taken, allowed }
    } catch (error) {
      this.#logFault(error, live)
      this.#holdSweep(live)
      return { ...taken, sweep: null, allowed: new Set() }
    }
  }

  #holdSweep(live: LiveRollout): void {
    live.isSweepHeld = true
    this.#options.deadlines.after(firstRetryMs, () => {
      live.isSweepHeld = false
      this.wake(live)
    })
  }

  /** Tried again after a while, and nothing of it was lost. */
  #hold(live: LiveRollout, error: unknown): void {
    live.failures += 1
    live.isHeld = true
    const retryMs = Math.min(maxRetryMs, firstRetryMs * 2 ** Math.min(10, live.failures - 1))
    if (live.failures === 1) {
      const fields = { err: error, rollout: live.id, retryMs }
      if (error instanceof StoreUnavailableError) this.#options.log.warn(fields, 'rollout waits until the store can write')
      else this.#options.log.error(fields, 'turn of a rollout failed, trying again')
    }
    this.#options.deadlines.after(error instanceof StoreUnavailableError ? firstRetryMs : retryMs, () => {
      live.isHeld = false
      if (this.#options.memory.has(live)) this.wake(live)
    })
  }

  #applyLook(live: LiveRollout, { agent, after, before, isOffline, deadlineAt }: Look): boolean {
    const { memory, timing, deadlines } = this.#options
    const isNew = !live.entries.has(agent)
    const entry = live.setMember(agent, after, before)
    if (entry === null) {
      memory.left(live, agent)
      for (const other of memory.of(agent)) this.notice(other, agent)
      return true
    }
    if (isNew) memory.joined(live, agent)
    live.setPresence(entry, isOffline)
    live.setAlarm(entry, deadlineAt, timing.now(), deadlines, (ringing) => {
      live.changed.add(ringing)
      this.wake(live)
    })
    return false
  }

  #reconsider(agents: Iterable<string>): void {
    const ids = [...agents]
    if (ids.length === 0) return
    try {
      this.#options.fleet().reconsider(ids)
    } catch (error) {
      this.#logFault(error, undefined)
    }
  }

  /** Releases and sweeps are seen in the rollout itself, and so is the time. */
  #carryOut(live: LiveRollout, effects: readonly Effect[]): void {
    for (const effect of effects) if (effect.kind === 'ask') this.#options.gates.ask(live, effect)
    this.#armWake(live)
  }

  #armWake(live: LiveRollout): void {
    const at = live.rollout.wakeAt
    if (live.wake?.at === at) return
    live.wake?.cancel()
    live.wake = null
    if (at === null || !this.#options.memory.has(live)) return
    const deadline = this.#options.deadlines.after(at - this.#options.timing.now(), () => {
      live.wake = null
      live.inbox.push({ kind: 'tick' })
      this.wake(live)
    })
    live.wake = { at, cancel: () => deadline.cancel() }
  }

  #refreshBlockers(): void {
    const { memory } = this.#options
    for (const live of memory.all()) {
      const names = remainingBlockers(memory, live)
      if (names === undefined) continue
      live.inbox.push({ kind: 'blockers', names })
      this.wake(live)
    }
  }

  #hasWork(live: LiveRollout): boolean {
    return hasWork(
      live,
      live.rollout.waves.some((_, wave) => releasesDue(live.rollout, wave) > 0),
    )
  }

  /** Agents that belong to it and are no members: they came while nobody looked. */
  async #findJoiners(live: LiveRollout): Promise<void> {
    let looked = 0
    for (const { id, lookup } of this.#options.fleet().agents()) {
      if (++looked % joinersPerTurn === 0) await setImmediate()
      if (this.#isStopped || !this.#options.memory.has(live)) return
      const member = live.entries.get(id)?.member
      if ((member === undefined && !live.takesJoiners) || live.chooses(lookup, member) === (member !== undefined)) continue
      live.regrouped.add(id)
      this.notice(live, id)
    }
  }

  #logFault(error: unknown, live: LiveRollout | undefined): void {
    if (!this.#isFaultLogged) this.#options.log.error({ err: error, rollout: live?.id }, 'a part that rollouts ask failed')
    this.#isFaultLogged = true
  }
}
