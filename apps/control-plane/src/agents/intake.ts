/** Takes a report into the record: values, indexes, what has to be stored and said. Decides nothing about offers. */
import { toHex } from '@drover/protocol'
import type { AgentToServer } from '@drover/protocol'
import type { AgentReport } from '@drover/server'
import type { AgentRecord, ReportedConfig, ReportedSettings } from './agent-record.ts'
import { saveComponentSet } from './component-sets.ts'
import type { ComponentSets } from './component-sets.ts'
import type { EffectiveConfigs } from './effective-configs.ts'
import { packDescription } from './load.ts'
import type { Registry } from './registry.ts'
import { componentsIn, describedBy, healthNode, reportedConfig, reportedSettings } from './report-values.ts'
import type { Redact } from './report-values.ts'
import type { AgentStore } from './store.ts'

export interface IntakeOptions {
  readonly registry: Registry
  readonly store: AgentStore
  readonly effectiveConfigs: EffectiveConfigs
  readonly components: ComponentSets
  readonly now: () => number
  readonly redact: Redact
}

export interface Taken {
  /** Attributes differ from before, and groups may too. */
  readonly attributesChanged: boolean
  readonly healthChanged: boolean
  /** The status as it came; the ledger has not seen it yet. */
  readonly status: ReportedConfig | undefined
  readonly settingsStatus: ReportedSettings | undefined
  /** The full list of components is wanted and this agent can give it. */
  readonly askComponents: boolean
}

export class Intake {
  readonly #options: IntakeOptions

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  take(record: AgentRecord, report: AgentReport): Taken {
    const { message } = report
    const { redact } = this.#options
    record.capabilities = report.capabilities
    if (message.customCapabilities !== undefined) record.customCapabilities = message.customCapabilities.capabilities.slice(0, 64)
    const attributesChanged = this.#takeDescription(record, message)
    const healthChanged = this.#takeHealth(record, message)
    this.#takeEffectiveConfig(record, message)
    const askComponents = this.#takeComponents(record, message)
    const status = message.remoteConfigStatus === undefined ? undefined : reportedConfig(message.remoteConfigStatus, redact)
    const settingsStatus = message.connectionSettingsStatus === undefined ? undefined : reportedSettings(message.connectionSettingsStatus, redact)
    if (status !== undefined) record.reported = { ...status, hash: this.#options.registry.texts.intern(status.hash) }
    this.#options.store.changed(record)
    return { attributesChanged, healthChanged, status, settingsStatus, askComponents }
  }

  #takeDescription(record: AgentRecord, message: AgentToServer): boolean {
    if (message.agentDescription === undefined) return false
    const description = describedBy(message.agentDescription)
    record.unsaved = { ...record.unsaved, description: JSON.stringify(description) }
    return this.#options.registry.setAttributes(record, packDescription(description, this.#options.registry.texts))
  }

  #takeHealth(record: AgentRecord, message: AgentToServer): boolean {
    if (message.health === undefined) return false
    const health = healthNode('', message.health, this.#options.redact)
    record.unsaved = { ...record.unsaved, health: JSON.stringify(health) }
    record.lastError = health.lastError === '' ? null : health.lastError
    if (record.healthy === health.healthy) return false
    this.#options.registry.change(record, () => (record.healthy = health.healthy))
    return true
  }

  #takeEffectiveConfig(record: AgentRecord, message: AgentToServer): void {
    if (message.effectiveConfig === undefined) return
    const { effectiveConfigs } = this.#options
    effectiveConfigs.take(record, message.effectiveConfig)
    // Of an agent that never says what became of an offer, this is how it is known.
    if (!record.capabilities.has('ReportsRemoteConfig')) effectiveConfigs.redactNow(record)
  }

  /** A bare hash stands for the list that came with it once, from whichever agent. */
  #takeComponents(record: AgentRecord, message: AgentToServer): boolean {
    const available = message.availableComponents
    if (available === undefined || available.hash.length === 0 || available.hash.length > 128) return false
    const { registry, store, components, now } = this.#options
    const hash = registry.texts.intern(toHex(available.hash))
    record.componentsHash = hash
    if (Object.keys(available.components).length === 0) return record.capabilities.has('ReportsAvailableComponents') && components.shouldAsk(hash, now())
    const set = components.add(hash, componentsIn(available))
    if (set !== undefined) store.also((tx) => saveComponentSet(tx, set, now()))
    return false
  }
}
