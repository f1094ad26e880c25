/** Puts a driver, its store, a network and a fleet together, breaks them as the scenario says, and checks what must always hold. */
import { type Decision, isOver, memberTraits, recount, type ReportedStatus, revisionFor, RolloutError, type Verdict } from '@drover/fleet'
import { createRandom } from '@drover/testing'
import { type AgentNature, SimulatedAgent } from './agent.ts'
import { Driver, hashOf } from './driver.ts'
import type { ActKind, FaultKind, Scenario } from './scenario.ts'
import { DriverDied, MemoryStore } from './store.ts'
import { World } from './world.ts'

export class InvariantBroken extends Error {
  override readonly name = 'InvariantBroken'
}

const secondMs = 1000
const minuteMs = 60 * secondMs
const dayMs = 24 * 60 * minuteMs
const maxEvents = 5_000_000

export class Simulation {
  readonly scenario: Scenario
  readonly world: World
  readonly store = new MemoryStore()
  readonly agents = new Map<string, SimulatedAgent>()
  events = 0
  private driver: Driver | null = null
  /** Of the drivers so far: what an earlier one asked for is not done any more. */
  private generation = 0
  private clockOffsetMs = 0
  private connections = 0
  private revision = 1
  private nextAgent = 0
  private checkedCommits = 0
  private checkedDecisions = 0
  private readonly numbers = new Map<string, number>()
  private soakedAt = 0
  private completed = 1
  private readonly opened = new Map<string, number>()

  constructor(scenario: Scenario) {
    this.scenario = scenario
    this.world = new World(createRandom(scenario.seed ^ 0x5eed))
    this.store.beforeCommit = () => this.dieSometimes('crashBefore')
    this.store.afterCommit = () => this.dieSometimes('crashAfter')
  }

  /** Throws InvariantBroken, or whatever else went wrong. */
  run(): void {
    const { scenario, world } = this
    this.boot()
    for (let index = 0; index < scenario.agents; index++) this.join(!world.chance(scenario.absent))
    world.at(minuteMs, () => this.act('newRevision'))
    for (const { atMs, kind } of scenario.acts) world.at(2 * minuteMs + atMs, () => this.act(kind))
    for (let at = 2 * minuteMs; at < scenario.quietAtMs; at += minuteMs) world.at(at, () => this.mischief())
    world.at(scenario.quietAtMs, () => this.quiet())
    while (world.next()) {
      this.check()
      if (++this.events > maxEvents || world.now > 30 * dayMs) this.fail('it does not come to rest')
    }
    this.checkEnd()
  }

  private get isQuiet(): boolean {
    return this.world.now >= this.scenario.quietAtMs
  }

  private happens(kind: FaultKind): boolean {
    return !this.isQuiet && this.scenario.faults.includes(kind) && this.world.chance(this.scenario.faultRate)
  }

  private dieSometimes(kind: 'crashBefore' | 'crashAfter'): void {
    if (this.driver !== null && this.happens(kind)) throw new DriverDied(kind)
  }

  private boot(): void {
    const { world } = this
    const generation = ++this.generation
    const isAlive = (): boolean => this.generation === generation && this.driver !== null
    const now = (): number => world.now + this.clockOffsetMs
    const wake = (at: number, run: () => void): void =>
      // A timer that is early, since the clock was put back, waits on.
      world.at(at - this.clockOffsetMs, () => isAlive() && (now() < at ? wake(at, run) : this.call(run)))
    const ports = {
      now,
      wake,
      send: (agent: string, hash: string, reason: string) => this.sendOffer(agent, hash, reason),
      judge: (_round: number, _gate: number, answer: (verdict: Verdict) => void) =>
        world.in(world.between(0, 5000), () => isAlive() && this.call(() => answer(this.verdict()))),
      tell: (line: string) => world.tell(line),
    }
    const driver = new Driver(this.scenario.plan, this.store, ports)
    this.driver = driver
    this.call(() => driver.resume())
  }

  /** Into the driver, which may die of it. */
  private call(run: () => void): void {
    if (this.driver === null) return
    try {
      run()
    } catch (error) {
      if (error instanceof RolloutError) return
      if (!(error instanceof DriverDied)) throw error
      this.world.tell(`the driver dies (${error.message})`)
      this.driver = null
      for (const agent of this.agents.values()) this.drop(agent)
      this.world.in(this.world.between(secondMs, 30 * secondMs), () => {
        this.world.tell('the driver is back')
        this.boot()
      })
    }
  }

  private verdict(): Verdict {
    const { gate } = this.scenario
    const kind = gate === 'fails' && !this.isQuiet ? 'fail' : gate === 'unsure' && !this.isQuiet ? 'inconclusive' : 'pass'
    return { verdict: kind, text: `the gate says ${kind}`, numbers: {} }
  }

  private join(isConnected: boolean): void {
    const { scenario, world } = this
    const nature: AgentNature = world.chance(scenario.broken) ? 'broken' : world.chance(scenario.mute) ? 'mute' : 'good'
    const agent = new SimulatedAgent(`a${this.nextAgent++}`, nature, world, {
      report: (one) => this.report(one),
      isFailingNow: () => !this.isQuiet && world.chance(scenario.transient),
      crashes: () => {
        const crashes = this.happens('agentCrash')
        if (crashes) this.disconnect(agent, world.between(secondMs, 3 * minuteMs))
        return crashes
      },
      lies: () => this.happens('liar'),
    })
    this.agents.set(agent.name, agent)
    this.call(() => this.driver?.join(agent.name, agent.parity))
    // Died of it: it was not stored, so it is tried again by an Agent that connects.
    if (!this.store.rows.has(agent.name)) this.agents.delete(agent.name)
    else if (isConnected) this.connect(agent)
  }

  private connect(agent: SimulatedAgent): void {
    if (agent.connection !== 0 || !this.agents.has(agent.name)) return
    if (this.driver === null) return this.world.in(this.world.between(secondMs, 30 * secondMs), () => this.connect(agent))
    agent.connection = ++this.connections
    const { status } = agent
    this.call(() => this.driver?.onConnect(agent.name, status))
  }

  /** The connection breaks; the driver notices at once, or only when it misses pongs. */
  private disconnect(agent: SimulatedAgent, backInMs: number): void {
    const { connection } = agent
    if (connection === 0) return
    agent.connection = 0
    this.world.in(this.world.chance(0.5) ? 0 : Math.min(backInMs - 1, 75 * secondMs), () => {
      if (agent.connection === 0) this.call(() => this.driver?.onDisconnect(agent.name))
    })
    this.world.in(backInMs, () => this.connect(agent))
  }

  /** The driver is dead. */
  private drop(agent: SimulatedAgent): void {
    if (agent.connection === 0) return
    agent.connection = 0
    this.world.in(this.world.between(secondMs, minuteMs), () => this.connect(agent))
  }

  /** Over the connection that the Agent has now, if that still is there when it arrives. */
  private deliver(agent: SimulatedAgent, run: () => void): void {
    const { world } = this
    const { connection } = agent
    if (connection === 0) return
    if (this.happens('drop')) {
      world.tell(`a message of or to ${agent.name} is lost with the connection`)
      return this.disconnect(agent, world.between(secondMs, 2 * minuteMs))
    }
    const arrive = (): void => {
      if (agent.connection === connection) run()
    }
    const delayMs = this.happens('delay') ? world.between(0, 2 * minuteMs) : this.happens('reorder') ? world.between(0, 5000) : 20
    world.in(delayMs, arrive)
    if (this.happens('duplicate')) world.in(delayMs + world.between(0, 3000), arrive)
  }

  private report(agent: SimulatedAgent): void {
    const status: ReportedStatus = agent.status
    this.deliver(agent, () => this.call(() => this.driver?.onReport(agent.name, status)))
  }

  private sendOffer(name: string, hash: string, reason: string): void {
    this.checkOffer(name, hash, reason)
    const agent = this.agents.get(name)
    if (agent !== undefined) this.deliver(agent, () => agent.takeOffer(hash))
  }

  private act(kind: ActKind): void {
    const { driver, world } = this
    if (driver === null) return
    world.tell(`somebody wants: ${kind}`)
    if (kind === 'newRevision') {
      const to = this.revision + 1
      this.call(() => driver.startRollout(to))
      if (this.store.rollout?.to === to) this.revision = to
    } else if (kind === 'join') this.join(true)
    else if (kind === 'leave') {
      const names = [...this.agents.keys()]
      const name = names[world.between(0, names.length)]
      if (name === undefined) return
      this.call(() => driver.leave(name))
      if (!this.store.rows.has(name)) this.agents.delete(name)
    } else this.call(() => driver.act(kind, 'bob'))
  }

  private mischief(): void {
    const { world } = this
    if (this.happens('partition')) {
      world.tell('a partition')
      const until = world.between(10 * secondMs, 10 * minuteMs)
      for (const agent of this.agents.values()) if (world.chance(0.5)) this.disconnect(agent, until + world.between(0, secondMs))
    }
    if (this.happens('clockJump')) {
      this.clockOffsetMs = world.chance(0.5) ? 60 * minuteMs : -60 * minuteMs
      world.tell(`the clock is off by ${this.clockOffsetMs / minuteMs} minutes`)
    }
  }

  /** Everybody behaves from here on, and people see to it that it ends. */
  private quiet(): void {
    this.world.tell('all is quiet from here on')
    // An offer is made once a connection: who ignored it gets it with the next one.
    for (const agent of this.agents.values()) {
      if (agent.connection === 0) this.connect(agent)
      else this.disconnect(agent, this.world.between(secondMs, minuteMs))
    }
    const attend = (visit: number): void => {
      const { rollout } = this.store
      if (rollout === null || isOver(rollout)) return
      if (visit > 2000) this.fail(`it does not end, but is ${rollout.state}`)
      if (rollout.state === 'paused') this.act(visit % 3 === 2 ? 'promote' : 'resume')
      this.world.in(10 * minuteMs, () => attend(visit + 1))
    }
    this.world.in(10 * minuteMs, () => attend(0))
  }

  private fail(message: string): never {
    throw new InvariantBroken(message)
  }

  /** What is sent was stored before, and the stored rollout allows it. */
  private checkOffer(name: string, hash: string, reason: string): void {
    const { rollout, rows } = this.store
    const row = rows.get(name)
    if (row === undefined) return this.fail(`${name} left and is sent ${hash}`)
    if (!row.ledger.attempts.some((attempt) => attempt.hash === hash)) this.fail(`${name} is sent ${hash}, which is not in the stored ledger`)
    if (rollout === null || reason === 'restore' || hash !== hashOf(rollout.to)) return
    if (rollout.state === 'rollingBack' || rollout.state === 'rolledBack') this.fail(`${name} is sent ${hash}, which was taken back`)
    if (rollout.state === 'completed') return
    const { member } = row
    if (member === null || memberTraits[member.state].side !== 'target') this.fail(`${name} is sent ${hash} though it is ${member?.state ?? 'no member'}`)
    if (member !== null && rollout.waves[member.wave]?.openedAt === null) this.fail(`${name} is sent ${hash} though wave ${member.wave} is not open`)
  }

  private check(): void {
    const { store } = this
    if (store.commits === this.checkedCommits) return
    // A recount costs the size of the fleet.
    if (store.rows.size <= 64 || store.commits - this.checkedCommits > store.rows.size) this.checkCounters()
    this.checkBudget()
    this.checkDecisions()
  }

  /** As long as nobody lets anything pass, no rollout goes on beyond its error budget. Counted from the rows. */
  private checkBudget(): void {
    const { rollout, rows } = this.store
    const { acts, plan } = this.scenario
    if (rollout === null || (rollout.state !== 'running' && rollout.state !== 'soaking') || this.isQuiet || rows.size > 64) return
    if (acts.some(({ kind }) => kind === 'resume' || kind === 'promote')) return
    let [bad, judged] = [0, 0]
    for (const { member } of rows.values()) {
      const kind = member === null ? null : memberTraits[member.state].judged
      if (kind !== null) judged++
      if (kind === 'bad') bad++
    }
    const { maxCount, maxPercent, minSample } = plan.budget
    if (bad > maxCount && (judged < minSample || (100 * bad) / judged > maxPercent)) this.fail(`${rollout.id} is ${rollout.state} with ${bad} bad of ${judged}`)
  }

  private checkCounters(): void {
    const { rollout, rows, commits } = this.store
    this.checkedCommits = commits
    if (rollout === null) return
    const members = Array.from(rows.values(), ({ member }) => member).filter((member) => member !== null)
    rollout.waves.forEach(({ counters }, wave) => {
      const [kept, counted] = [counters, recount(members, wave)].map((all) => JSON.stringify(Object.entries(all).toSorted()))
      if (kept !== counted) this.fail(`wave ${wave} of ${rollout.id} counts ${kept}, but there are ${counted}`)
    })
  }

  private checkDecisions(): void {
    const { decisions } = this.store
    for (; this.checkedDecisions < decisions.length; this.checkedDecisions++) {
      const entry = decisions[this.checkedDecisions]
      if (entry === undefined) continue
      const { rollout, decision } = entry
      const expected = (this.numbers.get(rollout) ?? 0) + 1
      this.numbers.set(rollout, decision.seq)
      if (decision.seq !== expected) this.fail(`decision ${decision.seq} of ${rollout} comes where ${expected} should`)
      if (decision.kind === 'soaking') this.soakedAt = decision.at
      this.checkAtDecision(rollout, decision)
      if (decision.kind === 'wavePassed' && decision.reason.startsWith('the soak') && decision.at - this.soakedAt < this.scenario.plan.soakMs)
        this.fail(`wave ${decision.wave} of ${rollout} passes ${decision.at - this.soakedAt} ms into its soak`)
      if (decision.kind !== 'waveOpened') continue
      const before = this.opened.get(rollout) ?? -1
      if (decision.wave !== before + 1) this.fail(`wave ${decision.wave} of ${rollout} opens after wave ${before}`)
      this.opened.set(rollout, decision.wave ?? 0)
    }
  }

  /** What must be so when it is decided. The rows are those of the same commit, when nothing was committed since. */
  private checkAtDecision(id: string, { kind, reason, wave }: Decision): void {
    const { rollout, rows, decisions } = this.store
    if (kind === 'started') this.checkOrigin(id)
    if (kind === 'completed') this.completed = this.store.rollout?.id === id ? (rollout?.to ?? this.completed) : Number(id.slice(1))
    if (kind === 'rolledBack' && rollout?.id === id) this.completed = rollout.from ?? this.completed
    const of = wave === null ? undefined : rollout?.waves[wave]
    if (kind === 'wavePassed' && reason.startsWith('nobody') && rollout?.id === id && of !== undefined && of.reachable > (of.counters.busy ?? 0))
      if (wave !== rollout.waves.length - 1 && (of.counters.away ?? 0) > of.size - of.reachable) this.fail(`wave ${wave} of ${id} passes in an outage`)
    if (rollout?.id !== id || this.checkedDecisions !== decisions.length - 1) return
    for (const { agent, member } of rows.values()) {
      if (member === null) continue
      const { side, blocks, inFlight } = memberTraits[member.state]
      if (kind === 'rolledBack' && rollout.state === 'rolledBack' && (member.state === 'restoring' || (side === 'target' && member.state !== 'unheard')))
        this.fail(`${id} is rolled back, but ${agent} is ${member.state}`)
      if (kind === 'soaking' && member.wave === wave && blocks && inFlight && !member.late && member.state !== 'retrying' && this.scenario.faults.length === 0)
        this.fail(`wave ${wave} of ${id} soaks, but ${agent} is ${member.state}`)
    }
  }

  /** It goes back to what was completed last, and not to what was under way. */
  private checkOrigin(id: string): void {
    const { rollout } = this.store
    if (rollout?.id === id && rollout.from !== this.completed) this.fail(`${id} would go back to ${rollout.from}, but ${this.completed} was completed last`)
  }

  /** All is quiet and everybody is connected: everybody has what they should. */
  private checkEnd(): void {
    this.checkCounters()
    const { rollout, rows, current } = this.store
    if (rollout === null) return
    if (!isOver(rollout)) this.fail(`it ended as ${rollout.state}`)
    for (const agent of this.agents.values()) {
      const row = rows.get(agent.name)
      if (row === undefined) this.fail(`${agent.name} is missing`)
      const { revision } = revisionFor(current, rollout, row.member)
      const state = row.member?.state ?? 'pending'
      if (state === 'away' && rollout.state === 'completed') this.fail(`${agent.name} is connected, and counts as away`)
      if (agent.nature === 'mute' || agent.running === hashOf(revision ?? 0)) continue
      // It said that it cannot; it keeps what works for it.
      const hash = hashOf(revision ?? 0)
      const refused = row.ledger.attempts.some((attempt) => attempt.hash === hash && (attempt.state === 'failed' || attempt.state === 'rolledBack'))
      if (!refused) this.fail(`${agent.name} is ${state} and runs ${agent.running} where ${rollout.id}, ${rollout.state}, gives it ${hash}`)
    }
  }
}
