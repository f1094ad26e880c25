/** Connections between Agents and the server, and what becomes of messages on the way. */
import type { AgentReport, Offer, SimulatedAgent } from './agent.ts'
import type { Faults } from './faults.ts'
import type { World } from './world.ts'

/** The server's side. Each call may find it dead, and is lost then. */
export interface ServerPorts {
  isUp(): boolean
  connected(agent: string, connection: number, report: AgentReport): void
  disconnected(agent: string, connection: number): void
  reported(agent: string, connection: number, report: AgentReport): void
}

const secondMs = 1000
const minuteMs = 60 * secondMs
/** When the server gives up a connection on which nothing comes. */
const silenceMs = 75 * secondMs
const usualDelayMs = 20

export class Network {
  private readonly agents: ReadonlyMap<string, SimulatedAgent>
  private readonly world: World
  private readonly faults: Faults
  private readonly server: ServerPorts
  private connections = 0
  /** Connections on which nothing arrives any more, though nobody has noticed. */
  private readonly dead = new Set<number>()

  constructor(agents: ReadonlyMap<string, SimulatedAgent>, world: World, faults: Faults, server: ServerPorts) {
    this.agents = agents
    this.world = world
    this.faults = faults
    this.server = server
  }

  connect(agent: SimulatedAgent): void {
    if (agent.connection !== 0 || !this.agents.has(agent.name)) return
    if (!this.server.isUp()) return this.world.in(this.world.between(secondMs, 30 * secondMs), () => this.connect(agent))
    agent.connection = ++this.connections
    this.world.tell(() => `${agent.name} connects, runs ${agent.running} and says ${describe(agent.report)}`)
    this.server.connected(agent.name, agent.connection, agent.report)
  }

  /** It breaks. The server notices at once, or when it misses something, which may be after the next connection is open. */
  disconnect(agent: SimulatedAgent, backInMs: number): void {
    const { connection } = agent
    if (connection === 0) return
    agent.connection = 0
    this.world.tell(() => `${agent.name} loses its connection`)
    const noticedInMs = this.world.chance(0.5) ? 0 : this.world.between(0, silenceMs)
    this.world.in(noticedInMs, () => this.server.disconnected(agent.name, connection))
    this.world.in(backInMs, () => this.connect(agent))
  }

  /** Nothing arrives any more, and neither side is told. */
  halfOpen(agent: SimulatedAgent): void {
    const { connection } = agent
    if (connection === 0 || this.dead.has(connection)) return
    this.world.tell(() => `the connection of ${agent.name} goes dead, and nobody notices`)
    this.dead.add(connection)
    this.world.in(silenceMs, () => this.server.disconnected(agent.name, connection))
    this.world.in(this.world.between(10 * secondMs, 3 * minuteMs), () => {
      this.dead.delete(connection)
      if (agent.connection !== connection) return
      agent.connection = 0
      this.connect(agent)
    })
  }

  /** The server is gone, and so are all connections to it. */
  dropAll(): void {
    for (const agent of this.agents.values()) {
      if (agent.connection === 0) continue
      agent.connection = 0
      this.world.in(this.world.between(secondMs, minuteMs), () => this.connect(agent))
    }
  }

  /** Another process comes with the same instance uid: its connection takes over for a while. `after`: it was told apart. */
  takeOver(agent: SimulatedAgent, report: AgentReport, after: () => void): void {
    if (agent.connection === 0 || !this.server.isUp()) return
    agent.connection = 0
    const connection = ++this.connections
    this.world.tell(() => `a copy of ${agent.name} connects in its name and says ${describe(report)}`)
    this.server.connected(agent.name, connection, report)
    this.world.in(this.world.between(100, 20 * secondMs), () => {
      this.world.tell(() => `the copy of ${agent.name} gets a name of its own`)
      this.server.disconnected(agent.name, connection)
      this.connect(agent)
      after()
    })
  }

  toServer(agent: SimulatedAgent): void {
    const { connection, report } = agent
    this.carry(agent, 'from', () => {
      this.world.tell(() => `${agent.name} says ${describe(report)}`)
      this.server.reported(agent.name, connection, report)
    })
  }

  toAgent(name: string, offer: Offer): void {
    const agent = this.agents.get(name)
    if (agent === undefined) return
    this.world.tell(() => `${name} is sent ${[offer.config, offer.settings].filter((hash) => hash !== null).join(' and ')}`)
    this.carry(agent, 'to', () => agent.takeOffer(offer))
  }

  /** Over the connection that is open now, if it still is when it arrives. */
  private carry(agent: SimulatedAgent, direction: 'from' | 'to', arrive: () => void): void {
    const { world, faults } = this
    const { connection } = agent
    if (connection === 0 || this.dead.has(connection)) return
    if (faults.happens('drop', 'message')) {
      world.tell(() => `a message ${direction} ${agent.name} is lost with its connection`)
      return this.disconnect(agent, world.between(secondMs, 2 * minuteMs))
    }
    const delivered = (): void => {
      if (agent.connection === connection && !this.dead.has(connection)) arrive()
    }
    const delayMs = faults.happens('delay', 'message')
      ? world.between(0, 2 * minuteMs)
      : faults.happens('reorder', 'message')
        ? world.between(0, 5000)
        : usualDelayMs
    world.in(delayMs, delivered)
    if (faults.happens('duplicate', 'message')) world.in(delayMs + world.between(0, 3000), delivered)
    if (faults.happens('halfOpen', 'message')) this.halfOpen(agent)
  }
}

function describe({ config, settings }: AgentReport): string {
  const said = config.status === 'unset' ? 'nothing of a configuration' : `${config.status} ${config.hash === '' ? 'of no hash' : config.hash}`
  return settings === null ? said : `${said}, and ${settings.status} ${settings.hash}`
}
