/** A rollout driver as small as can be: it stores first, and then acts. What it only remembers may be lost at any commit. */
import {
  allowRetry,
  configurationOutcome,
  createMember,
  createRollout,
  describeDecision,
  type Effect,
  emptyLedger,
  isOver,
  type Lookup,
  type Member,
  memberDeadline,
  memberTraits,
  type Move,
  moveOf,
  nextDeadline,
  observeMember,
  offerDecision,
  onStatus,
  openAttempt,
  outstandingEffects,
  placeLate,
  placeMembers,
  releaseMember,
  releasesDue,
  type ReportedStatus,
  restoreMember,
  retryMember,
  revisionFor,
  type Rollout,
  type RolloutEvent,
  type RolloutPlan,
  type Sight,
  step,
  timeOutAttempt,
  type Verdict,
} from '@drover/fleet'
import type { MemoryStore, Row } from './store.ts'

export interface DriverPorts {
  now(): number
  /** Calls at this time, unless the driver died meanwhile. */
  wake(at: number, run: () => void): void
  send(agent: string, hash: string, reason: string): void
  judge(round: number, gate: number, answer: (verdict: Verdict) => void): void
  tell(line: string): void
}

export const hashOf = (revision: number): string => `h${revision}`

export class Driver {
  private readonly plan: RolloutPlan
  private readonly store: MemoryStore
  private readonly ports: DriverPorts
  private readonly rows = new Map<string, Row>()
  private rollout: Rollout | null
  private current: number
  /** Hash of the last offer on the connection. */
  private readonly online = new Map<string, string | null>()
  private readonly offlineSince = new Map<string, number>()
  private readonly deadlines = new Map<string, number>()
  private queues: Map<number, string[]> | null = null
  private readonly todo: (() => void)[] = []
  private isActing = false

  /** Reads what is stored and goes on from there. */
  constructor(plan: RolloutPlan, store: MemoryStore, ports: DriverPorts) {
    this.plan = plan
    this.store = store
    this.ports = ports
    const { rows, rollout, current } = store.load()
    for (const row of rows) {
      this.rows.set(row.agent, row)
      this.offlineSince.set(row.agent, ports.now())
    }
    this.rollout = rollout
    this.current = current
  }

  /** After the constructor, so that what it does may fail. */
  resume(): void {
    for (const agent of this.rows.keys()) this.look(agent)
    if (this.rollout !== null) this.enqueue(outstandingEffects(this.plan, this.rollout))
  }

  /** The group gets another revision: a new rollout, which takes over from one that is under way. */
  startRollout(to: number): void {
    const old = this.rollout
    if (old?.state === 'rollingBack') return
    if (old !== null && !isOver(old)) this.transact([], [{ kind: 'supersede', rollout: `r${to}`, by: 'ann', reason: '' }])
    const draft = createRollout({ id: `r${to}`, group: 'g', from: this.current, to })
    const candidates = Array.from(this.rows.values(), ({ agent, parity }) => ({ agent, reachable: this.online.has(agent), lookup: lookup(parity) }))
    const { waves, placements } = placeMembers(this.plan, draft.id, candidates)
    const now = this.ports.now()
    const rows = placements.flatMap((placement): Row[] => {
      const row = this.rows.get(placement.agent)
      return row === undefined ? [] : [{ ...row, member: createMember(placement, revisionFor(this.current, old, row.member).revision, now) }]
    })
    const started = step(this.plan, draft, { kind: 'start', by: 'ann', reason: '', waves, blockers: [] }, now)
    this.store.commit({ rows, rollout: started.rollout, decisions: started.decisions, ...finished(started.rollout) })
    this.remember(rows, started.rollout)
    this.queues = null
    for (const decision of started.decisions) this.ports.tell(`${draft.id}: ${describeDecision(decision)}`)
    this.enqueue(started.effects)
  }

  act(kind: 'pause' | 'resume' | 'promote' | 'retry' | 'stop' | 'rollBack', by: string): void {
    this.transact([], [{ kind, by, reason: '' }])
  }

  join(agent: string, parity: string): void {
    const member =
      this.rollout === null || this.rollout.waves.length === 0
        ? null
        : createMember(placeLate(this.plan, this.rollout.id, this.rollout.waves, agent, lookup(parity)), this.rollout.from, this.ports.now())
    this.offlineSince.set(agent, this.ports.now())
    this.queues = null
    this.transact([{ agent, parity, ledger: emptyLedger, member }])
  }

  leave(agent: string): void {
    const row = this.rows.get(agent)
    if (row === undefined) return
    this.online.delete(agent)
    const move = moveOf(row.member, null)
    const stepped = move === null || this.rollout === null ? null : step(this.plan, this.rollout, { kind: 'moved', moves: [move] }, this.ports.now())
    this.store.commit({
      rows: [{ agent, gone: true }],
      ...(stepped === null ? {} : { rollout: stepped.rollout, decisions: stepped.decisions, ...finished(stepped.rollout) }),
    })
    this.rows.delete(agent)
    if (stepped === null) return
    this.remember([], stepped.rollout)
    this.enqueue(stepped.effects)
  }

  onConnect(agent: string, status: ReportedStatus): void {
    if (!this.rows.has(agent)) return
    this.online.set(agent, null)
    this.offlineSince.delete(agent)
    this.onReport(agent, status)
  }

  onDisconnect(agent: string): void {
    if (!this.online.delete(agent)) return
    this.offlineSince.set(agent, this.ports.now())
    this.look(agent)
    if (this.rows.size <= 100) this.transact([], [{ kind: 'presence', control: this.presence() }])
  }

  onReport(agent: string, status: ReportedStatus): void {
    const row = this.rows.get(agent)
    if (row === undefined || !this.online.has(agent)) return
    const { ledger } = onStatus(row.ledger, { ...status, now: this.ports.now(), desired: this.desired(row) })
    this.look(agent, { ...row, ledger })
  }

  private presence() {
    const control = [...this.rows.values()].filter(({ member }) => member !== null && memberTraits[member.state].side === 'before')
    return { bad: control.filter(({ agent }) => !this.online.has(agent)).length, of: control.length }
  }

  private desired({ member }: Row): string | null {
    const { revision } = revisionFor(this.current, this.rollout, member)
    return revision === null ? null : hashOf(revision)
  }

  private sight(row: Row): Sight {
    const outcome = configurationOutcome({ desired: this.desired(row), accepts: true, reports: true, ledger: row.ledger })
    return { outcome, offlineSince: this.offlineSince.get(row.agent) ?? null, busy: false }
  }

  /** Takes what is known of an Agent to its member, stores that, and offers what it should have. */
  private look(agent: string, changed: Row | undefined = this.rows.get(agent)): void {
    if (changed === undefined) return
    const now = this.ports.now()
    const row = this.retried({ ...changed, ledger: timeOutAttempt(changed.ledger, now, this.plan.times.applyTimeoutMs).ledger }, now)
    this.transact([this.observed(row, now)])
    this.offer(agent)
    this.setDeadline(agent)
  }

  private retried(row: Row, now: number): Row {
    const { member, ledger } = row
    const desired = this.desired(row)
    if (member?.state !== 'retrying' || desired === null || now < member.since + this.plan.retries.delayMs) return row
    return { ...row, member: retryMember(member, now), ledger: allowRetry(ledger, desired) }
  }

  private observed(row: Row, now: number): Row {
    return row.member === null ? row : { ...row, member: observeMember(this.plan, row.member, this.sight(row), now) }
  }

  private offer(agent: string): void {
    const row = this.rows.get(agent)
    const lastOffered = this.online.get(agent)
    if (row === undefined || lastOffered === undefined) return
    const decision = offerDecision({
      desired: this.desired(row),
      accepts: true,
      reports: true,
      connected: true,
      complete: true,
      lastOffered,
      ledger: row.ledger,
      baseline: null,
    })
    if (decision.kind === 'none') return
    const now = this.ports.now()
    const { hash, reason } = decision
    this.transact([this.observed({ ...row, ledger: openAttempt(row.ledger, { hash, reason, now }).ledger }, now)])
    this.online.set(agent, hash)
    this.ports.send(agent, hash, reason)
  }

  private setDeadline(agent: string): void {
    const row = this.rows.get(agent)
    if (row === undefined) return
    const times = [
      nextDeadline(row.ledger, this.plan.times.applyTimeoutMs),
      row.member === null ? null : memberDeadline(this.plan, row.member, this.sight(row)),
    ]
    const known = times.filter((time) => time !== null)
    const at = Math.min(...known)
    if (known.length === 0 || (this.deadlines.get(agent) ?? Number.POSITIVE_INFINITY) <= at) return
    this.deadlines.set(agent, at)
    this.ports.wake(at, () => {
      this.deadlines.delete(agent)
      this.look(agent)
    })
  }

  /** Everything at once: rows, what their change is to the rollout, and what else happened to it. Nothing is stored when nothing changed. */
  private transact(rows: readonly Row[], events: readonly RolloutEvent[] = []): void {
    const moves: Move[] = []
    const changed = rows.filter((row) => {
      const before = this.rows.get(row.agent)
      const move = moveOf(before?.member ?? null, row.member)
      if (move !== null) moves.push(move)
      return before !== row && JSON.stringify(before) !== JSON.stringify(row)
    })
    const all: readonly RolloutEvent[] = moves.length === 0 ? events : [{ kind: 'moved', moves }, ...events]
    if (changed.length === 0 && all.length === 0) return
    const now = this.ports.now()
    let { rollout } = this
    const decisions = []
    const effects = []
    if (rollout !== null)
      for (const event of all) {
        const next = step(this.plan, rollout, event, now)
        rollout = next.rollout
        decisions.push(...next.decisions)
        effects.push(...next.effects)
      }
    this.store.commit({ rows: changed, rollout, decisions, ...(rollout === null ? {} : finished(rollout)) })
    this.remember(changed, rollout)
    for (const decision of decisions) this.ports.tell(`${rollout?.id}: ${describeDecision(decision)}`)
    this.enqueue(effects)
  }

  private remember(rows: readonly Row[], rollout: Rollout | null): void {
    for (const row of rows) this.rows.set(row.agent, row)
    for (const { member } of rows) if (member?.state === 'pending') this.queues?.get(member.wave)?.push(member.agent)
    this.rollout = rollout
    this.current = this.store.current
  }

  private enqueue(effects: readonly Effect[]): void {
    for (const effect of effects) this.todo.push(() => this.carryOut(effect))
    if (this.isActing) return
    this.isActing = true
    for (let next = this.todo.shift(); next !== undefined; next = this.todo.shift()) next()
    this.isActing = false
  }

  private carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'release':
        return this.release(effect.wave)
      case 'restore':
      case 'retry':
        for (const agent of this.rows.keys()) this.sweep(effect.kind, agent)
        return this.transact([], [{ kind: 'swept', sweep: effect.sweep }])
      case 'ask':
        for (const gate of effect.gates)
          this.ports.judge(effect.round, gate, (verdict) => this.transact([], [{ kind: 'verdict', round: effect.round, gate, verdict }]))
        return
      case 'wake':
        return this.ports.wake(effect.at, () => this.transact([], [{ kind: 'tick' }]))
      case 'finished':
        // The group has a revision now that some rows only heard of.
        for (const agent of this.rows.keys()) this.look(agent)
        return
      default:
        return effect satisfies never
    }
  }

  private release(wave: number): void {
    for (;;) {
      const due = this.rollout === null ? 0 : releasesDue(this.rollout, wave)
      const agent = due === 0 ? undefined : this.nextPending(wave)
      const row = agent === undefined ? undefined : this.rows.get(agent)
      if (agent === undefined || row?.member == null) return
      this.transact([{ ...row, member: releaseMember(this.plan, row.member, this.sight(row), this.ports.now()) }])
      this.look(agent)
    }
  }

  private nextPending(wave: number): string | undefined {
    this.queues ??= queuesOf(this.rows.values())
    const queue = this.queues.get(wave) ?? []
    for (let agent = queue.shift(); agent !== undefined; agent = queue.shift()) if (this.rows.get(agent)?.member?.state === 'pending') return agent
    return undefined
  }

  private sweep(kind: 'restore' | 'retry', agent: string): void {
    const row = this.rows.get(agent)
    if (row?.member == null || this.rollout === null) return
    const now = this.ports.now()
    const { state } = row.member
    if (kind === 'restore') this.transact([{ ...row, member: restoreMember(row.member, this.rollout.from, this.offlineSince.get(agent) ?? null, now) }])
    else if (state === 'failed' || state === 'timedOut') {
      const desired = this.desired(row)
      this.transact([{ ...row, member: retryMember(row.member, now), ledger: desired === null ? row.ledger : allowRetry(row.ledger, desired) }])
      // What timed out is offered once more on the same connection.
      if (state === 'timedOut' && this.online.has(agent)) this.online.set(agent, null)
    }
    this.look(agent)
  }
}

const lookup =
  (parity: string): Lookup =>
  (key) =>
    key === 'parity' ? parity : undefined

function finished(rollout: Rollout): { readonly current?: number } {
  if (rollout.state === 'completed') return { current: rollout.to }
  return rollout.state === 'rolledBack' && rollout.from !== null ? { current: rollout.from } : {}
}

function queuesOf(rows: Iterable<Row>): Map<number, string[]> {
  const members = Array.from(rows, ({ member }) => member).filter((member): member is Member => member?.state === 'pending')
  const queues = new Map<number, string[]>()
  for (const { wave, agent } of members.toSorted((a, b) => a.point - b.point || (a.agent < b.agent ? -1 : 1))) {
    const queue = queues.get(wave)
    if (queue === undefined) queues.set(wave, [agent])
    else queue.push(agent)
  }
  return queues
}
