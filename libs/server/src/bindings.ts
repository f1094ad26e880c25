/** Which connection an agent is reachable on: claims, take-overs, duplicates, and how a binding ends. */
import { type CapabilitySet, createInstanceUid, type InstanceUid, type ServerCapability } from '@drover/protocol'
import type { Clock } from './clock.ts'
import { judgeClaim } from './contention.ts'
import type { CustomCapabilities } from './custom-capabilities.ts'
import type { ConnectionInfo, DisconnectReason, OpampHandler, Transport } from './handler.ts'
import type { ServerLimits } from './limits.ts'
import type { CauseLog } from './log.ts'
import type { Agent, Binding, Registry } from './registry.ts'
import { type AgentStream, closeCode } from './stream.ts'
import type { TimerWheel } from './timer-wheel.ts'

/** Where a message came from. */
export interface Origin {
  readonly transport: Transport
  readonly principal: string
  readonly remoteAddress: string
  /** Undefined for plain HTTP, where only polls of one principal make a connection. */
  readonly stream: AgentStream | undefined
}

export interface BindingTools {
  readonly handler: OpampHandler
  readonly registry: Registry
  readonly capabilities: CapabilitySet<ServerCapability>
  readonly customCapabilities: CustomCapabilities
  readonly limits: ServerLimits
  readonly clock: Clock
  readonly wheel: TimerWheel
  readonly random: (bytes: Uint8Array) => void
  readonly nextConnectionId: () => number
  readonly log: CauseLog
}

export class Bindings {
  readonly #tools: BindingTools

  constructor(tools: BindingTools) {
    this.#tools = tools
  }

  get capabilities(): CapabilitySet<ServerCapability> {
    return this.#tools.capabilities
  }

  /** The agent is bound, and to somebody else than the sender. */
  isHeldByAnother(agent: Agent, origin: Origin): boolean {
    const { binding } = agent
    return binding !== undefined && (binding.stream !== origin.stream || binding.info.principal !== origin.principal)
  }

  /**
   * Binds the agent to where its message came from. Returns the uid to use instead when a live agent already has this one,
   * and 'full' when there is no room for another.
   */
  claim(agent: Agent, origin: Origin, continues: boolean): Binding | InstanceUid | 'full' | Promise<Binding | InstanceUid | 'full'> {
    const { binding } = agent
    if (binding !== undefined && binding.stream === origin.stream && origin.stream !== undefined) return binding
    const renamed = origin.stream?.renamed.get(agent.uid)
    if (renamed !== undefined) return renamed
    if (binding === undefined) return this.#bind(agent, origin)
    const verdict = judgeClaim({ holder: binding.info, newcomer: origin, continues })
    switch (verdict) {
      case 'same':
        return binding
      case 'take-over':
        return this.#takeOver(agent, binding, origin)
      case 'probe':
        return this.#probe(agent, binding, origin, continues)
      default:
        throw new TypeError(`not a verdict: ${String(verdict satisfies never)}`)
    }
  }

  /** Ends a binding, unless another has taken its place. */
  release(agent: Agent, binding: Binding, reason: DisconnectReason): void {
    if (agent.binding !== binding) return
    this.#tools.registry.detach(agent)
    if (!binding.announced) return
    try {
      this.#tools.handler.onDisconnect({ uid: agent.uid, connection: binding.info, reason })
    } catch (error) {
      this.#tools.log('handler-failed', 'error', 'onDisconnect failed', { uid: agent.uid, error: error instanceof Error ? error.message : 'unknown' })
    }
  }

  /** The stream is over, and with it the link to all its agents. */
  streamEnded(stream: AgentStream, reason: DisconnectReason): void {
    for (const agent of stream.agents) if (agent.binding?.stream === stream) this.release(agent, agent.binding, reason)
  }

  /** Makes a uid for the newcomer of two live agents and tells the handler. */
  reportDuplicate(agent: Agent, existing: Binding, origin: Origin): InstanceUid {
    const { handler, clock, random, log } = this.#tools
    const newUid = createInstanceUid(clock.now(), random)
    origin.stream?.renamed.set(agent.uid, newUid)
    try {
      handler.onDuplicate({ uid: agent.uid, newUid, existing: existing.info, newcomer: this.#infoOf(origin) })
    } catch (error) {
      log('handler-failed', 'error', 'onDuplicate failed', { uid: agent.uid, error: error instanceof Error ? error.message : 'unknown' })
    }
    return newUid
  }

  #bind(agent: Agent, origin: Origin): Binding | 'full' {
    const { registry, limits, customCapabilities } = this.#tools
    if (registry.connections >= limits.maxConnections) return 'full'
    if (origin.stream !== undefined && origin.stream.agents.size >= limits.maxAgentsPerConnection) return 'full'
    const predecessor = registry.takePredecessor(agent.uid)
    if (predecessor?.binding !== undefined && !this.isHeldByAnother(predecessor, origin)) this.release(predecessor, predecessor.binding, 'replaced')
    const binding: Binding = {
      info: this.#infoOf(origin),
      stream: origin.stream,
      announced: false,
      reported: false,
      capabilitiesSent: false,
      customCapabilitiesSent: !customCapabilities.isSaid,
      assignedUid: undefined,
      expiry: undefined,
    }
    registry.attach(agent, binding)
    if (binding.stream === undefined) this.#expectPoll(agent, binding)
    return binding
  }

  #takeOver(agent: Agent, holder: Binding, origin: Origin): Binding | 'full' {
    this.release(agent, holder, 'replaced')
    if (holder.stream?.agents.size === 0) holder.stream.close(closeCode.normal, 'replaced by a newer connection', 'replaced')
    return this.#bind(agent, origin)
  }

  async #probe(agent: Agent, holder: Binding, origin: Origin, continues: boolean): Promise<Binding | InstanceUid | 'full'> {
    const isAlive = (await holder.stream?.probe()) ?? false
    // Much may have happened meanwhile; only the same holder is judged by its own pong.
    if (agent.binding !== holder) return this.claim(agent, origin, continues)
    if (isAlive) return this.reportDuplicate(agent, holder, origin)
    return this.#takeOver(agent, holder, origin)
  }

  /** A plain HTTP agent is gone when it missed its polls. Looked at again when the time is up, not moved with each poll. */
  #expectPoll(agent: Agent, binding: Binding): void {
    const { wheel, clock, limits } = this.#tools
    const allowedMs = limits.missedPolls * Math.max(limits.pollMs, agent.polls.intervalMs)
    const leftMs = agent.lastSeenMs + allowedMs - clock.monotonic()
    if (leftMs <= 0 && agent.requestsInFlight === 0) return this.release(agent, binding, 'missed-polls')
    binding.expiry = wheel.after(Math.max(leftMs, 1_000), () => this.#expectPoll(agent, binding))
  }

  #infoOf(origin: Origin): ConnectionInfo {
    const { transport, principal, remoteAddress } = origin
    return origin.stream?.info ?? { id: this.#tools.nextConnectionId(), transport, principal, remoteAddress, connectedAt: this.#tools.clock.now() }
  }
}
