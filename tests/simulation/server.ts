/** The server's process: a driver that dies and comes back, a store that fails, a disk that is slow, and a clock that jumps. */
import { RolloutError, type Verdict } from '@drover/fleet'
import type { Offer } from './agent.ts'
import { Driver } from './driver.ts'
import type { Faults } from './faults.ts'
import { OfferWitness } from './offer-witness.ts'
import { RestoreWitness } from './restore-witness.ts'
import { RolloutWitness } from './rollout-witness.ts'
import type { GroupName, Scenario } from './scenario.ts'
import { DriverDied, MemoryStore, StoreRefused } from './store.ts'
import type { World } from './world.ts'

export interface ServerEnvironment {
  /** Everybody is disconnected. */
  readonly onDeath: () => void
  readonly send: (agent: string, offer: Offer) => void
  /** null: no answer ever comes. */
  readonly verdict: () => Verdict | null
}

const secondMs = 1000
const minuteMs = 60 * secondMs
const silent: Verdict = { verdict: 'inconclusive', text: 'no answer came in time', numbers: {} }

export class Server {
  readonly store: MemoryStore
  readonly rollouts: RolloutWitness
  readonly offers: OfferWitness
  readonly restores: RestoreWitness
  /** Calls instead of the faults, at each commit. */
  readonly hooks: { before: () => void; after: () => void } = { before: () => undefined, after: () => undefined }
  driver: Driver | null = null
  private readonly scenario: Scenario
  private readonly world: World
  private readonly faults: Faults
  private readonly environment: ServerEnvironment
  /** Of the drivers so far: what an earlier one asked for is not done any more. */
  private generation = 0
  private clockOffsetMs = 0
  private readOnlyUntil = 0
  private slowUntil = 0
  /** The last commit has what must never be forgotten: the power fails then rather than at other times. */
  private isDelicate = false
  /** Until when the process waits for its disk; what comes meanwhile waits too. */
  private busyUntil = 0

  constructor(scenario: Scenario, world: World, faults: Faults, environment: ServerEnvironment) {
    this.scenario = scenario
    this.world = world
    this.faults = faults
    this.environment = environment
    this.store = new MemoryStore({
      before: () => this.beforeCommit(),
      stored: (change, before) => {
        this.isDelicate = change.rows.some(({ ledger }) => ledger.reported?.status === 'failed')
        this.offers.onStored(change, before)
        for (const one of change.decisions) {
          this.offers.onDecision(one.group, one.decision)
          this.restores.onDecision(one)
        }
        this.restores.onStored(change, before)
        this.rollouts.onStored(change, before)
      },
      after: () => this.afterCommit(),
    })
    this.rollouts = new RolloutWitness(scenario, this.store, () => world.now)
    this.offers = new OfferWitness(scenario, this.store)
    this.restores = new RestoreWitness(this.store)
  }

  private beforeCommit(): void {
    this.hooks.before()
    if (this.world.now < this.readOnlyUntil) throw new StoreRefused('the store takes no writes')
    if (this.driver !== null && this.faults.happens('crashBefore', 'commit')) throw new DriverDied('before it could store something')
  }

  private afterCommit(): void {
    this.hooks.after()
    if (this.world.now < this.slowUntil) this.busyUntil = Math.max(this.busyUntil, this.world.now) + this.world.between(5, 500)
    if (this.driver === null) return
    if (this.faults.happens('crashAfter', 'commit')) throw new DriverDied('after it had stored something')
    const chances = this.isDelicate ? 30 : 1
    if (!Array.from({ length: chances }, () => this.faults.happens('powerLoss', 'commit')).includes(true)) return
    this.losePower()
    throw new DriverDied('with the power')
  }

  private losePower(): void {
    const lost = this.world.between(0, this.store.unsyncedCommits + 1)
    this.world.tell(() => `the power fails, and ${lost} writes that were not synced are lost`)
    this.store.losePower(lost)
    this.rollouts.onPowerLost()
  }

  boot(): void {
    const { world } = this
    const generation = ++this.generation
    const isAlive = (): boolean => this.generation === generation && this.driver !== null
    const now = (): number => world.now + this.clockOffsetMs
    const wake = (at: number, run: () => void): void =>
      // A timer that is early, since the clock was put back, waits on.
      world.at(at - this.clockOffsetMs, () => isAlive() && (now() < at ? wake(at, run) : this.call(run)))
    this.driver = new Driver(this.scenario, this.store, {
      now,
      monotonic: () => world.now,
      wake,
      send: (agent, offer) => {
        this.offers.onSend(agent, offer)
        this.restores.onSend(agent, offer)
        this.environment.send(agent, offer)
      },
      judge: (rollout, round, gate, answer) => {
        this.rollouts.onAsked(rollout, round)
        const verdict = this.environment.verdict()
        world.in(verdict === null ? minuteMs : world.between(0, 5 * secondMs), () => {
          if (!isAlive()) return
          this.rollouts.onVerdict(rollout, round, gate, (verdict ?? silent).verdict)
          this.call(() => answer(verdict ?? silent))
        })
      },
      tell: (line) => world.tell(line),
    })
    const { driver } = this
    this.call(() => driver.resume())
  }

  /** Into the driver, which may die of it. False: it was refused, or nothing came of it. */
  call(run: () => void): boolean {
    if (this.driver === null) return false
    if (this.world.now < this.busyUntil) {
      const { generation } = this
      this.world.at(this.busyUntil, () => this.generation === generation && this.call(run))
      return false
    }
    try {
      run()
      return true
    } catch (error) {
      if (error instanceof RolloutError) return false
      if (error instanceof StoreRefused) {
        this.driver.onReadOnly()
        return false
      }
      if (!(error instanceof DriverDied)) throw error
      this.die(error.message)
      return false
    }
  }

  private die(how: string): void {
    const { world } = this
    world.tell(() => `the server dies ${how}`)
    this.driver = null
    this.environment.onDeath()
    this.rollouts.onDied()
    world.in(world.between(secondMs, 30 * secondMs), () => {
      if (this.driver !== null) return
      world.tell(() => 'the server is back')
      this.boot()
    })
  }

  /** A person acts, and is told that it is done. */
  act(name: GroupName, run: (driver: Driver) => void): boolean {
    const { driver } = this
    const before = this.store.decisions.length
    const isDone = driver !== null && this.call(() => run(driver))
    if (isDone && this.store.decisions.length > before) this.rollouts.onAcknowledged(name)
    return isDone
  }

  /** Once a minute. */
  mischief(): void {
    const { world, faults } = this
    if (faults.happens('clockJump', 'minute')) {
      this.clockOffsetMs = world.chance(0.5) ? 60 * minuteMs : -60 * minuteMs
      world.tell(() => `the server's clock is off by ${this.clockOffsetMs / minuteMs} minutes`)
    }
    if (faults.happens('readOnly', 'minute')) {
      this.readOnlyUntil = world.now + world.between(secondMs, 5 * minuteMs)
      world.tell(() => 'the store takes no writes for a while')
    }
    if (faults.happens('slowDisk', 'minute')) {
      this.slowUntil = world.now + world.between(10 * secondMs, 5 * minuteMs)
      world.tell(() => 'the disk becomes slow')
    }
    if (this.driver !== null && faults.happens('powerLoss', 'minute')) {
      this.losePower()
      this.die('with the power')
    }
  }

  quiet(): void {
    this.readOnlyUntil = 0
    this.slowUntil = 0
  }
}
