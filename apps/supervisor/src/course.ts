/** The course of events: what the agent says goes to the Server, what the Server wants goes to the apply machine, and a person can look on. */
import type { ConnectionStatus } from '@drover/client'
import { type CustomMessage, type InstanceUid, type KeyValue, keyValues } from '@drover/protocol'
import type { Clock } from '@drover/server'
import type { AgentEvent, AgentFacts, SupervisedAgent } from './agent/agent.ts'
import type { OfferStatus } from './apply/apply-state.ts'
import type { ApplyDriver } from './apply/driver.ts'
import type { SupervisorConfig } from './config/supervisor-config.ts'
import type { SupervisorStatus } from './control/status.ts'
import type { Log } from './log.ts'
import { type OwnTelemetryOffer, type Signal, takeOwnTelemetry } from './own-telemetry/offer.ts'
import type { SelfExport } from './own-telemetry/self-export.ts'
import { createSelfMetrics, type SelfMetrics } from './own-telemetry/self-metrics.ts'
import type { OwnTelemetry } from './own-telemetry/settings.ts'
import type { OfferedConfig } from './state/offered-config.ts'
import type { StoredStatus } from './state/persistent-state.ts'
import { type StateFolder, storedStatuses } from './state/state-folder.ts'
import { supervisorStatus } from './supervisor-status.ts'
import type { SystemdNotifier } from './systemd/notify.ts'
import type { Upstream, UpstreamHandler } from './upstream/upstream.ts'

export interface Parts {
  readonly agent: SupervisedAgent
  readonly folder: StateFolder
  readonly facts: AgentFacts
  readonly upstream: Upstream
  readonly driver: ApplyDriver
  readonly selfExport: SelfExport
  readonly systemd: SystemdNotifier
  readonly ownTelemetry: OwnTelemetry | undefined
  /** Own telemetry that the Server may direct. */
  readonly reported: ReadonlySet<Signal>
}

export class Course implements UpstreamHandler {
  readonly #config: SupervisorConfig
  readonly #clock: Clock
  readonly #log: Log
  readonly #startedAt: number
  readonly #metrics: SelfMetrics = createSelfMetrics()
  #parts: Parts | undefined
  #facts: AgentFacts | undefined
  #ownTelemetry: OwnTelemetry | undefined
  #starts = 0
  #runningSince: number | undefined
  #lastStatus: StoredStatus | undefined
  /** When the last configuration was offered. */
  #offeredAt: number
  #lastFailure: { readonly hash: string; readonly at: number; readonly reason: string } | undefined

  constructor(config: SupervisorConfig, clock: Clock, log: Log) {
    this.#config = config
    this.#clock = clock
    this.#log = log
    this.#startedAt = clock.now()
    this.#offeredAt = this.#startedAt
  }

  /** Before the agent and the connection are started. */
  begin(parts: Parts): void {
    this.#parts = parts
    this.#facts = parts.facts
    this.#ownTelemetry = parts.ownTelemetry
    this.#lastStatus = parts.folder.found.status
    parts.agent.onEvent = (event) => this.#hearAgent(event, parts)
  }

  get isRunning(): boolean {
    return this.#parts !== undefined
  }

  /** `undefined` while it is starting. */
  get status(): SupervisorStatus | undefined {
    if (this.#parts === undefined || this.#facts === undefined) return undefined
    const { upstream, driver, agent } = this.#parts
    return supervisorStatus({
      config: this.#config,
      startedAt: this.#startedAt,
      facts: this.#facts,
      apply: driver.state,
      connection: upstream.connection,
      endpoint: upstream.settings.endpoint,
      health: upstream.health,
      pid: agent.pid,
      runningSince: this.#runningSince,
      restarts: Math.max(0, this.#starts - 1),
      lastStatus: this.#lastStatus,
      lastFailure: this.#lastFailure,
    })
  }

  /** What the supervisor's telemetry of itself is made of. */
  telemetry(facts: AgentFacts): { readonly resource: () => readonly KeyValue[]; readonly metrics: SelfMetrics['collect'] } {
    return {
      resource: () => resourceOf(this.#facts ?? facts, this.#config),
      metrics: () => this.#metrics.collect(),
    }
  }

  #hearAgent(event: AgentEvent, { driver, upstream }: Parts): void {
    switch (event.kind) {
      case 'started':
        this.#starts += 1
        this.#runningSince = this.#clock.now()
        this.#metrics.restarts = this.#starts - 1
        this.#log('info', 'Agent started', { pid: event.pid })
        break
      case 'crashed':
        this.#metrics.isAgentHealthy = false
        this.#log('error', 'Agent ended by itself', {
          reason: event.rejection.reason,
          exitCode: event.exitCode ?? undefined,
          signal: event.signal ?? undefined,
        })
        break
      case 'health':
        if (this.#metrics.isAgentHealthy !== event.health.healthy) this.#log('info', event.health.healthy ? 'Agent is healthy' : 'Agent is not healthy')
        this.#metrics.isAgentHealthy = event.health.healthy
        break
      case 'description':
        this.#facts = { ...this.#facts, description: event.description }
        break
      default:
    }
    // What it says is told before what follows from it.
    upstream.tell(event)
    driver.hearOfAgent(event)
  }

  onStatus(status: OfferStatus): void {
    const message = status.status === 'failed' ? status.message : ''
    this.#metrics.applies[status.status] += 1
    this.#lastStatus = { status: storedStatuses[status.status], hash: status.hash, errorMessage: message }
    if (status.status === 'failed') this.#lastFailure = { hash: status.hash, at: this.#clock.now(), reason: message }
    const words = { applying: 'Configuration is being applied', applied: 'Configuration is applied', failed: 'Configuration failed' } as const
    // Its first line says what happened; the rest is the agent's log, which has a file of its own.
    const reason = message.split('\n', 1)[0]
    this.#log(status.status === 'failed' ? 'warn' : 'info', words[status.status], { hash: status.hash, ...(reason === '' ? {} : { reason }) })
    this.#parts?.upstream.tellStatus(status)
    this.#parts?.systemd.status(words[status.status])
    if (status.status === 'applying') return
    this.#parts?.selfExport.addSpan({
      name: 'ApplyRemoteConfig',
      startTime: this.#offeredAt,
      attributes: { hash: status.hash },
      error: reason === '' ? undefined : reason,
    })
  }

  onHealth(healthy: boolean, message: string): void {
    this.#metrics.isAgentHealthy = healthy
    this.#parts?.upstream.tellHealth(healthy, message)
    if (healthy) this.#parts?.upstream.tellNothingRuns()
  }

  onOffer(offer: OfferedConfig): void {
    this.#log('info', 'Configuration was offered', { hash: offer.hash, files: offer.files.length })
    this.#offeredAt = this.#clock.now()
    this.#parts?.driver.offer(offer)
  }

  async onOwnTelemetry(offer: OwnTelemetryOffer): Promise<void> {
    if (this.#parts === undefined) throw new Error('the supervisor is starting')
    const { driver, selfExport, reported } = this.#parts
    const before = this.#ownTelemetry
    const next = takeOwnTelemetry(before, offer, reported)
    this.#ownTelemetry = next
    try {
      await driver.setOwnTelemetry(next)
      selfExport.setDestinations([this.#config.telemetry.export, next])
      this.#log('info', 'Own telemetry settings are in use', { signals: Object.keys(next ?? {}).join(', ') })
    } catch (error) {
      // Unless something newer was asked for since.
      if (this.#ownTelemetry === next) this.#ownTelemetry = before
      throw error
    }
  }

  onRestart(): void {
    this.#log('info', 'Restart was asked for')
    this.#parts?.driver.restartAgent()
  }

  onInstanceUid(uid: InstanceUid): void {
    this.#log('info', 'The server assigned another instance uid', { uid })
    this.#parts?.driver.setInstanceUid(uid)
  }

  onCustomMessage(message: CustomMessage): void {
    this.#parts?.agent.sendCustomMessage(message)
  }

  onServerCustomCapabilities(capabilities: readonly string[]): void {
    this.#parts?.agent.setServerCustomCapabilities(capabilities)
  }

  onConnection(status: ConnectionStatus): void {
    this.#metrics.isConnected = status.state === 'connected'
    const { driver, systemd } = this.#parts ?? {}
    if (status.state === 'connected') {
      this.#log('info', 'Connected to the server')
      driver?.hearOfServer(true)
      systemd?.status('Connected')
    } else if (status.state === 'waiting') {
      driver?.hearOfServer(false)
      systemd?.status(`Not connected: ${status.lastError}`)
    }
  }
}

/** Who it concerns is the agent; who speaks is its supervisor. */
function resourceOf({ description }: AgentFacts, { telemetry }: SupervisorConfig): readonly KeyValue[] {
  const own = keyValues({ 'drover.component': 'supervisor', 'process.pid': process.pid, ...telemetry.resource })
  const replaced = new Set(own.map(({ key }) => key))
  return [...description.identifyingAttributes.filter(({ key }) => !replaced.has(key)), ...own]
}
