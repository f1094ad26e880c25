/** The control plane's side of each agent: reports come in, what was decided goes out. */
import type { InstanceUid } from '@drover/protocol'
import type { AgentReport, Disconnection, Duplicate, Offer, OpampHandler, OpampServer } from '@drover/server'
import type { AgentRecord, ReportedSettings } from './agent-record.ts'
import type { Announcer } from './announcer.ts'
import type { Assignments } from './assignments.ts'
import type { Intake } from './intake.ts'
import type { Liveness } from './liveness.ts'
import { newAgent } from './load.ts'
import type { Offers, Outgoing } from './offers.ts'
import type { OwnTelemetryOffers } from './own-telemetry.ts'
import type { Registry } from './registry.ts'
import type { AgentStore } from './store.ts'

export interface DriverOptions {
  readonly registry: Registry
  readonly store: AgentStore
  readonly intake: Intake
  readonly assignments: Assignments
  readonly offers: Offers
  readonly ownTelemetry: OwnTelemetryOffers
  readonly liveness: Liveness
  readonly announcer: Announcer
  readonly now: () => number
  /** A token that leaked must not fill memory and disk with agents that do not exist. */
  readonly maxAgents: number
  /** Something was heard of the agent, or it connected or disconnected. */
  readonly onHeard: (record: AgentRecord) => void
}

type ReportHandler = Omit<OpampHandler, 'authenticate'>

/** Half of what the OpAMP server waits for an answer to a report. What comes later than it waits is thrown away. */
const ANSWER_WITHIN_MS = 10_000

export class Driver implements ReportHandler {
  readonly #options: DriverOptions
  #server: Pick<OpampServer, 'offer' | 'lastSeen'> | undefined

  constructor(options: DriverOptions) {
    this.#options = options
  }

  attach(server: Pick<OpampServer, 'offer' | 'lastSeen'>): void {
    this.#server = server
  }

  lastSeen(record: AgentRecord): number | null {
    const seen = record.connection === undefined ? undefined : this.#server?.lastSeen(record.uid)
    return seen === undefined ? record.lastSeenAt : Math.round(seen)
  }

  async onReport(report: AgentReport): Promise<Offer | undefined> {
    const { registry, intake, assignments, offers, ownTelemetry, announcer, now, onHeard } = this.#options
    const startedAt = now()
    const known = registry.byUid(report.uid)
    const record = known ?? this.#enrol(report.uid)
    this.#connect(record, report)
    ownTelemetry.confirm(record)
    const taken = intake.take(record, report)
    if (report.message.agentDescription !== undefined) record.described = true
    if (known === undefined) announcer.say(record, 'agent.enrolled', `${record.name} connected for the first time`, { credential: report.connection.principal })
    else if (taken.attributesChanged) announcer.changed(record, `${record.name} describes itself otherwise`, {})
    if (taken.healthChanged) announcer.health(record)
    if (taken.attributesChanged || record.selection === undefined) assignments.reselect(record)
    const failed = taken.status !== undefined && offers.takeStatus(record, taken.status)
    if (taken.settingsStatus !== undefined) this.#takeSettingsStatus(record, taken.settingsStatus)
    if (report.assignedUid !== undefined) this.#rename(record, report.assignedUid)
    const outgoing = await offers.decide(record)
    onHeard(record)
    if (known === undefined || failed || outgoing !== undefined) await this.#flush(record)
    const isLate = now() - startedAt >= ANSWER_WITHIN_MS
    if (isLate && outgoing !== undefined) this.#sendLate(record, outgoing, report)
    return this.#answer(record, isLate ? undefined : outgoing, taken.askComponents)
  }

  onDisconnect({ uid, connection, reason }: Disconnection): void {
    const { registry, store, offers, ownTelemetry, liveness, announcer, now, onHeard } = this.#options
    const record = registry.byUid(uid)
    // A late end of an old connection says nothing about the new one.
    if (record?.connection?.id !== connection.id) return
    record.lastSeenAt = this.lastSeen(record)
    registry.change(record, () => (record.connection = undefined))
    record.offlineSince = now()
    record.complete = false
    record.lastOffered = null
    ownTelemetry.onDisconnect(record)
    offers.refresh(record)
    liveness.watch(record)
    store.changed(record)
    onHeard(record)
    if (reason !== 'server') announcer.say(record, 'agent.disconnected', `${record.name} ${disconnectWords[reason]}`, { reason })
  }

  onDuplicate({ uid, newUid, existing, newcomer }: Duplicate): void {
    const record = this.#options.registry.byUid(uid)
    if (record === undefined) return
    const data = { newInstanceUid: newUid, existing: existing.remoteAddress, newcomer: newcomer.remoteAddress }
    this.#options.announcer.say(
      record,
      'agent.duplicate',
      `Another agent connected with the instance uid of ${record.name} and was given a new one`,
      data,
      'system',
    )
  }

  /** Sends what was decided outside of a report. */
  send(record: AgentRecord, outgoing: Outgoing): void {
    this.#server?.offer(record.uid, outgoing)
  }

  /** The disk was slow: an offer that is on it as made has to go out, or the agent would be waited for in vain. */
  #sendLate(record: AgentRecord, outgoing: Outgoing, { connection }: AgentReport): void {
    if (record.connection?.id === connection.id) this.send(record, outgoing)
  }

  /** At the end: when each agent that is still connected was heard last. */
  noteLastSeen(): void {
    for (const record of this.#options.registry.all()) {
      if (record.connection === undefined) continue
      record.lastSeenAt = this.lastSeen(record)
      this.#options.store.changed(record)
    }
  }

  /** What is not on disk was not offered. */
  async #flush(record: AgentRecord): Promise<void> {
    try {
      await this.#options.store.flush()
    } catch (error) {
      forgetUnsent(record)
      throw error
    }
  }

  /** Throws when there is no room; the agent is told that the server is unavailable, and comes back later. */
  #enrol(uid: InstanceUid): AgentRecord {
    const { registry, maxAgents } = this.#options
    if (registry.size >= maxAgents) throw new RangeError(`the ${maxAgents} agents that --max-agents allows are known: forget some, or allow more`)
    const record = newAgent(uid, this.#options.now())
    registry.add(record)
    return record
  }

  #connect(record: AgentRecord, { connection, complete }: AgentReport): void {
    const { registry, liveness, announcer, now } = this.#options
    const before = record.connection
    record.complete = complete
    record.lastSeenAt = now()
    if (before?.id === connection.id) {
      if (record.stale) liveness.watch(record)
      return
    }
    registry.change(record, () => (record.connection = connection))
    record.offlineSince = null
    forgetOffer(record)
    record.transport = connection.transport
    record.credential = connection.principal
    record.remoteAddress = connection.remoteAddress
    liveness.watch(record)
    if (before === undefined && record.described)
      announcer.say(record, 'agent.connected', `${record.name} connected`, {
        transport: connection.transport,
        remoteAddress: connection.remoteAddress,
        credential: connection.principal,
      })
  }

  #rename(record: AgentRecord, uid: InstanceUid): void {
    const { registry, store, announcer } = this.#options
    const before = record.uid
    registry.rename(record, uid)
    store.changed(record)
    announcer.say(record, 'agent.renamed', `${record.name} asked for a new instance uid and got one`, { previousInstanceUid: before }, 'system')
  }

  #takeSettingsStatus(record: AgentRecord, status: ReportedSettings): void {
    const { ownTelemetry, announcer } = this.#options
    if (!ownTelemetry.takeStatus(record, status)) return
    announcer.changed(record, `${record.name} cannot send its own telemetry as it was told: ${status.errorMessage || 'it does not say why'}`, {
      hash: status.hash,
      errorMessage: status.errorMessage,
    })
  }

  #answer(record: AgentRecord, outgoing: Outgoing | undefined, askComponents: boolean): Offer | undefined {
    // The session may remember an agent that was forgotten here.
    const askAll = !record.described
    if (outgoing === undefined && !askComponents && !askAll) return undefined
    return {
      ...outgoing,
      ...(askComponents ? { reportAvailableComponents: true } : {}),
      ...(askAll ? { reportFullState: true } : {}),
    }
  }
}

/** What it is offered next is the first on its connection. */
function forgetOffer(record: AgentRecord): void {
  record.lastOffered = null
  record.settings = { ...record.settings, lastOffered: null }
}

/** What was decided on could not be written, so it was not sent. */
export function forgetUnsent(record: AgentRecord): void {
  if (record.settings.offeredAt !== null) record.settings = { ...record.settings, offered: null, offeredAt: null }
  forgetOffer(record)
}

const disconnectWords: Readonly<Record<Disconnection['reason'], string>> = {
  'agent-disconnect': 'said goodbye',
  closed: 'closed its connection',
  lost: 'lost its connection',
  replaced: 'connected anew',
  server: 'was disconnected by the server',
  'missed-polls': 'stopped polling',
}
