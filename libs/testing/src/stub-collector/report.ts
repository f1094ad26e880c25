/** What the stub says of itself over OpAMP: description, health tree, effective configuration, components, custom capabilities. */
import { arch, hostname, platform } from 'node:os'
import { create } from '@bufbuild/protobuf'
import { CustomCapabilitiesSchema, CustomMessageSchema, EffectiveConfigSchema, agentCapabilities } from '@drover/protocol'
import type { AgentCapability, CustomMessage } from '@drover/protocol'
import { stringify } from 'yaml'
import { availableComponents, describe, healthTree } from '../reports.ts'
import type { ScriptedPipeline } from '../scripted-collector.ts'
import type { Behaviour } from './behaviour.ts'
import { stubComponents } from './components.ts'
import { isMap, mapAt, textsAt, valueAt } from './configuration.ts'
import type { ConfigMap, ConfigValue } from './configuration.ts'
import type { ExtensionState } from './opamp-extension.ts'
import { stubVersion } from './version.ts'

const architectures: Readonly<Record<string, string>> = { x64: 'amd64' }
const encoder = new TextEncoder()

export class Report {
  readonly #config: ConfigMap
  readonly #behaviour: Behaviour
  readonly #attributes: Record<string, string>
  readonly #startedAtMs = Date.now()
  #health: { readonly healthy: boolean; readonly status: string; readonly lastError: string; readonly changedAtMs: number; readonly bare: boolean }

  constructor(config: ConfigMap, behaviour: Behaviour) {
    this.#config = config
    this.#behaviour = behaviour
    this.#health = { healthy: false, status: '', lastError: '', changedAtMs: this.#startedAtMs, bare: true }
    this.#attributes = {
      'host.arch': architectures[arch()] ?? arch(),
      'host.name': hostname(),
      'os.description': 'Stub',
      'os.type': platform(),
      ...texts(mapAt(config, 'extensions', 'opamp', 'agent_description', 'non_identifying_attributes')),
    }
    if (valueAt(config, 'extensions', 'opamp', 'agent_description', 'include_resource_attributes') === true) Object.assign(this.#attributes, this.#resource())
  }

  get instanceUid(): string {
    return String(valueAt(this.#config, 'extensions', 'opamp', 'instance_uid') ?? '')
  }

  get isHealthy(): boolean {
    return this.#health.healthy
  }

  get capabilities(): bigint {
    const wanted: readonly (readonly [key: string, name: AgentCapability])[] = [
      ['reports_effective_config', 'ReportsEffectiveConfig'],
      ['reports_health', 'ReportsHealth'],
      ['reports_available_components', 'ReportsAvailableComponents'],
    ]
    return agentCapabilities(['ReportsStatus', ...wanted.flatMap(([key, name]) => (this.#reports(key) ? [name] : []))]).mask
  }

  #reports(key: string): boolean {
    return valueAt(this.#config, 'extensions', 'opamp', 'capabilities', key) !== false
  }

  #resource(): Record<string, string> {
    return texts(mapAt(this.#config, 'service', 'telemetry', 'resource'))
  }

  setHealth(healthy: boolean, lastError = '', status = healthy ? 'StatusOK' : 'StatusRecoverableError'): void {
    this.#health = { healthy, status, lastError, changedAtMs: Date.now(), bare: false }
  }

  addAttribute(key: string, value: string): void {
    this.#attributes[key] = value
  }

  /** Every part. `complete`: with the list of components besides its hash. */
  state(complete: boolean): ExtensionState {
    const resource = this.#resource()
    const identifying = {
      'service.instance.id': this.instanceUid,
      'service.name': resource['service.name'] ?? 'otelcol',
      'service.version': resource['service.version'] ?? stubVersion,
    }
    const { customCapability } = this.#behaviour
    const health = { ...this.#health, startedAtMs: this.#health.bare ? 0 : this.#startedAtMs, pipelines: this.#pipelines() }
    return {
      agentDescription: describe({ identifying, nonIdentifying: this.#attributes }),
      ...(this.#reports('reports_health') ? { health: healthTree(health) } : {}),
      ...(this.#reports('reports_effective_config') ? { effectiveConfig: this.#effectiveConfig() } : {}),
      ...(this.#reports('reports_available_components') ? { availableComponents: availableComponents({ components: stubComponents }, complete) } : {}),
      ...(customCapability === undefined ? {} : { customCapabilities: create(CustomCapabilitiesSchema, { capabilities: [customCapability] }) }),
    }
  }

  #effectiveConfig() {
    const body = encoder.encode(stringify(redactHeaders(this.#config)))
    return create(EffectiveConfigSchema, { configMap: { configMap: { '': { body, contentType: 'text/yaml' } } } })
  }

  #pipelines(): readonly ScriptedPipeline[] {
    return Object.entries(mapAt(this.#config, 'service', 'pipelines')).map(([id, pipeline]) => ({
      id,
      components: (['receivers', 'processors', 'exporters'] as const).flatMap((section) =>
        textsAt(pipeline, section).map((one) => `${section.slice(0, -1)}:${one}`),
      ),
    }))
  }

  customMessage(type: string, text: string): CustomMessage {
    return create(CustomMessageSchema, { capability: this.#behaviour.customCapability ?? '', type, data: encoder.encode(text) })
  }

  /** The same content, as type `echo`; undefined for a capability that it does not have. */
  answerTo(message: CustomMessage): CustomMessage | undefined {
    if (message.capability !== this.#behaviour.customCapability) return undefined
    return create(CustomMessageSchema, { capability: message.capability, type: 'echo', data: message.data })
  }
}

function texts(map: ConfigMap): Record<string, string> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, String(value)]))
}

/** Values of headers are secrets to a Collector. */
function redactHeaders(value: ConfigValue): ConfigValue {
  if (Array.isArray(value)) return value.map(redactHeaders)
  if (!isMap(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) =>
      key === 'headers' && isMap(item) ? [key, Object.fromEntries(Object.keys(item).map((name) => [name, '[REDACTED]']))] : [key, redactHeaders(item)],
    ),
  )
}
