/** What a report says, as values to keep: secrets taken out, times as text, nothing of the wire. */
import { createHash } from 'node:crypto'
import { redactDocument, redactText } from '@drover/agent-config'
import type { ConfigMap } from '@drover/agent-config'
import type { ComponentInfo, HealthNode } from '@drover/api'
import type { z } from 'zod'
import { ConnectionSettingsStatuses, RemoteConfigStatuses, attributesToJson, attributesToText, toHex } from '@drover/protocol'
import type {
  AgentDescription,
  AttributeJson,
  AvailableComponents,
  ComponentDetails,
  ComponentHealth,
  ConnectionSettingsStatus,
  KeyValue,
  RemoteConfigStatus,
} from '@drover/protocol'
import type { RemoteStatusName, ReportedConfig, ReportedSettings } from './agent-record.ts'

export interface DescriptionValue {
  readonly identifying: Readonly<Record<string, AttributeJson>>
  readonly nonIdentifying: Readonly<Record<string, AttributeJson>>
}

export function describedBy(description: AgentDescription): DescriptionValue {
  return { identifying: withoutSecrets(description.identifyingAttributes), nonIdentifying: withoutSecrets(description.nonIdentifyingAttributes) }
}

/** Ids of machines and containers look as random as keys do, and selectors need them. */
const identifierKey = /(?:^|[._])(?:id|uid|uuid|digest|hash|revision)$/

function withoutSecrets(attributes: readonly KeyValue[]): Record<string, AttributeJson> {
  const all = attributesToJson(attributes)
  if (Object.entries(all).every(([key, value]) => isIdentifier(key, value) || isHarmless(key, value))) return all
  // One secret may stand in several places, so they are looked at together.
  const redacted = redactDocument(all as ConfigMap) as Record<string, AttributeJson> // as: attribute values are configuration values too, and stay what they are
  for (const [key, value] of Object.entries(all)) if (isIdentifier(key, value)) redacted[key] = value
  return redacted
}

function isIdentifier(key: string, value: AttributeJson): boolean {
  return typeof value === 'string' && value.length <= 128 && identifierKey.test(key)
}

/** A fleet repeats its attributes: whether one holds a secret is found out once. */
const harmless = new Map<string, boolean>()
const MAX_JUDGED = 50_000

function isHarmless(key: string, value: AttributeJson): boolean {
  const text = JSON.stringify([key, value])
  const known = harmless.get(text)
  if (known !== undefined) return known
  const attribute = { [key]: value } as ConfigMap // as: see above
  const clean = JSON.stringify(redactDocument(attribute)) === JSON.stringify(attribute)
  if (harmless.size >= MAX_JUDGED) harmless.clear()
  if (text.length <= 1024) harmless.set(text, clean)
  return clean
}

const LONGEST_ERROR = 8192

/** Takes known secrets out of a text. */
export type Redact = (text: string) => string

/** Behind it, nothing is looked at: a text has to be shorter before it is searched. */
const LONGEST_SEARCHED = 4 * LONGEST_ERROR

/** An agent's own words, cut to what a person reads and a page can show. A secret that the cut would halve is taken out before. */
export function errorText(text: string, redact: Redact): string {
  const clean = redact(text.slice(0, LONGEST_SEARCHED).toWellFormed())
  const cut = clean.length > LONGEST_ERROR || text.length > LONGEST_SEARCHED ? `${clean.slice(0, LONGEST_ERROR)} …` : clean
  return redactText(cut.toWellFormed())
}

export function healthNode(name: string, health: ComponentHealth, redact: Redact): HealthNode {
  return {
    name,
    healthy: health.healthy,
    status: health.status,
    lastError: health.lastError === '' ? '' : errorText(health.lastError, redact),
    startedAt: timeOf(health.startTimeUnixNano),
    statusAt: timeOf(health.statusTimeUnixNano),
    children: Object.entries(health.componentHealthMap).map(([child, value]) => healthNode(child, value, redact)),
  }
}

const LAST_TIME_MS = 8_640_000_000_000_000n

/** Null for 0 and for what is no time. */
function timeOf(unixNano: bigint): string | null {
  const ms = unixNano / 1_000_000n
  if (ms <= 0n || ms > LAST_TIME_MS) return null
  // The parts of a tree mostly share their times.
  if (ms !== lastTime.ms) lastTime = { ms, text: new Date(Number(ms)).toISOString() }
  return lastTime.text
}

let lastTime = { ms: 0n, text: '' }

const statusNames: Readonly<Record<RemoteConfigStatuses, RemoteStatusName>> = {
  [RemoteConfigStatuses.RemoteConfigStatuses_UNSET]: 'unset',
  [RemoteConfigStatuses.RemoteConfigStatuses_APPLIED]: 'applied',
  [RemoteConfigStatuses.RemoteConfigStatuses_APPLYING]: 'applying',
  [RemoteConfigStatuses.RemoteConfigStatuses_FAILED]: 'failed',
}

const LONGEST_HASH_BYTES = 128

/** Undefined for a hash that cannot be ours and is too long to keep. */
export function reportedConfig(status: RemoteConfigStatus, redact: Redact): ReportedConfig | undefined {
  if (status.lastRemoteConfigHash.length > LONGEST_HASH_BYTES) return undefined
  return {
    hash: toHex(status.lastRemoteConfigHash),
    status: statusNames[status.status] ?? 'unset', // a number that the schema does not know
    errorMessage: status.errorMessage === '' ? '' : errorText(status.errorMessage, redact),
  }
}

const settingsStatusNames: Readonly<Record<ConnectionSettingsStatuses, RemoteStatusName>> = {
  [ConnectionSettingsStatuses.ConnectionSettingsStatuses_UNSET]: 'unset',
  [ConnectionSettingsStatuses.ConnectionSettingsStatuses_APPLIED]: 'applied',
  [ConnectionSettingsStatuses.ConnectionSettingsStatuses_APPLYING]: 'applying',
  [ConnectionSettingsStatuses.ConnectionSettingsStatuses_FAILED]: 'failed',
}

/** Undefined as for `reportedConfig`. */
export function reportedSettings(status: ConnectionSettingsStatus, redact: Redact): ReportedSettings | undefined {
  if (status.lastConnectionSettingsHash.length > LONGEST_HASH_BYTES) return undefined
  return {
    hash: toHex(status.lastConnectionSettingsHash),
    status: settingsStatusNames[status.status] ?? 'unset', // as above
    errorMessage: status.errorMessage === '' ? '' : errorText(status.errorMessage, redact),
  }
}

/** Key under which a blob store keeps a text. */
export function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

const kinds: Readonly<Record<string, string>> = {
  receivers: 'receiver',
  processors: 'processor',
  exporters: 'exporter',
  extensions: 'extension',
  connectors: 'connector',
}

export type Component = z.output<typeof ComponentInfo>

/** By kind and type; the Collector names kinds in the plural. */
export function componentsIn(available: AvailableComponents): Component[] {
  const items: Component[] = []
  for (const [kind, details] of Object.entries(available.components)) {
    for (const [type, component] of Object.entries(details.subComponentMap)) items.push({ kind: kinds[kind] ?? kind, type, module: moduleOf(component) })
  }
  return items.toSorted((a, b) => (a.kind === b.kind ? compareText(a.type, b.type) : compareText(a.kind, b.kind)))
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function moduleOf(component: ComponentDetails): string | null {
  return attributesToText(component.metadata).get('code.namespace') ?? null
}
