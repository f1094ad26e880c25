/** A rollout driver as small as can be, for two groups: it stores first, and then acts. What it only remembers may be lost at any commit. */
import {
  describeDecision,
  type Effect,
  emptyLedger,
  observeMember,
  offerDecision,
  openAttempt,
  outstandingEffects,
  releaseMember,
  releasesDue,
  restoreMember,
  retriable,
  retriesDue,
  retryMember,
  type RolloutEvent,
  type Sight,
  timeOutAttempt,
  type Verdict,
} from '@drover/fleet'
import type { AgentReport, Offer } from './agent.ts'
import { baselineHash, desiredConfig, isBefore, isBusy, isKept, isUnderWay, outcomeOf, planOf, standingOf, waits } from './desired.ts'
import { Presence, type Presences } from './presence.ts'
import { Queues } from './queues.ts'
import { allowed, deadlineOf, hear, matters, noMembers, retried, settingsToOffer, withMember } from './rows.ts'
import { type Facts, type GroupName, groupNames, type Scenario, type Traits } from './scenario.ts'
import { placed, type RowChange, startOf, turnOf } from './turn.ts'
import { type GroupRow, type MemoryStore, type Row, type StoredDecision } from './store.ts'

export interface DriverPorts {
  now(): number
  /** Not moved when the clock is set. */
  monotonic(): number
  /** Calls at this time, unless the driver died meanwhile. */
  wake(at: number, run: () => void): void
  send(agent: string, offer: Offer): void
  judge(rollout: string, round: number, gate: number, answer: (verdict: Verdict) => void): void
  tell(line: () => string): void
}

export type PersonAct = 'approve' | 'pause' | 'resume' | 'promote' | 'retry' | 'stop' | 'rollBack'
type GroupEvent = { readonly group: GroupName; readonly event: RolloutEvent }

/** Of an Agent with an open connection. */
interface Session {
  readonly connection: number
  readonly since: number
  report: AgentReport
  /** What it said is not stored yet. */
  isNew: boolean
  /** Hashes of the last offers. */
  config: string | null
  settings: string | null
}

const readOnlyRetryMs = 20_000

export class Driver {
  private readonly scenario: Scenario
  private readonly store: MemoryStore
  private readonly ports: DriverPorts
  private readonly rows = new Map<string, Row>()
  private readonly groups = new Map<GroupName, GroupRow>()
  private readonly sessions = new Map<string, Session>()
  private readonly offlineSince = new Map<string, number>()
  private readonly deadlines = new Map<string, number>()
  private readonly queues = new Map<GroupName, Queues>()
  private readonly presences: Presences = new Map()
  private readonly todo: (() => void)[] = []
  private aheadMs: number
  private isActing = false
  private isRecovering = false

  /** Reads what is stored and goes on from there. */
  constructor(scenario: Scenario, store: MemoryStore, ports: DriverPorts) {
    this.scenario = scenario
    this.store = store
    this.ports = ports
    this.aheadMs = ports.now() - ports.monotonic()
    const { rows, groups } = store.load()
    for (const row of rows) {
      this.rows.set(row.agent, row)
      this.offlineSince.set(row.agent, ports.now())
    }
    for (const group of groups) this.groups.set(group.name, group)
    for (const row of rows) this.count(row.agent, row)
  }

  /** After the constructor, so that what it does may fail. */
  resume(): void {
    for (const agent of this.rows.keys()) this.look(agent)
    for (const { name, rollout } of this.groups.values()) {
      if (rollout === null) continue
      this.unblock(name)
      this.enqueue(name, outstandingEffects(planOf(this.scenario, name), rollout))
    }
  }

  /** The group gets another revision. What ends and what begins is one commit. */
  startRollout(name: GroupName, to: number, by: string): void {
    const { scenario, groups } = this
    const isConnected = (agent: string): boolean => this.sessions.has(agent)
    const started = startOf(name, to, { scenario, groups, all: [...this.rows.values()], isConnected, by, now: this.ports.now() })
    if (started === null) return
    const { rows, group, decisions, effects } = started
    this.store.commit({ rows, gone: [], groups: [group], decisions }, true)
    this.presences.delete(name)
    this.remember(rows, [group], decisions)
    this.queues.delete(name)
    this.enqueue(name, effects)
  }

  /** Throws RolloutError when it is refused, StoreRefused when it cannot be stored. */
  act(name: GroupName, kind: PersonAct, by: string): void {
    if (this.groups.get(name)?.rollout != null) this.transact([], [{ group: name, event: { kind, by, reason: '' } }])
  }

  join(agent: string, facts: Facts, traits: Traits): void {
    this.offlineSince.set(agent, this.ports.now())
    const row: Row = { agent, facts, traits, ledger: emptyLedger, settings: { offered: null, status: null, failed: [] }, members: noMembers }
    this.transact([placed(this.scenario, this.groups, row, this.ports.now())])
  }

  relabel(agent: string, facts: Facts): void {
    const row = this.rows.get(agent)
    if (row === undefined) return
    this.transact([placed(this.scenario, this.groups, { ...row, facts }, this.ports.now())])
    this.look(agent)
  }

  leave(agent: string): void {
    const row = this.rows.get(agent)
    if (row === undefined) return
    this.sessions.delete(agent)
    this.transact([], [], row)
  }

  onConnect(agent: string, connection: number, report: AgentReport): void {
    if (!this.rows.has(agent)) return
    this.sessions.set(agent, { connection, since: this.ports.now(), report, isNew: true, config: null, settings: null })
    this.offlineSince.delete(agent)
    this.count(agent, this.rows.get(agent))
    this.onReport(agent, connection, report)
  }

  /** A late word of an earlier connection says nothing about the present one. */
  onDisconnect(agent: string, connection: number): void {
    if (this.sessions.get(agent)?.connection !== connection) return
    this.sessions.delete(agent)
    this.offlineSince.set(agent, this.ports.now())
    this.count(agent, this.rows.get(agent))
    this.look(agent, true)
  }

  onReport(agent: string, connection: number, report: AgentReport): void {
    const session = this.sessions.get(agent)
    if (session?.connection !== connection) return
    // Kept in memory first: when the store takes no writes it is looked at again.
    session.report = report
    session.isNew = true
    this.look(agent, true)
  }

  private sight(row: Row, name: GroupName): Sight {
    // Of one that waits for its turn nobody asks what became of the revision.
    const isWaiting = isBefore(row, name)
    const outcome = isWaiting ? 'none' : outcomeOf(this.scenario, this.groups, row, name, this.sessions.get(row.agent)?.report.running)
    const offlineSince = this.offlineSince.get(row.agent) ?? null
    const connectedSince = this.sessions.get(row.agent)?.since ?? null
    return { outcome, offlineSince, connectedSince, busy: isWaiting && isBusy(this.groups, row, name), standing: standingOf(this.groups, row, name) }
  }

  /** Takes what is known of an Agent to its members, stores that, and offers what it should have. `isPresence`: it may have come or gone. */
  private look(agent: string, isPresence = false): void {
    const stored = this.rows.get(agent)
    if (stored === undefined) return
    const session = this.sessions.get(agent)
    const now = this.ports.now()
    const heard = session?.isNew === true ? hear(this.scenario, this.groups, stored, session.report, now) : stored
    const { applyTimeoutMs } = planOf(this.scenario, 'g').times
    const ledger = heard.traits.reportsConfig ? timeOutAttempt(heard.ledger, now, applyTimeoutMs).ledger : heard.ledger
    const timed = ledger === heard.ledger ? heard : { ...heard, ledger }
    const row = retried(this.scenario, this.groups, timed, session !== undefined, now)
    if (row !== timed) this.forgetOffers(agent)
    this.transact([this.observed(row, now)], isPresence ? this.presenceEvents() : [])
    if (session !== undefined) session.isNew = false
    this.offer(agent)
    this.setDeadline(agent)
  }

  private observed(row: Row, now: number): Row {
    let next = row
    for (const name of groupNames) {
      const member = next.members[name]
      if (member !== undefined && !isKept(this.groups.get(name), member))
        next = withMember(next, name, observeMember(planOf(this.scenario, name), member, this.sight(next, name), now))
    }
    return next
  }

  private offer(agent: string): void {
    const row = this.rows.get(agent)
    const session = this.sessions.get(agent)
    if (row === undefined || session === undefined) return
    const desired = desiredConfig(this.scenario, this.groups, row)
    const decision = offerDecision({
      desired,
      accepts: row.traits.acceptsConfig,
      reports: row.traits.reportsConfig,
      connected: true,
      complete: true,
      lastOffered: session.config,
      ledger: row.ledger,
      baseline: row.ledger.attempts.length === 0 ? null : baselineHash,
      ...(desired === null ? {} : { effectiveMatches: session.report.running === desired }),
    })
    const settings = settingsToOffer(this.scenario, this.groups, row, session.settings)
    if (decision.kind === 'none' && settings === null) return
    const now = this.ports.now()
    const ledger = decision.kind === 'none' ? row.ledger : openAttempt(row.ledger, { hash: decision.hash, reason: decision.reason, now }).ledger
    const offered: Row = { ...row, ledger, settings: settings === null ? row.settings : { ...row.settings, offered: settings } }
    this.transact([this.observed(offered, now)])
    const config = decision.kind === 'none' ? null : decision.hash
    session.config = config ?? session.config
    session.settings = settings ?? session.settings
    this.ports.send(agent, { config, settings })
  }

  private setDeadline(agent: string): void {
    const row = this.rows.get(agent)
    if (row === undefined) return
    const at = deadlineOf(this.scenario, this.groups, row, this.offlineSince.get(agent) ?? null)
    if (at === Number.POSITIVE_INFINITY || (this.deadlines.get(agent) ?? Number.POSITIVE_INFINITY) <= at) return
    this.deadlines.set(agent, at)
    this.ports.wake(at, () => {
      this.deadlines.delete(agent)
      this.look(agent)
    })
  }

  /** Everything at once: rows, what their change is to the rollouts, and what else happened to those. Nothing is stored when nothing changed. */
  private transact(rows: readonly Row[], happened: readonly GroupEvent[] = [], gone: Row | null = null): void {
    const changed = rows.filter((row) => this.rows.get(row.agent) !== row)
    const changes = changed.map((row): RowChange => [this.rows.get(row.agent), row])
    if (gone !== null) changes.push([gone, undefined])
    const now = this.ports.now()
    const aheadMs = now - this.ports.monotonic()
    const events = [...this.clockEvents(aheadMs - this.aheadMs), ...happened]
    const stepped = groupNames.flatMap((name) => {
      const own = events.filter(({ group }) => group === name).map(({ event }) => event)
      return turnOf(this.scenario, this.groups.get(name), changes, own, now) ?? []
    })
    if (changed.length === 0 && stepped.length === 0 && gone === null) return
    const groups = stepped.map(({ group }) => group)
    const decisions = stepped.flatMap((one) => one.decisions)
    // Whatever sets what is sent, or must never be forgotten, is on disk before anything else is done.
    const sync = decisions.length > 0 || gone !== null || changed.some((row) => matters(this.rows.get(row.agent), row))
    this.store.commit({ rows: changed, gone: gone === null ? [] : [gone.agent], groups, decisions }, sync)
    this.aheadMs = aheadMs
    if (gone !== null) {
      this.rows.delete(gone.agent)
      this.count(gone.agent, undefined)
    }
    this.remember(changed, groups, decisions)
    for (const { group, effects } of stepped) this.enqueue(group.name, effects)
  }

  /** The clock was set forward since the last commit. */
  private clockEvents(byMs: number): GroupEvent[] {
    return byMs <= 0 ? [] : groupNames.map((group) => ({ group, event: { kind: 'clockSet', byMs } }))
  }

  private remember(rows: readonly Row[], groups: readonly GroupRow[], decisions: readonly StoredDecision[]): void {
    for (const group of groups) this.groups.set(group.name, group)
    for (const row of rows) {
      this.rows.set(row.agent, row)
      this.count(row.agent, row)
    }
    for (const { members } of rows) for (const name of groupNames) if (members[name]?.state === 'pending') this.queues.get(name)?.add(members[name])
    for (const { rollout, decision } of decisions) this.ports.tell(() => `${rollout}: ${describeDecision(decision)}`)
  }

  private enqueue(name: GroupName, effects: readonly Effect[]): void {
    for (const effect of effects) this.todo.push(() => this.carryOut(name, effect))
    if (this.isActing) return
    this.isActing = true
    try {
      for (let next = this.todo.shift(); next !== undefined; next = this.todo.shift()) next()
    } finally {
      this.isActing = false
    }
  }

  /** The store takes no writes: forgets what it was about to do, and begins again from what is stored once it takes them. */
  onReadOnly(): void {
    this.todo.length = 0
    if (this.isRecovering) return
    this.isRecovering = true
    this.ports.wake(this.ports.now() + readOnlyRetryMs, () => {
      this.isRecovering = false
      this.queues.clear()
      this.resume()
    })
  }

  private carryOut(name: GroupName, effect: Effect): void {
    switch (effect.kind) {
      case 'release':
        return this.release(name, effect.wave)
      case 'restore':
        for (const agent of this.rows.keys()) this.restore(name, agent)
        return this.transact([], [{ group: name, event: { kind: 'swept', sweep: effect.sweep } }])
      case 'retry':
        return this.retryAll(name, effect.sweep)
      case 'ask': {
        const id = this.groups.get(name)?.rollout?.id ?? ''
        for (const gate of effect.gates)
          this.ports.judge(id, effect.round, gate, (verdict) => {
            if (this.groups.get(name)?.rollout?.id === id) this.transact([], [{ group: name, event: { kind: 'verdict', round: effect.round, gate, verdict } }])
          })
        return
      }
      case 'wake':
        return this.ports.wake(effect.at, () => this.transact([], [{ group: name, event: { kind: 'tick' } }]))
      case 'finished':
        for (const other of groupNames) if (other !== name) this.unblock(other)
        for (const { agent, members } of this.rows.values()) if (groupNames.some((other) => waits(this.groups.get(other), members[other]))) this.look(agent)
        return
      default:
        return effect satisfies never
    }
  }

  private unblock(name: GroupName): void {
    const rollout = this.groups.get(name)?.rollout ?? null
    if (rollout === null || rollout.blockers.length === 0) return
    const names = rollout.blockers.filter((id) => [...this.groups.values()].some((group) => group.rollout?.id === id && isUnderWay(group)))
    if (names.length < rollout.blockers.length) this.transact([], [{ group: name, event: { kind: 'blockers', names } }])
  }

  private release(name: GroupName, wave: number): void {
    for (;;) {
      const rollout = this.groups.get(name)?.rollout ?? null
      const agent = rollout === null || releasesDue(rollout, wave) === 0 ? undefined : this.nextPending(name, wave)
      const row = agent === undefined ? undefined : this.rows.get(agent)
      const member = row?.members[name]
      if (agent === undefined || row === undefined || member === undefined) return
      this.transact([withMember(row, name, releaseMember(planOf(this.scenario, name), member, this.sight(row, name), this.ports.now()))])
      this.look(agent)
    }
  }

  private nextPending(name: GroupName, wave: number): string | undefined {
    const queues = this.queues.get(name) ?? new Queues(this.rows.values(), name)
    this.queues.set(name, queues)
    return queues.take(wave, (agent) => this.rows.get(agent)?.members[name]?.state === 'pending')
  }

  private restore(name: GroupName, agent: string): void {
    const row = this.rows.get(agent)
    const member = row?.members[name]
    const rollout = this.groups.get(name)?.rollout ?? null
    if (row === undefined || member === undefined || rollout === null) return
    this.transact([withMember(row, name, restoreMember(member, rollout.from, this.offlineSince.get(agent) ?? null, this.ports.now()))])
    this.look(agent)
  }

  private retryAll(name: GroupName, sweep: number): void {
    const failed = [...this.rows.values()].filter(({ members }) => retriable.includes(members[name]?.state ?? 'pending'))
    for (const { agent } of failed.toSorted((a, b) => (a.members[name]?.since ?? 0) - (b.members[name]?.since ?? 0))) {
      const rollout = this.groups.get(name)?.rollout ?? null
      // The rest when others have answered.
      if (rollout === null || retriesDue(planOf(this.scenario, name), rollout) === 0) return
      const row = this.rows.get(agent)
      const member = row?.members[name]
      if (row === undefined || member === undefined) continue
      this.transact([allowed(this.scenario, this.groups, withMember(row, name, retryMember(member, this.ports.now())), name)])
      this.forgetOffers(agent)
      this.look(agent)
    }
    this.transact([], [{ group: name, event: { kind: 'swept', sweep } }])
  }

  /** The same is offered once more on the same connection. */
  private forgetOffers(agent: string): void {
    const session = this.sessions.get(agent)
    if (session === undefined) return
    session.config = null
    session.settings = null
  }

  private count(agent: string, row: Row | undefined): void {
    for (const group of this.groups.values()) this.presenceIn(group.name).update(agent, row, group, this.offlineSince.get(agent))
  }

  private presenceIn(name: GroupName): Presence {
    const known = this.presences.get(name) ?? new Presence()
    this.presences.set(name, known)
    return known
  }

  private presenceEvents(): readonly GroupEvent[] {
    return [...this.groups.values()].flatMap(({ name, rollout }): GroupEvent[] => {
      const control = this.presenceIn(name).share
      const isSame = rollout === null || (rollout.presence.bad === control.bad && rollout.presence.of === control.of)
      return isSame || !isUnderWay({ rollout }) ? [] : [{ group: name, event: { kind: 'presence', control } }]
    })
  }
}
