/** An agent that speaks real OpAMP and behaves as the stock supervisor v0.149 does, without a process behind it. */
import { create } from '@bufbuild/protobuf'
import {
  AgentToServerSchema,
  CommandType,
  ServerErrorResponseType,
  ServerToAgentFlags,
  decodeServerToAgent,
  encodeAgentToServer,
  instanceUidFromBytes,
  instanceUidToBytes,
} from '@drover/protocol'
import type { AgentToServer, InstanceUid, ServerToAgent } from '@drover/protocol'
import type { Link, OpenLink } from './link.ts'
import { availableComponents, configStatus, describe, effective, healthTree, stockCapabilities } from './reports.ts'
import { ScriptedCollector, stockTimes } from './scripted-collector.ts'
import type { CollectorMemory, CollectorPart, CollectorTimes, ScriptedFile, ScriptedPipeline } from './scripted-collector.ts'
import { ScriptedMetrics } from './scripted-metrics.ts'
import type { TelemetrySender } from './telemetry-sender.ts'
import type { TimerQueue, Wait } from './timer-queue.ts'
import type { AgentTraits } from './traits.ts'

type Part = CollectorPart | 'agentDescription' | 'availableComponents' | 'agentDisconnect'
const ALL_PARTS: readonly Part[] = ['agentDescription', 'health', 'effectiveConfig', 'remoteConfigStatus', 'availableComponents']

export interface ScriptedAgentOptions {
  readonly traits: AgentTraits
  readonly openLink: OpenLink
  readonly timers: TimerQueue
  /** Numbers in [0, 1), for jitter. */
  readonly random: () => number
  readonly capabilities?: bigint
  /** 30 s; the first one comes at a random moment within it, so that a fleet spreads. */
  readonly heartbeatMs?: number
  readonly times?: Partial<CollectorTimes>
  readonly merge?: (files: readonly ScriptedFile[]) => string
  readonly pipelines?: (config: string) => readonly ScriptedPipeline[]
  /** What it remembers from before, as a supervisor does on its disk. */
  readonly memory?: CollectorMemory
  /** Sends the own metrics that the server asks for; left out, it sends none, whatever it says that it can. */
  readonly telemetry?: { readonly sender: Pick<TelemetrySender, 'send'>; readonly intervalMs: number }
  /** Each message from the server, after the agent acted on it. */
  readonly onMessage?: (message: ServerToAgent) => void
}

/** What happened so far, for assertions. */
export interface AgentTally {
  /** Hash of each offered configuration as hex, oldest first. */
  readonly offers: string[]
  restarts: number
  messagesSent: number
  messagesReceived: number
  errors: string[]
  connects: number
}

const BACKOFF_BASE_MS = 500
const BACKOFF_MAX_MS = 60_000

export class ScriptedAgent {
  readonly tally: AgentTally = { offers: [], restarts: 0, messagesSent: 0, messagesReceived: 0, errors: [], connects: 0 }
  readonly #options: ScriptedAgentOptions
  readonly #timers: TimerQueue
  readonly #collector: ScriptedCollector
  #traits: AgentTraits
  #link: Link | undefined
  #connected = false
  #running = false
  #sequenceNum = 0n
  #heartbeatMs: number
  #heartbeat: Wait | undefined
  readonly #metrics: ScriptedMetrics
  #destination: { readonly endpoint: string; readonly headers: Readonly<Record<string, string>> } | undefined
  #nextReport: Wait | undefined
  #reconnect: Wait | undefined
  #failures = 0
  #completeComponents = false
  readonly #unsent = new Set<Part>()
  #lastSent: readonly Part[] = []

  constructor(options: ScriptedAgentOptions) {
    this.#options = options
    this.#timers = options.timers
    this.#traits = options.traits
    this.#heartbeatMs = options.heartbeatMs ?? 30_000
    this.#metrics = new ScriptedMetrics({ now: () => options.timers.now(), random: options.random })
    this.#collector = new ScriptedCollector({
      timers: options.timers,
      times: { ...stockTimes, ...options.times },
      onChange: (parts) => this.#report(parts),
      ...(options.merge === undefined ? {} : { merge: options.merge }),
      ...(options.pipelines === undefined ? {} : { pipelines: options.pipelines }),
      ...(options.memory === undefined ? {} : { memory: options.memory }),
    })
  }

  get uid(): InstanceUid {
    return this.#traits.uid
  }

  get connected(): boolean {
    return this.#connected
  }

  get memory(): CollectorMemory {
    return this.#collector.memory
  }

  get healthy(): boolean {
    return this.#collector.health.healthy
  }

  /** Stopped -> running: connects, reports everything, starts its Collector. A start after `stop` is a new process with the same memory. */
  start(): void {
    if (this.#running) return
    this.#running = true
    this.#sequenceNum = 0n
    for (const part of ALL_PARTS) this.#unsent.add(part)
    this.#connect()
    this.#collector.start()
    this.#reportMetrics()
  }

  /** Running -> stopped, as on SIGTERM: unhealthy, `agent_disconnect`, close. */
  stop(): void {
    if (!this.#running) return
    this.#collector.stop()
    this.#unsent.add('health').add('agentDisconnect')
    this.#flush()
    this.#running = false
    this.#nextReport?.cancel()
    this.#closeLink('close')
  }

  /** Running -> stopped without a word: power cut. */
  kill(): void {
    this.#running = false
    this.#nextReport?.cancel()
    this.#collector.stop()
    this.#closeLink('cut')
  }

  /** The network goes; the agent comes back by itself, with a report of what changed meanwhile. */
  loseConnection(): void {
    this.#closeLink('cut')
    if (this.#running) this.#connectLater(undefined)
  }

  /** For tests: the Collector gets worse or better by itself. */
  setHealth(healthy: boolean, lastError?: string): void {
    this.#collector.setHealth(healthy, lastError)
  }

  /** For tests: other attributes, e.g. after an upgrade. */
  setTraits(traits: AgentTraits): void {
    this.#traits = traits
    this.#report(['agentDescription'])
  }

  #connect(): void {
    const own: { link?: Link } = {}
    const isCurrent = () => this.#running && (own.link === undefined || own.link === this.#link)
    own.link = this.#options.openLink(
      {
        open: () => {
          if (isCurrent()) this.#onOpen()
        },
        message: (bytes) => {
          if (isCurrent()) this.#onMessage(bytes)
        },
        ready: () => {
          if (isCurrent() && this.#unsent.size > 0) this.#flush()
        },
        closed: (info) => {
          if (!isCurrent()) return
          if (info.undelivered === true) this.#takeBack()
          this.#closeLink('none')
          this.#connectLater(info.retryAfterMs)
        },
      },
      this.uid,
    )
    this.#link = own.link
    if (this.#connected) this.#send() // opened before `openLink` returned
  }

  #onOpen(): void {
    this.#connected = true
    this.#failures = 0
    this.tally.connects += 1
    if (this.#link !== undefined) this.#send()
    this.#beat(this.#options.random() * this.#heartbeatMs)
  }

  #closeLink(how: 'close' | 'cut' | 'none'): void {
    this.#heartbeat?.cancel()
    this.#reconnect?.cancel()
    const link = this.#link
    this.#link = undefined
    this.#connected = false
    if (how !== 'none') link?.[how]()
  }

  /** 0.5 s, growing by half to a minute, give or take half; longer when the server asked for it. */
  #connectLater(retryAfterMs: number | undefined): void {
    const backoff = Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 1.5 ** this.#failures) * (0.5 + this.#options.random())
    this.#failures += 1
    this.#reconnect = this.#timers.after(Math.max(backoff, retryAfterMs ?? 0), () => {
      if (this.#running) this.#connect()
    })
  }

  #beat(delayMs: number): void {
    this.#heartbeat?.cancel()
    if (this.#heartbeatMs <= 0) return
    this.#heartbeat = this.#timers.after(delayMs, () => {
      this.#send()
      this.#beat(this.#heartbeatMs * (0.95 + this.#options.random() * 0.1))
    })
  }

  #report(parts: readonly Part[]): void {
    for (const part of parts) this.#unsent.add(part)
    this.#flush()
  }

  #flush(): void {
    if (this.#connected && this.#unsent.size > 0) this.#send()
  }

  /** One message with whatever is unsent; nothing unsent makes a heartbeat. */
  #send(): void {
    if (this.#link === undefined) return
    if (this.#link.send(encodeAgentToServer(this.#message())) === 'busy') return
    this.#sequenceNum += 1n
    this.tally.messagesSent += 1
    this.#lastSent = [...this.#unsent]
    this.#unsent.clear()
    this.#completeComponents = false
  }

  /** The last message did not arrive: the next one has its number and its parts. */
  #takeBack(): void {
    if (this.#sequenceNum > 0n) this.#sequenceNum -= 1n
    for (const part of this.#lastSent) this.#unsent.add(part)
  }

  #message(): AgentToServer {
    const unsent = this.#unsent
    const message = create(AgentToServerSchema, {
      instanceUid: instanceUidToBytes(this.uid),
      sequenceNum: this.#sequenceNum,
      capabilities: this.#options.capabilities ?? stockCapabilities,
    })
    if (unsent.has('agentDescription')) message.agentDescription = describe(this.#traits)
    if (unsent.has('health')) message.health = healthTree(this.#collector.health)
    if (unsent.has('effectiveConfig')) message.effectiveConfig = effective(this.#collector.effectiveConfig)
    if (unsent.has('remoteConfigStatus')) message.remoteConfigStatus = configStatus(this.#collector.memory)
    if (unsent.has('availableComponents')) message.availableComponents = availableComponents(this.#traits, this.#completeComponents)
    if (unsent.has('agentDisconnect')) message.agentDisconnect = { $typeName: 'opamp.proto.v1.AgentDisconnect' }
    return message
  }

  /** In the order of the Go client: a command alone; then flags, identification, configuration, settings. */
  #onMessage(bytes: Uint8Array): void {
    const message = decodeServerToAgent(bytes)
    this.tally.messagesReceived += 1
    if (message.errorResponse !== undefined) this.#onError(message)
    else if (message.command?.type === CommandType.CommandType_Restart) {
      this.tally.restarts += 1
      this.#collector.restart()
    } else this.#onOffers(message)
    this.#options.onMessage?.(message)
  }

  #onOffers(message: ServerToAgent): void {
    const flags = Number(message.flags)
    if ((flags & ServerToAgentFlags.ServerToAgentFlags_ReportAvailableComponents) !== 0) {
      this.#completeComponents = true
      this.#unsent.add('availableComponents')
    }
    if ((flags & ServerToAgentFlags.ServerToAgentFlags_ReportFullState) !== 0) for (const part of ALL_PARTS) this.#unsent.add(part)
    if (message.agentIdentification !== undefined) this.#rename(instanceUidFromBytes(message.agentIdentification.newInstanceUid))
    this.#flush()
    if (message.remoteConfig !== undefined) {
      this.tally.offers.push(Buffer.from(message.remoteConfig.configHash).toString('hex'))
      this.#collector.apply(message.remoteConfig)
    }
    const own = message.connectionSettings?.ownMetrics
    if (own !== undefined) {
      const headers = Object.fromEntries((own.headers?.headers ?? []).map(({ key, value }) => [key, value]))
      this.#destination = own.destinationEndpoint === '' ? undefined : { endpoint: own.destinationEndpoint, headers }
      this.#reportMetrics()
    }
    const interval = message.connectionSettings?.opamp?.heartbeatIntervalSeconds
    if (interval !== undefined && interval > 0n) {
      this.#heartbeatMs = Number(interval) * 1000
      this.#beat(this.#heartbeatMs)
    }
  }

  /** Now and then again and again, as long as there is somewhere to send them; also while the server is away. */
  #reportMetrics(): void {
    const { telemetry, random } = this.#options
    this.#nextReport?.cancel()
    if (telemetry === undefined || this.#destination === undefined || !this.#running) return
    this.#nextReport = this.#timers.after(telemetry.intervalMs * (0.9 + random() * 0.2), () => {
      const { health, memory } = this.#collector
      const { identifying } = this.#traits
      const measured = { serviceName: identifying['service.name'] ?? '', instanceUid: this.uid, startedAtMs: health.startedAtMs, marks: memory.marks ?? [] }
      if (health.healthy && this.#destination !== undefined)
        telemetry.sender.send(this.#destination.endpoint, this.#destination.headers, this.#metrics.report(measured))
      this.#reportMetrics()
    })
  }

  #onError(message: ServerToAgent): void {
    this.tally.errors.push(message.errorResponse?.errorMessage ?? '')
    if (message.errorResponse?.type !== ServerErrorResponseType.ServerErrorResponseType_Unavailable) return
    const details = message.errorResponse.Details
    const retryMs = details.case === 'retryInfo' ? Number(details.value.retryAfterNanoseconds / 1_000_000n) : 30_000
    this.#timers.after(retryMs, () => this.#report(ALL_PARTS))
  }

  #rename(uid: InstanceUid): void {
    this.#traits = { ...this.#traits, uid, identifying: { ...this.#traits.identifying, 'service.instance.id': uid } }
    this.#unsent.add('agentDescription')
    this.#collector.restart()
  }
}
