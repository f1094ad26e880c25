/** Puts a server, a network and a fleet together, breaks them as the scenario says, and checks what must always hold. */
import { isOver, type Verdict } from '@drover/fleet'
import { createRandom } from '@drover/testing'
import { SimulatedAgent } from './agent.ts'
import { boundMs } from './bound.ts'
import { checkEnd } from './end.ts'
import { Faults } from './faults.ts'
import { idOf, revisionsIn } from './desired.ts'
import { broken } from './invariant.ts'
import { Network } from './network.ts'
import { type ActKind, type Facts, type GroupName, isAmong, revisionOf, type Scenario } from './scenario.ts'
import { Server } from './server.ts'
import type { MemoryStore } from './store.ts'
import { World } from './world.ts'

const secondMs = 1000
const minuteMs = 60 * secondMs
const attendEveryMs = 10 * minuteMs

export class Simulation {
  readonly scenario: Scenario
  readonly world: World
  readonly faults: Faults
  readonly server: Server
  readonly agents = new Map<string, SimulatedAgent>()
  events = 0
  private readonly network: Network
  private readonly revisions: Record<GroupName, number>
  private nextAgent = 0

  /** `isTold`: with a story, which takes time. */
  constructor(scenario: Scenario, isTold = false) {
    this.scenario = scenario
    this.world = new World(createRandom(scenario.seed ^ 0x5eed), isTold)
    this.faults = new Faults(scenario, this.world)
    const first = scenario.hasFirst ? 1 : 0
    this.revisions = { g: first, h: first }
    this.server = new Server(scenario, this.world, this.faults, {
      onDeath: () => this.network.dropAll(),
      send: (agent, offer) => this.network.toAgent(agent, offer),
      verdict: () => this.verdict(),
    })
    this.network = new Network(this.agents, this.world, this.faults, {
      isUp: () => this.server.driver !== null,
      connected: (agent, connection, report) => {
        this.server.offers.onConnected(agent)
        this.server.call(() => this.server.driver?.onConnect(agent, connection, report))
      },
      disconnected: (agent, connection) => void this.server.call(() => this.server.driver?.onDisconnect(agent, connection)),
      reported: (agent, connection, report) => void this.server.call(() => this.server.driver?.onReport(agent, connection, report)),
    })
  }

  get store(): MemoryStore {
    return this.server.store
  }

  /** Throws InvariantBroken, or whatever else went wrong. */
  run(): void {
    const { scenario, world } = this
    if (scenario.hasFirst) for (const name of scenario.groups) this.store.groups.set(name, { name, current: 1, rollout: null, order: 0 })
    this.server.boot()
    for (let index = 0; index < scenario.agents; index++) this.join(!world.chance(scenario.absent))
    world.at(minuteMs, () => this.act('newRevision', 'g'))
    for (const { atMs, kind, group } of scenario.acts) world.at(2 * minuteMs + atMs, () => this.act(kind, group))
    world.at(2 * minuteMs, () => this.mischief())
    world.at(scenario.quietAtMs, () => this.quiet())
    const endMs = scenario.quietAtMs + boundMs(scenario)
    while (world.next()) {
      this.events++
      if (world.now > endMs) this.checkEnded()
    }
    this.checkEnded()
    this.server.rollouts.recountAll()
    checkEnd(scenario, this.store, this.agents, (agent, hash) => this.failsForGood(agent, hash))
  }

  private checkEnded(): void {
    for (const { name, rollout } of this.store.groups.values())
      if (rollout !== null && !isOver(rollout)) broken('endless', `all is quiet, and ${this.server.rollouts.describe(name)} does not end`)
  }

  private verdict(): Verdict | null {
    const { gate } = this.scenario
    const say = (kind: Verdict['verdict']): Verdict => ({ verdict: kind, text: `the gate says ${kind}`, numbers: {} })
    if (this.faults.isQuiet || gate === 'passes') return say('pass')
    if (gate === 'silent') return null
    if (gate === 'flaps') return say(this.world.chance(0.5) ? 'fail' : 'pass')
    return say(gate === 'fails' ? 'fail' : 'inconclusive')
  }

  private join(isConnected: boolean, copyOf: SimulatedAgent | null = null): void {
    const { scenario, world } = this
    const name = `a${this.nextAgent++}`
    const facts: Facts = {
      ring: isAmong(0.5, 'ring', name) ? 'odd' : 'even',
      team: scenario.groups.length === 1 ? 'g' : isAmong(0.7, 'team', name) ? 'both' : isAmong(0.5, 'other', name) ? 'g' : 'h',
    }
    const traits = {
      acceptsConfig: !isAmong(scenario.deaf, 'deaf', name),
      reportsConfig: !isAmong(scenario.wordless, 'wordless', name),
      acceptsSettings: !isAmong(0.2, 'settings', name),
    }
    const first = (['g', 'h'] as const).filter((group) => scenario.groups.includes(group) && (facts.team === 'both' || facts.team === group))
    const running = copyOf?.running ?? (scenario.hasFirst ? first.map((group) => idOf(group, 1)).join('') : 'own')
    const agent = new SimulatedAgent(name, { traits, isMute: isAmong(scenario.mute, 'mute', name), running }, world, {
      report: (one) => this.network.toServer(one),
      fails: (one, hash) => this.fails(one, hash),
      crashes: (one) => this.crashes(one),
      lies: () => this.faults.happens('liar', 'message'),
    })
    this.agents.set(name, agent)
    this.server.call(() => this.server.driver?.join(name, facts, traits))
    // The server died of it or could not store it: it is not known, and not simulated.
    if (!this.store.rows.has(name)) return void this.agents.delete(name)
    if (isConnected) this.network.connect(agent)
    if (scenario.restlessMs !== null || isAmong(scenario.flappers, 'flapper', name)) this.rest(agent)
  }

  /** Its connection breaks again and again. */
  private rest(agent: SimulatedAgent): void {
    const everyMs = isAmong(this.scenario.flappers, 'flapper', agent.name) ? 5 * minuteMs : (this.scenario.restlessMs ?? 0)
    this.world.in(this.world.between(0, 2 * everyMs), () => {
      if (this.faults.isQuiet || !this.agents.has(agent.name)) return
      this.network.disconnect(agent, this.world.between(secondMs, 4 * minuteMs))
      this.rest(agent)
    })
  }

  private fails(agent: SimulatedAgent, hash: string): boolean {
    return this.failsForGood(agent, hash) || (!this.faults.isQuiet && hash !== 'base' && this.world.chance(this.scenario.transient))
  }

  private failsForGood(agent: SimulatedAgent, hash: string): boolean {
    const { scenario } = this
    const isSettings = hash.startsWith('t:')
    for (const { group, revision } of revisionsIn(hash)) {
      const { broken: share, brokenSettings } = revisionOf(scenario, revision)
      if (isAmong(isSettings ? brokenSettings : share, hash.slice(0, 2) + idOf(group, revision), agent.name)) return true
      if (revision === 1 && agent.hadOther && isAmong(scenario.stuck, 'stuck', agent.name)) return true
    }
    return false
  }

  private crashes(agent: SimulatedAgent): boolean {
    if (!this.faults.happens('agentCrash', 'message')) return false
    this.network.disconnect(agent, this.world.between(secondMs, 3 * minuteMs))
    return true
  }

  private act(kind: ActKind, group: GroupName): void {
    const { server, world } = this
    if (server.driver === null) return
    switch (kind) {
      case 'newRevision': {
        const to = this.revisions[group] + 1
        world.tell(() => `Ann gives group ${group} revision ${to}`)
        server.act(group, (driver) => driver.startRollout(group, to, 'ann'))
        if (this.store.groups.get(group)?.rollout?.to === to) this.revisions[group] = to
        return
      }
      case 'join':
        world.tell(() => `a new agent a${this.nextAgent} comes`)
        return this.join(true)
      case 'leave':
      case 'relabel':
      case 'moveTeam':
        return this.change(kind)
      case 'approveOwn':
        world.tell(() => `Ann approves of her own rollout of ${group}`)
        return void server.act(group, (driver) => driver.act(group, 'approve', 'ann'))
      default:
        world.tell(() => `Bob wants to ${kind} the rollout of ${group}`)
        return void server.act(group, (driver) => driver.act(group, kind, 'bob'))
    }
  }

  private change(kind: 'leave' | 'relabel' | 'moveTeam'): void {
    const names = [...this.agents.keys()]
    const name = names[this.world.between(0, names.length)]
    const facts = name === undefined ? undefined : this.store.rows.get(name)?.facts
    if (name === undefined || facts === undefined) return
    this.world.tell(() => `${name} ${kind === 'leave' ? 'is retired' : 'gets other labels'}`)
    if (kind === 'leave') this.server.call(() => this.server.driver?.leave(name))
    else {
      const next: Facts =
        kind === 'relabel' ? { ...facts, ring: facts.ring === 'odd' ? 'even' : 'odd' } : { ...facts, team: facts.team === 'both' ? 'h' : 'both' }
      this.server.call(() => this.server.driver?.relabel(name, next))
    }
    if (!this.store.rows.has(name)) this.agents.delete(name)
  }

  /** Once a minute. */
  private mischief(): void {
    const { world, faults } = this
    if (faults.isQuiet) return
    world.in(minuteMs, () => this.mischief())
    this.server.mischief()
    if (faults.happens('partition', 'minute')) {
      world.tell(() => 'half of the network is cut off')
      const untilMs = world.between(10 * secondMs, 10 * minuteMs)
      for (const agent of this.agents.values()) if (world.chance(0.5)) this.network.disconnect(agent, untilMs + world.between(0, secondMs))
    }
    if (faults.happens('clone', 'minute')) this.clone()
  }

  /** An image with a running Agent in it is started once more. */
  private clone(): void {
    const names = [...this.agents.keys()]
    const agent = this.agents.get(names[this.world.between(0, names.length)] ?? '')
    if (agent === undefined) return
    const { report } = agent
    this.network.takeOver(agent, report, () => this.join(true, agent))
  }

  /** Everybody behaves from here on, and people see to it that it ends. */
  private quiet(): void {
    this.world.tell(() => 'all is quiet from here on')
    this.server.quiet()
    // An offer is made once a connection: who ignored it gets it with the next one.
    for (const agent of this.agents.values()) {
      if (agent.connection === 0) this.network.connect(agent)
      else this.network.disconnect(agent, this.world.between(secondMs, minuteMs))
    }
    for (const group of this.scenario.groups) this.world.in(attendEveryMs, () => this.attend(group, 1))
  }

  private attend(group: GroupName, visit: number): void {
    const rollout = this.store.groups.get(group)?.rollout ?? null
    if (rollout === null || isOver(rollout)) return
    if (rollout.state === 'paused') this.act(visit % 3 === 0 ? 'promote' : 'resume', group)
    else if (rollout.state === 'waiting' && rollout.hindrance?.kind === 'approval') this.act('approve', group)
    if (this.world.now < this.scenario.quietAtMs + boundMs(this.scenario)) this.world.in(attendEveryMs, () => this.attend(group, visit + 1))
  }
}
