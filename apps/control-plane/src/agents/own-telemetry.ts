/** Where agents send their own telemetry: decided by their groups, offered as connection settings, and what became of it. */
import { create } from '@bufbuild/protobuf'
import type { OwnTelemetry } from '@drover/api'
import { fillText, settingsDecision, settingsOutcome } from '@drover/fleet'
import type { Outcome, Unresolved } from '@drover/fleet'
import { ConnectionSettingsOffersSchema, HeaderSchema, HeadersSchema, TelemetryConnectionSettingsSchema, fromHex } from '@drover/protocol'
import type { AgentCapability, ConnectionSettingsOffers } from '@drover/protocol'
import type { OwnMetricsOffer, RevisionRule, Sealer } from '../seams.ts'
import { telemetryToken } from '../telemetry-token.ts'
import { lookupOf } from './agent-record.ts'
import type { AgentRecord, ReportedSettings } from './agent-record.ts'
import type { DesiredConfigs } from './desired-configs.ts'
import type { AgentStore } from './store.ts'

export interface OwnTelemetryOptions {
  readonly desired: DesiredConfigs
  readonly sealer: Pick<Sealer, 'mac'>
  /** E.g. `http://127.0.0.1:4320`. */
  readonly telemetryEndpoint: () => string
  readonly store: Pick<AgentStore, 'changed'>
  readonly now: () => number
  readonly onOffer: () => void
}

type TelemetryDestination = NonNullable<OwnTelemetry['metrics']>

const signals = ['metrics', 'logs', 'traces'] as const
type Signal = (typeof signals)[number]

const fields = { metrics: 'ownMetrics', logs: 'ownLogs', traces: 'ownTraces' } as const satisfies Record<Signal, keyof ConnectionSettingsOffers>
const capabilities = { metrics: 'ReportsOwnMetrics', logs: 'ReportsOwnLogs', traces: 'ReportsOwnTraces' } as const satisfies Record<Signal, AgentCapability>

interface Destination {
  readonly endpoint: string
  readonly headers: readonly (readonly [name: string, value: string])[]
}

/** What an agent should have, of what it takes. */
export interface WantedSettings {
  /** Lower-case hex; null: nothing that it takes, or nothing that can be filled in. */
  readonly hash: string | null
  /** Some group names a destination. */
  readonly isNamed: boolean
  readonly destinations: Readonly<Partial<Record<Signal, Destination>>>
  readonly unresolved: readonly Unresolved[]
}

/** An agent that went away so soon after an offer and said nothing may never have got it. */
const UNCONFIRMED_MS = 30_000

export class OwnTelemetryOffers {
  readonly #options: OwnTelemetryOptions

  constructor(options: OwnTelemetryOptions) {
    this.#options = options
  }

  wanted(record: AgentRecord): WantedSettings {
    const named = this.#named(record)
    const unresolved: Unresolved[] = []
    const destinations: Partial<Record<Signal, Destination>> = {}
    for (const signal of signals) {
      const found = named.get(signal)
      if (found === undefined || !record.capabilities.has(capabilities[signal])) continue
      destinations[signal] = this.#fill(record, signal, found.destination, found.rule, unresolved)
    }
    const isOffered = unresolved.length === 0 && Object.keys(destinations).length > 0
    const hash = isOffered ? this.#options.sealer.mac(JSON.stringify(destinations), 'connection settings') : null
    return { hash, isNamed: named.size > 0, destinations, unresolved }
  }

  /** What to send, if anything; remembered as sent. */
  decide(record: AgentRecord): ConnectionSettingsOffers | undefined {
    const wanted = this.wanted(record)
    const decision = settingsDecision({
      desired: wanted.hash,
      reports: record.capabilities.has('ReportsConnectionSettingsStatus'),
      connected: record.connection !== undefined,
      complete: record.complete,
      lastOffered: record.settings.lastOffered,
      offered: record.settings.offered,
      status: record.settings.status,
      retry: record.settings.retry,
    })
    if (decision.kind === 'none') return undefined
    const { hash } = decision
    const { status, retry } = record.settings
    record.settings = { offered: hash, lastOffered: hash, offeredAt: this.#options.now(), status: retry ? null : status, retry: false }
    this.#options.store.changed(record)
    this.#options.onOffer()
    return offersOf(hash, wanted)
  }

  outcome(record: AgentRecord): Outcome {
    const { hash, isNamed, unresolved } = this.wanted(record)
    if (unresolved.length > 0) return 'failed'
    const { offered, status, retry } = record.settings
    const reports = record.capabilities.has('ReportsConnectionSettingsStatus')
    if (retry && hash !== null) return 'none'
    return isNamed && hash === null ? 'ineligible' : settingsOutcome({ desired: hash, accepts: true, reports, offered, status })
  }

  /** For a person who asks why there are no metrics of it. */
  ownMetrics(record: AgentRecord): OwnMetricsOffer {
    const named = this.#named(record).get('metrics')?.destination.kind
    const { offered, status } = record.settings
    const answered = status?.hash === offered && (status.status === 'applied' || status.status === 'failed') ? status.status : 'offered'
    return {
      canReport: record.capabilities.has(capabilities.metrics),
      destination: named === undefined ? null : named === 'drover' ? 'drover' : 'other',
      outcome: offered === null ? null : answered,
    }
  }

  /** True when it failed what it should have, for the first time. */
  takeStatus(record: AgentRecord, status: ReportedSettings): boolean {
    const before = record.settings.status
    record.settings = { ...record.settings, status, offeredAt: null }
    return status.status === 'failed' && (before?.status !== 'failed' || before.hash !== status.hash)
  }

  /** The agent said something: so an offer before it went through. */
  confirm(record: AgentRecord): void {
    if (record.settings.offeredAt !== null) record.settings = { ...record.settings, offeredAt: null }
  }

  onDisconnect(record: AgentRecord): void {
    const { offeredAt } = record.settings
    const isLost = offeredAt !== null && this.#options.now() - offeredAt < UNCONFIRMED_MS
    record.settings = { ...record.settings, lastOffered: null, offeredAt: null, ...(isLost ? { offered: null } : {}) }
  }

  /** What it failed is forgiven. False: it failed nothing that it should have. */
  allowRetry(record: AgentRecord): boolean {
    const { status } = record.settings
    if (status?.status !== 'failed' || status.hash !== this.wanted(record).hash) return false
    record.settings = { ...record.settings, retry: true }
    return true
  }

  /** The group with the highest precedence that names a signal decides on it. */
  #named({ assignment }: AgentRecord): Map<Signal, { destination: TelemetryDestination; rule: RevisionRule }> {
    const named = new Map<Signal, { destination: TelemetryDestination; rule: RevisionRule }>()
    for (const { group, revision } of assignment?.given ?? []) {
      const rule = this.#options.desired.current.revision(group, revision)
      for (const signal of signals) {
        const destination = rule?.ownTelemetry?.[signal]
        if (rule !== undefined && destination !== null && destination !== undefined) named.set(signal, { destination, rule })
      }
    }
    return named
  }

  #fill(record: AgentRecord, signal: Signal, destination: TelemetryDestination, rule: RevisionRule, unresolved: Unresolved[]): Destination {
    const { sealer, telemetryEndpoint, desired } = this.#options
    switch (destination.kind) {
      case 'drover':
        return { endpoint: `${telemetryEndpoint()}/v1/${signal}`, headers: [['Authorization', `Bearer ${telemetryToken(sealer, record.id)}`]] }
      case 'otlp': {
        const headers = Object.entries(destination.headers).map(([name, text]) => {
          const place = `own ${signal}, header ${name}`
          const filled = fillText(text, place, (kind, of) => desired.current.resolve(rule, lookupOf(record), kind, of))
          unresolved.push(...filled.unresolved)
          return [name, filled.body] as const
        })
        return { endpoint: destination.endpoint, headers }
      }
      default:
        return destination satisfies never
    }
  }
}

function offersOf(hash: string, { destinations }: WantedSettings): ConnectionSettingsOffers {
  const offers = create(ConnectionSettingsOffersSchema, { hash: fromHex(hash) })
  for (const signal of signals) {
    const destination = destinations[signal]
    if (destination === undefined) continue
    const headers = destination.headers.map(([key, value]) => create(HeaderSchema, { key, value }))
    offers[fields[signal]] = create(TelemetryConnectionSettingsSchema, {
      destinationEndpoint: destination.endpoint,
      headers: create(HeadersSchema, { headers }),
    })
  }
  return offers
}
