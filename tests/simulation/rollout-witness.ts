/** Watches what is stored: counts for itself, and checks each step of each rollout. A commit costs what changed. */
import { askedGates, type Decision, type MemberState, memberTraits, type Rollout, type VerdictKind } from '@drover/fleet'
import { idOf, isUnderWay, planOf } from './desired.ts'
import { broken } from './invariant.ts'
import { type GroupName, groupNames, openTimes, type Scenario } from './scenario.ts'
import type { Before, Change, GroupRow, MemoryStore, Row } from './store.ts'

/** What the witness counted of one group's newest rollout. */
interface Tally {
  rollout: string
  readonly counts: Map<string, number>
  inFlight: number
  bad: number
  judged: number
}

const keyOf = (wave: number, state: MemberState): string => `${wave}/${state}`
const recountEvery = 5000

export class RolloutWitness {
  private readonly scenario: Scenario
  private readonly store: MemoryStore
  private readonly trueNow: () => number
  private readonly tallies = new Map<GroupName, Tally>()
  private readonly numbers = new Map<string, number>()
  private readonly opened = new Map<string, number>()
  private readonly soakedAt = new Map<string, number>()
  /** By the one clock that is right, of the soaks that the server has watched without a break. */
  private readonly watchedAt = new Map<string, number>()
  private readonly lastTold = new Map<string, number>()
  /** Verdicts that were given, by rollout and round. */
  private readonly verdicts = new Map<string, Map<number, VerdictKind>>()
  private readonly lastRound = new Map<string, number>()
  /** People's decisions that they were told are done. */
  private readonly acknowledged: { readonly rollout: string; readonly seq: number }[] = []
  /** Revision that the last completed rollout gave. */
  private readonly completed = new Map<GroupName, number | null>()
  /** Rollouts with an act that lets pass what went wrong, after which the budget is another. */
  private readonly excused = new Set<string>()

  constructor(scenario: Scenario, store: MemoryStore, trueNow: () => number) {
    this.scenario = scenario
    this.store = store
    this.trueNow = trueNow
  }

  onStored(change: Change, was: Before): void {
    for (const name of groupNames) {
      const group = this.store.groups.get(name)
      if (group?.rollout == null) continue
      const touched = this.count(name, group.rollout, change, was)
      this.checkCounters(name, group.rollout, touched)
      this.checkReleases(name, group.rollout, change, was)
    }
    for (const { rollout, decision } of change.decisions)
      if (decision.cause === 'person' && (decision.kind === 'resumed' || decision.kind === 'promoted')) this.excused.add(rollout)
    for (const group of change.groups) this.checkGroup(group, was.groups.find(({ name }) => name === group.name)?.group, change)
    for (const { rollout, group, decision } of change.decisions) this.checkDecision(rollout, group, decision)
    if (this.store.commits % recountEvery === 0) this.recountAll()
  }

  private tallyOf(name: GroupName, rollout: Rollout): Tally {
    const known = this.tallies.get(name)
    if (known?.rollout === rollout.id) return known
    const fresh: Tally = { rollout: rollout.id, counts: new Map(), inFlight: 0, bad: 0, judged: 0 }
    this.tallies.set(name, fresh)
    for (const { members } of this.store.rows.values()) this.add(fresh, members[name], 1)
    return fresh
  }

  private add(tally: Tally, member: Row['members'][GroupName], by: 1 | -1): string | null {
    if (member === undefined) return null
    const { inFlight, judged } = memberTraits[member.state]
    const key = keyOf(member.wave, member.state)
    tally.counts.set(key, (tally.counts.get(key) ?? 0) + by)
    if (inFlight) tally.inFlight += by
    if (judged !== null) tally.judged += by
    if (judged === 'bad') tally.bad += by
    return key
  }

  /** States whose counts changed. */
  private count(name: GroupName, rollout: Rollout, { rows }: Change, was: Before): readonly string[] {
    if (this.tallies.get(name)?.rollout !== rollout.id) {
      this.tallyOf(name, rollout)
      return [...(this.tallies.get(name)?.counts.keys() ?? [])]
    }
    const tally = this.tallyOf(name, rollout)
    const touched: (string | null)[] = []
    for (let index = 0; index < was.rows.length; index++) {
      const before = was.rows[index]?.row?.members[name]
      const after = rows[index]?.members[name]
      if (before === after || (before?.state === after?.state && before?.wave === after?.wave)) continue
      touched.push(this.add(tally, before, -1), this.add(tally, after, 1))
    }
    return touched.filter((key) => key !== null)
  }

  private checkCounters(name: GroupName, { id, waves }: Rollout, touched: readonly string[]): void {
    const counts = this.tallies.get(name)?.counts
    for (const key of touched) {
      const [wave, state] = key.split('/') as [string, MemberState]
      const [kept, counted] = [waves[Number(wave)]?.counters[state] ?? 0, counts?.get(key) ?? 0]
      if (kept !== counted) broken('counters', `wave ${Number(wave) + 1} of ${id} counts ${kept} ${state}, but there are ${counted}`)
    }
  }

  /** Counts all rows anew: at intervals, after a loss of power, and at the end. */
  recountAll(): void {
    for (const { name, rollout } of this.store.groups.values()) {
      if (rollout === null) continue
      const counted = rollout.waves.map((): Record<string, number> => ({}))
      for (const { members } of this.store.rows.values()) {
        const member = members[name]
        const counts = member === undefined ? undefined : counted[member.wave]
        if (member !== undefined && counts !== undefined) counts[member.state] = (counts[member.state] ?? 0) + 1
      }
      rollout.waves.forEach(({ counters }, wave) => {
        const [kept, found] = [counters, counted[wave] ?? {}].map((all) => JSON.stringify(Object.entries(all).toSorted()))
        if (kept !== found) broken('counters', `wave ${wave + 1} of ${rollout.id} counts ${kept}, but there are ${found}`)
      })
    }
  }

  /** Whoever may have the new revision from now on: in an open wave, within the limit, in an open window. */
  private checkReleases(name: GroupName, rollout: Rollout, { rows }: Change, was: Before): void {
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index]
      const [before, after] = [was.rows[index]?.row?.members[name], row?.members[name]]
      if (row === undefined || before === after || before === undefined || after === undefined || memberTraits[after.state].side !== 'target') continue
      this.checkRetry(name, rollout, row.agent, before.state, after.state)
      if (memberTraits[before.state].side !== 'before') continue
      if (!['running', 'soaking', 'completed'].includes(rollout.state))
        broken('released-while-it-rests', `${row.agent} is released though ${rollout.id} is ${rollout.state}`)
      if (after.wave > rollout.wave || rollout.waves[after.wave]?.openedAt === null)
        broken('released-too-early', `${row.agent} of wave ${after.wave + 1} is released in wave ${rollout.wave + 1}`)
      this.checkTime(name, rollout)
      this.checkAlone(name, row)
    }
  }

  /** Nobody is in two rollouts that are under way; the older one goes first. */
  private checkAlone(name: GroupName, { agent, members }: Row): void {
    const order = this.store.groups.get(name)?.order ?? 0
    for (const other of this.store.groups.values()) {
      if (other.order < order && isUnderWay(other) && members[other.name] !== undefined)
        broken('overlap', `${agent} is released by a rollout of ${name} though ${other.rollout?.id} is ${other.rollout?.state}`)
    }
  }

  /** A person's wish, but a few at a time. */
  private checkRetry(name: GroupName, { id, sweep }: Rollout, agent: string, from: MemberState, to: MemberState): void {
    if (sweep?.kind !== 'retry' || (from !== 'failed' && from !== 'timedOut') || to !== 'released') return
    const inFlight = this.tallies.get(name)?.inFlight ?? 0
    const { concurrency } = planOf(this.scenario, name)
    if (inFlight > concurrency)
      broken('concurrency', `${agent} is tried again, and with it ${inFlight} agents are under way in ${id}, where ${concurrency} may be`)
  }

  /** Whenever releases are granted, everybody under way and everybody granted are within the limit. */
  private checkGrants(name: GroupName, { id, waves }: Rollout, before: Rollout | null): void {
    const { concurrency } = planOf(this.scenario, name)
    let open = 0
    for (const { granted, released, counters } of waves) {
      if (released > granted) broken('concurrency', `${released} agents of a wave of ${id} were released, and ${granted} might be`)
      open += Math.min(granted - released, counters.pending ?? 0)
    }
    const isGranted = waves.some(({ granted }, index) => granted > (before?.id === id ? (before.waves[index]?.granted ?? 0) : 0))
    const inFlight = this.tallies.get(name)?.inFlight ?? 0
    if (isGranted && inFlight + open > concurrency)
      broken('concurrency', `${inFlight} agents are under way in ${id} and ${open} more may be, where ${concurrency} may be in all`)
  }

  private checkTime(name: GroupName, { id, now, state }: Rollout): void {
    const { windows, notBefore } = planOf(this.scenario, name).schedule
    const clock = new Date(now).toISOString().slice(11, 16)
    const isOpen = windows.length === 0 || state === 'completed' || openTimes.some(({ from, to }) => clock >= from && clock < to)
    if (!isOpen) broken('outside-the-window', `${id} goes on at ${clock}, outside of its window`)
    if (notBefore !== null && now < notBefore) broken('too-soon', `${id} begins before it may`)
  }

  private checkGroup({ name, rollout }: GroupRow, before: GroupRow | undefined, { decisions }: Change): void {
    if (rollout === null) return
    const told = this.lastTold.get(rollout.id) ?? 0
    if (rollout.now < told) broken('time', `the time of ${rollout.id} goes back`)
    this.lastTold.set(rollout.id, rollout.now)
    const isActive = rollout.state === 'running' || rollout.state === 'soaking' || rollout.state === 'waiting'
    if (isActive && rollout.deadlineAt !== null && rollout.now >= rollout.deadlineAt)
      broken('deadline', `${rollout.id} is ${rollout.state} beyond its deadline`)
    const old = before?.rollout
    if (old?.id === rollout.id && old.state !== rollout.state && !decisions.some((one) => one.rollout === rollout.id))
      broken('silent-change', `${rollout.id} goes from ${old.state} to ${rollout.state}, and nothing is noted`)
    const completed = this.completed.get(name) ?? (this.scenario.hasFirst ? 1 : null)
    if (old?.id !== rollout.id && rollout.from !== completed)
      broken('origin', `${rollout.id} would go back to ${rollout.from}, but ${completed} was completed last`)
    this.checkBudget(name, rollout)
    this.checkGrants(name, rollout, old ?? null)
  }

  /** As long as nobody lets anything pass, no rollout goes on beyond its error budget. */
  private checkBudget(name: GroupName, { id, state }: Rollout): void {
    const tally = this.tallies.get(name)
    if (tally === undefined || (state !== 'running' && state !== 'soaking') || this.excused.has(id)) return
    const { maxCount, maxPercent, minSample } = planOf(this.scenario, name).budget
    const { bad, judged } = tally
    if (bad > maxCount && (judged < minSample || (100 * bad) / judged > maxPercent)) broken('budget', `${id} is ${state} with ${bad} bad ones of ${judged}`)
  }

  private checkDecision(id: string, name: GroupName, decision: Decision): void {
    const expected = (this.numbers.get(id) ?? 0) + 1
    this.numbers.set(id, decision.seq)
    if (decision.seq !== expected) broken('log', `decision ${decision.seq} of ${id} comes where ${expected} should`)
    const rollout = this.store.groups.get(name)?.rollout
    const { kind, at } = decision
    if (kind === 'soaking') {
      this.soakedAt.set(id, at)
      this.watchedAt.set(id, this.trueNow())
    }
    if (rollout?.id !== id) return
    if (kind === 'completed') this.completed.set(name, rollout.to)
    if (kind === 'rolledBack') this.completed.set(name, rollout.from)
    if (kind === 'approved') this.checkApproval(name, rollout, decision)
    if (kind === 'waveOpened') this.checkOpening(name, rollout, decision)
    if (kind === 'soaking') this.checkSettled(name, rollout, decision)
    if (kind === 'wavePassed') this.checkPassing(name, rollout, decision)
    if (kind === 'rolledBack') this.checkRolledBack(name, rollout, decision)
    if (kind === 'completed' && rollout.waves.some(({ openedAt }) => openedAt === null))
      broken('completed-early', `${id} is completed, and a wave was never opened`)
  }

  private checkApproval(name: GroupName, { id, startedBy }: Rollout, { by, wave }: Decision): void {
    const plan = planOf(this.scenario, name)
    const gate = plan.gates.find(({ kind }) => kind === 'approval')
    const byAnother = wave === 0 ? plan.approval === 'anotherPerson' : gate?.kind === 'approval' && gate.byAnother
    if (byAnother && by === startedBy) broken('approval', `${by} started ${id} and approved it too`)
  }

  private checkOpening(name: GroupName, rollout: Rollout, { wave }: Decision): void {
    const plan = planOf(this.scenario, name)
    const { id } = rollout
    const before = this.opened.get(id) ?? -1
    if (wave !== before + 1) broken('wave-order', `wave ${(wave ?? 0) + 1} of ${id} opens after wave ${before + 1}`)
    this.opened.set(id, wave ?? 0)
    const gate = plan.gates.find(({ kind }) => kind === 'approval')
    const needsApproval = wave === 0 ? plan.approval === 'anotherPerson' : gate?.kind === 'approval' && (gate.after === 'everyWave' || wave === 1)
    if (needsApproval && !rollout.approvals.some((given) => given.wave === wave))
      broken('approval', `wave ${(wave ?? 0) + 1} of ${id} opens without an approval`)
    if (rollout.state !== 'paused' && rollout.state !== 'stopped') this.checkTime(name, rollout)
    if (wave !== 0 || this.scenario.overlap !== 'wait') return
    const order = this.store.groups.get(name)?.order ?? 0
    for (const other of this.store.groups.values()) {
      if (other.order < order && isUnderWay(other) && this.shareAgents(name, other.name))
        broken('overlap', `${id} begins though ${other.rollout?.id} is ${other.rollout?.state}`)
    }
  }

  /** From the start of the later one on. */
  private shareAgents(name: GroupName, other: GroupName): boolean {
    return [...this.store.rows.values()].some(({ members }) => members[name]?.late === false && members[other]?.late === false)
  }

  /** Everybody of the wave has an outcome, or cannot have one. */
  private checkSettled(name: GroupName, { id }: Rollout, { wave }: Decision): void {
    for (const { agent, members } of this.store.rows.values()) {
      const member = members[name]
      if (member !== undefined && member.wave === wave && !member.late && memberTraits[member.state].blocks)
        broken('settled', `wave ${(wave ?? 0) + 1} of ${id} soaks, but ${agent} is ${member.state}`)
    }
  }

  private checkPassing(name: GroupName, { id, waves }: Rollout, { wave, reason, at }: Decision): void {
    const plan = planOf(this.scenario, name)
    const of = waves[wave ?? 0]
    if (reason.startsWith('nobody')) {
      if (of !== undefined && wave !== waves.length - 1 && of.reachable > (of.counters.busy ?? 0) && (of.counters.away ?? 0) > of.size - of.reachable)
        broken('outage', `wave ${(wave ?? 0) + 1} of ${id} passes in an outage`)
      return
    }
    const soaked = at - (this.soakedAt.get(id) ?? at)
    if (soaked < plan.soakMs) broken('soak', `wave ${(wave ?? 0) + 1} of ${id} passes ${soaked} ms into its soak`)
    const watched = this.trueNow() - (this.watchedAt.get(id) ?? Number.NEGATIVE_INFINITY)
    if (watched < plan.soakMs) broken('soak', `wave ${(wave ?? 0) + 1} of ${id} passes ${watched} ms into its soak, whatever the server's clock says`)
    const asked = askedGates(plan)
    const given = this.verdicts.get(`${id}/${this.lastRound.get(id)}`)
    for (const gate of asked)
      if (given?.get(gate) !== 'pass') broken('gate', `wave ${(wave ?? 0) + 1} of ${id} passes, and gate ${gate} said ${given?.get(gate) ?? 'nothing'}`)
  }

  /** A person may end it before everybody has answered, but not before everybody is told. */
  private checkRolledBack(name: GroupName, { id, state }: Rollout, { by }: Decision): void {
    if (state !== 'rolledBack') return
    for (const { agent, members } of this.store.rows.values()) {
      const member = members[name]
      if (member === undefined || member.state === 'unheard') continue
      const isAwaited = member.state === 'restoring' || member.state === 'restoreRetrying'
      if ((isAwaited && by === null) || memberTraits[member.state].side === 'target')
        broken('rolled-back', `${id} is rolled back, but ${agent} is ${member.state}`)
    }
  }

  onAsked(rollout: string, round: number): void {
    this.lastRound.set(rollout, round)
    this.verdicts.set(`${rollout}/${round}`, new Map())
  }

  onVerdict(rollout: string, round: number, gate: number, verdict: VerdictKind): void {
    this.verdicts.get(`${rollout}/${round}`)?.set(gate, verdict)
  }

  /** A person was told that it is done. */
  onAcknowledged(name: GroupName): void {
    const last = this.store.decisions.findLast((one) => one.group === name && one.decision.by !== null)
    if (last !== undefined) this.acknowledged.push({ rollout: last.rollout, seq: last.decision.seq })
  }

  /** What the clock does while the server is down is nothing that it sees. */
  onDied(): void {
    this.watchedAt.clear()
  }

  /** After a loss of power: what was acknowledged is there, and the counts are of what is there. */
  onPowerLost(): void {
    const kept = new Set(this.store.decisions.map(({ rollout, decision }) => `${rollout}/${decision.seq}`))
    for (const { rollout, seq } of this.acknowledged)
      if (!kept.has(`${rollout}/${seq}`)) broken('acknowledged', `decision ${seq} of ${rollout} was acknowledged, and is lost`)
    this.tallies.clear()
    this.numbers.clear()
    this.lastTold.clear()
    for (const { rollout, decision } of this.store.decisions) this.numbers.set(rollout, decision.seq)
    for (const { name, rollout } of this.store.groups.values()) if (rollout !== null) this.tallyOf(name, rollout)
    this.recountAll()
  }

  /** Whoever stays under way for ever would keep a rollout from its end. */
  describe(name: GroupName): string {
    const rollout = this.store.groups.get(name)?.rollout
    return rollout == null
      ? 'nothing'
      : `${idOf(name, rollout.to)}, which is ${rollout.state}: ${JSON.stringify(rollout.waves.map(({ counters }) => counters))}`
  }
}
