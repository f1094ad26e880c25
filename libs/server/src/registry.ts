/** The agents this server knows: those connected, and those remembered so that they may go on where they stopped. */
import { type InstanceUid, instanceUidToBytes } from '@drover/protocol'
import type { ConnectionInfo, Offer } from './handler.ts'
import type { ServerLimits } from './limits.ts'
import { emptyOutbox } from './outbox.ts'
import { type PollHistory, newPollHistory } from './poll-history.ts'
import { encodeAddressee } from './server-message.ts'
import { newSession, type Session } from './session.ts'
import type { AgentStream } from './stream.ts'
import type { Deadline } from './timer-wheel.ts'
import { TokenBucket } from './token-bucket.ts'

/** That an agent is reachable, and how. */
export interface Binding {
  readonly info: ConnectionInfo
  /** Undefined for plain HTTP: what is to be sent waits for the next poll. */
  readonly stream: AgentStream | undefined
  /** The handler heard of this connection, so it will hear of its end. */
  announced: boolean
  /** A report was taken in on this connection. Before that the agent's capabilities are not known. */
  reported: boolean
  capabilitiesSent: boolean
  customCapabilitiesSent: boolean
  /** The new uid this agent was told, until it uses it. */
  assignedUid: InstanceUid | undefined
  expiry: Deadline | undefined
}

/** One instance uid and everything held of it. */
export class Agent {
  readonly uid: InstanceUid
  readonly uidBytes: Uint8Array
  /** The encoded start of each message to it, which alone is the answer to an unchanged heartbeat. */
  readonly addressee: Uint8Array
  /** That answer as a whole WebSocket frame: binary, unmasked, with the header of OpAMP. */
  readonly acknowledgement: Uint8Array
  session: Session = newSession
  outbox: Offer = emptyOutbox
  binding: Binding | undefined
  /** On the monotonic clock. */
  lastSeenMs: number
  polls: PollHistory = newPollHistory
  /** HTTP requests being read or waiting. */
  requestsInFlight = 0
  readonly messages: TokenBucket
  readonly bytes: TokenBucket
  /** Messages under this uid from elsewhere than its connection: they must not use up what the agent may send. */
  readonly claims: TokenBucket
  #tail: Promise<unknown> | undefined

  constructor(uid: InstanceUid, limits: ServerLimits, nowMs: number) {
    this.uid = uid
    this.uidBytes = instanceUidToBytes(uid)
    this.addressee = encodeAddressee(this.uidBytes)
    this.acknowledgement = Uint8Array.of(0x82, this.addressee.length + 1, 0, ...this.addressee)
    this.lastSeenMs = nowMs
    const messageRule = { perSecond: limits.messagesPerSecond, burst: limits.messagesBurst }
    this.messages = new TokenBucket(messageRule, nowMs)
    this.claims = new TokenBucket(messageRule, nowMs)
    this.bytes = new TokenBucket({ perSecond: limits.bytesPerSecond, burst: limits.bytesBurst }, nowMs)
  }

  get isBusy(): boolean {
    return this.#tail !== undefined
  }

  /** Runs one task for this agent at a time, in order; at once, without a promise, when it can. */
  exclusively<T>(task: () => T | Promise<T>): T | Promise<T> {
    const result = this.#tail === undefined ? task() : this.#tail.then(task, task)
    if (result instanceof Promise) void this.#waitFor(result)
    return result
  }

  async #waitFor(work: Promise<unknown>): Promise<void> {
    this.#tail = work
    try {
      await work
    } catch {
      // Whoever asked for the work hears of its failure.
    }
    if (this.#tail === work) this.#tail = undefined
  }
}

export class Registry {
  readonly #agents = new Map<InstanceUid, Agent>()
  /** Agents without a binding, the longest gone first. */
  readonly #remembered = new Set<Agent>()
  /** By the uid an agent was told to use: the agent as it was known until then. */
  readonly #predecessors = new Map<InstanceUid, Agent>()
  readonly #limits: ServerLimits
  #bound = 0

  constructor(limits: ServerLimits) {
    this.#limits = limits
  }

  /** Agents with a binding. */
  get connections(): number {
    return this.#bound
  }

  find(uid: InstanceUid): Agent | undefined {
    return this.#agents.get(uid)
  }

  findOrCreate(uid: InstanceUid, nowMs: number): Agent {
    const known = this.#agents.get(uid)
    if (known !== undefined) return known
    const agent = new Agent(uid, this.#limits, nowMs)
    this.#agents.set(uid, agent)
    this.#remember(agent)
    return agent
  }

  bound(): Agent[] {
    return [...this.#agents.values()].filter((agent) => agent.binding !== undefined)
  }

  attach(agent: Agent, binding: Binding): void {
    agent.binding = binding
    binding.stream?.agents.add(agent)
    this.#remembered.delete(agent)
    this.#bound += 1
  }

  /** Returns the binding that ended. What waited for the agent is gone: who reconnects is decided on anew. */
  detach(agent: Agent): Binding | undefined {
    const { binding } = agent
    if (binding === undefined) return undefined
    binding.expiry?.cancel()
    binding.stream?.agents.delete(agent)
    if (binding.assignedUid !== undefined) this.#predecessors.delete(binding.assignedUid)
    agent.binding = undefined
    agent.outbox = emptyOutbox
    this.#bound -= 1
    this.#remember(agent)
    return binding
  }

  /** The agent was told to use another uid. */
  rename(agent: Agent, newUid: InstanceUid): void {
    if (agent.binding === undefined) return
    agent.binding.assignedUid = newUid
    this.#predecessors.set(newUid, agent)
  }

  /** Whoever was told to use this uid, once. */
  takePredecessor(uid: InstanceUid): Agent | undefined {
    const predecessor = this.#predecessors.get(uid)
    if (predecessor !== undefined) this.#predecessors.delete(uid)
    return predecessor
  }

  #remember(agent: Agent): void {
    this.#remembered.delete(agent)
    this.#remembered.add(agent)
    if (this.#remembered.size <= this.#limits.maxRememberedAgents) return
    for (const oldest of this.#remembered) {
      if (oldest === agent || oldest.isBusy || oldest.requestsInFlight > 0) continue
      this.#remembered.delete(oldest)
      this.#agents.delete(oldest.uid)
      return
    }
  }
}
