/** A fleet in a few lines, for tests of the driver: agents that take what they are given, and remember it when the server is killed. */
import type { Lookup, Outcome } from '@drover/fleet'
import type { FleetAgent, FleetForRollouts, RolloutsForAgents } from '../seams.ts'

export interface TestAgent {
  readonly id: string
  readonly labels: Record<string, string>
  isConnected: boolean
  /** Of each group: the revision that it runs. */
  readonly runs: Map<string, number | null>
  /** Failed, as `group@revision`. */
  readonly failed: Set<string>
  /** As `group@revision`; on this connection. */
  readonly offered: Set<string>
  offlineSince: number | null
  connectedSince: number
  healthy: boolean
}

/** `hold`: no answer comes before `answer` is called. */
export type Reaction = 'apply' | 'fail' | 'hold' | 'lose'

export class TestFleet implements FleetForRollouts {
  readonly all = new Map<string, TestAgent>()
  /** Every offer that was made, as `agent group@revision`. */
  readonly offers: string[] = []
  /** What an agent makes of a revision. */
  react: (agent: TestAgent, revision: number) => Reaction = () => 'apply'
  readonly now: () => number
  #rollouts: RolloutsForAgents | undefined
  #current: (group: string) => number | null = () => null
  readonly calls = { reconsider: 0, allowRetry: 0 }
  /** While set, the part that is asked fails. */
  isBroken = false

  constructor(now: () => number) {
    this.now = now
  }

  /** A server begins: everybody was cut off. */
  attach(rollouts: RolloutsForAgents, current: (group: string) => number | null): void {
    this.#rollouts = rollouts
    this.#current = current
    for (const agent of this.all.values()) {
      agent.offered.clear()
      agent.offlineSince = this.now()
    }
  }

  add(count: number, labels: (index: number) => Record<string, string> = () => ({})): void {
    for (let index = 0; index < count; index++) {
      const id = `agt_${String(this.all.size).padStart(5, '0')}`
      this.all.set(id, {
        id,
        labels: labels(index),
        isConnected: true,
        runs: new Map(),
        failed: new Set(),
        offered: new Set(),
        offlineSince: null,
        connectedSince: this.now(),
        healthy: true,
      })
    }
  }

  of(id: string): TestAgent {
    const agent = this.all.get(id)
    if (agent === undefined) throw new Error(`no agent ${id}`)
    return agent
  }

  connectAll(): void {
    for (const agent of this.all.values()) if (agent.isConnected) this.connect(agent.id)
  }

  connect(id: string): void {
    const agent = this.of(id)
    agent.isConnected = true
    agent.offlineSince = null
    agent.connectedSince = this.now()
    agent.offered.clear()
    this.#rollouts?.onAgentChanged(id)
    this.#give(agent)
  }

  disconnect(id: string): void {
    const agent = this.of(id)
    agent.isConnected = false
    agent.offlineSince = this.now()
    this.#rollouts?.onAgentChanged(id)
  }

  forget(id: string): void {
    this.all.delete(id)
    this.#rollouts?.onAgentForgotten(id)
  }

  /** Who held back now reacts as told. */
  answer(id: string): void {
    this.#give(this.of(id), true)
  }

  *agents(): Iterable<FleetAgent> {
    for (const agent of this.all.values()) yield toFleetAgent(agent)
  }

  agent(id: string): FleetAgent | undefined {
    if (this.isBroken) throw new Error('the fleet is broken')
    const agent = this.all.get(id)
    return agent && toFleetAgent(agent)
  }

  outcome(id: string, group: string): Outcome {
    const agent = this.of(id)
    const { revision } = this.#given(group, id)
    const name = `${group}@${revision}`
    if ((agent.runs.get(group) ?? null) === revision) return 'applied'
    if (agent.failed.has(name)) return 'failed'
    return agent.offered.has(name) ? 'offered' : 'none'
  }

  reconsider(ids: Iterable<string>): void {
    this.calls.reconsider++
    if (this.isBroken) throw new Error('the fleet is broken')
    for (const id of ids) {
      const agent = this.all.get(id)
      if (agent?.isConnected) this.#give(agent)
    }
  }

  async allowRetry(ids: Iterable<string>): Promise<void> {
    this.calls.allowRetry++
    for (const id of ids) {
      this.of(id).failed.clear()
      this.of(id).offered.clear()
    }
  }

  missing: FleetForRollouts['missing'] = async () => []
  unresolved: FleetForRollouts['unresolved'] = async () => []
  changeOf: FleetForRollouts['changeOf'] = async () => undefined
  effectOf: FleetForRollouts['effectOf'] = async (ids) => ({ changing: [...ids].length, notAccepting: 0 })

  readonly groups = new Set<string>()

  #given(group: string, id: string) {
    if (this.#rollouts === undefined) throw new Error('no server')
    return this.#rollouts.revisionFor(group, this.#current(group), id)
  }

  /** Offers what it should have, once on a connection. Groups do not meet in these agents. */
  #give(agent: TestAgent, answers = false): void {
    for (const group of this.groups) {
      const { revision } = this.#given(group, agent.id)
      const name = `${group}@${revision}`
      if ((agent.runs.get(group) ?? null) === revision || agent.failed.has(name)) continue
      if (agent.offered.has(name) && !answers) continue
      if (!agent.offered.has(name)) this.offers.push(`${agent.id} ${name}`)
      agent.offered.add(name)
      this.#take(agent, group, revision, answers)
    }
  }

  #take(agent: TestAgent, group: string, revision: number | null, answers: boolean): void {
    const reaction = revision === null ? 'apply' : this.react(agent, revision)
    if (reaction === 'fail') agent.failed.add(`${group}@${revision}`)
    if (reaction === 'apply' || (reaction === 'hold' && answers)) agent.runs.set(group, revision)
    if (reaction === 'lose') {
      agent.runs.set(group, revision)
      agent.isConnected = false
      agent.offlineSince = this.now()
    }
    this.#rollouts?.onAgentChanged(agent.id)
  }
}

function toFleetAgent(agent: TestAgent): FleetAgent {
  const lookup: Lookup = (key) => agent.labels[key]
  return {
    id: agent.id,
    name: `name of ${agent.id}`,
    lookup,
    offlineSince: agent.offlineSince,
    connectedSince: agent.offlineSince === null ? agent.connectedSince : null,
    healthy: agent.healthy,
    drifted: false,
    configError: agent.failed.size > 0 ? 'it does not start' : null,
  }
}
