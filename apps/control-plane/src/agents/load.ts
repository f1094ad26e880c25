/** Makes records: new ones for agents nobody knew, and those of before from the store. */
import { randomBytes } from 'node:crypto'
import { emptyLedger } from '@drover/fleet'
import { attributesToText, agentCapabilities, keyValues, parseInstanceUid } from '@drover/protocol'
import type { AttributeJson, InstanceUid } from '@drover/protocol'
import { nameOf, noSettings } from './agent-record.ts'
import type { AgentRecord, SettingsRecord } from './agent-record.ts'
import { noAttributes, packAttributes } from './attributes.ts'
import type { PackedAttributes, TextPool } from './attributes.ts'
import type { DescriptionValue } from './report-values.ts'
import type { LoadedAgent } from './store.ts'

const noLabels: Readonly<Record<string, string>> = {}

export function newAgent(uid: InstanceUid, now: number): AgentRecord {
  return {
    id: newAgentId(),
    uid,
    previousUids: [],
    firstSeenAt: now,
    lastSeenAt: now,
    name: nameOf(uid, noAttributes),
    attributes: noAttributes,
    labels: noLabels,
    capabilities: agentCapabilities(0n),
    customCapabilities: [],
    healthy: null,
    lastError: null,
    reported: null,
    effectiveHash: null,
    effectiveAt: null,
    effectiveMac: null,
    componentsHash: null,
    ...volatile,
    desiredHash: null,
    ledger: emptyLedger,
    settings: noSettings,
    offlineSince: now,
    transport: null,
    credential: null,
    remoteAddress: null,
    edit: 1,
    described: false,
  }
}

/** What a start begins with, whatever was before. */
const volatile = {
  selection: undefined,
  assignment: undefined,
  isBack: false,
  problem: null,
  undecided: false,
  configState: 'unmanaged',
  connection: undefined,
  complete: false,
  stale: false,
  forgotten: false,
  unsaved: undefined,
  staleCheck: undefined,
  attemptTimeout: undefined,
  healthCheck: undefined,
  announcedHealth: null,
  healthFlips: 0,
  lastOffered: null,
} as const

/** 80 random bits, lower-case base 32. */
function newAgentId(): string {
  return `agt_${Array.from(randomBytes(16), (byte) => '0123456789abcdefghijklmnopqrstuv'[byte & 31]).join('')}`
}

export function agentFromRow(row: LoadedAgent, texts: TextPool, now: number): AgentRecord {
  const uid = parseInstanceUid(row.instance_uid)
  const attributes = row.description_json === null ? noAttributes : packDescription(JSON.parse(row.description_json) as DescriptionValue, texts) // as: only toRow() writes it
  const health = row.health_json === null ? null : (JSON.parse(row.health_json) as { healthy: boolean; lastError: string }) // as: likewise
  return {
    ...volatile,
    id: row.id,
    uid,
    previousUids: JSON.parse(row.previous_uids_json) as InstanceUid[], // as: likewise
    firstSeenAt: row.first_seen_at,
    lastSeenAt: row.last_seen_at,
    name: nameOf(uid, attributes),
    attributes,
    labels: row.labels_json === '{}' ? noLabels : (JSON.parse(row.labels_json) as Record<string, string>), // as: likewise
    capabilities: agentCapabilities(BigInt(row.capabilities)),
    customCapabilities: JSON.parse(row.custom_capabilities_json) as string[], // as: likewise
    healthy: health?.healthy ?? null,
    lastError: health?.lastError || null,
    reported:
      row.remote_config_status === null
        ? null
        : { hash: texts.intern(row.remote_config_hash ?? ''), status: row.remote_config_status, errorMessage: row.remote_config_error ?? '' },
    effectiveHash: row.effective_config_hash === null ? null : texts.intern(row.effective_config_hash),
    effectiveAt: row.effective_config_at,
    // What did not reach the disk before a crash has to be redacted again.
    effectiveMac: row.effective_stored === null ? null : row.effective_config_mac,
    componentsHash: row.components_hash === null ? null : texts.intern(row.components_hash),
    desiredHash: row.desired_hash === null ? null : texts.intern(row.desired_hash),
    ledger: emptyLedger,
    settings: settingsFromRow(row),
    offlineSince: now,
    transport: row.transport,
    credential: row.credential,
    remoteAddress: row.remote_address,
    edit: row.edit,
    announcedHealth: health?.healthy ?? null,
    described: row.description_json !== null,
  }
}

function settingsFromRow(row: LoadedAgent): SettingsRecord {
  const { settings_offered_hash: offered, settings_status: status, settings_status_hash: hash, settings_error: errorMessage } = row
  if (offered === null && status === null) return noSettings
  return { ...noSettings, offered, status: status === null ? null : { hash: hash ?? '', status, errorMessage: errorMessage ?? '' } }
}

/** Identifying attributes last, so that they win where a key is in both. */
export function packDescription(description: DescriptionValue, texts: TextPool): PackedAttributes {
  const flat = (attributes: Readonly<Record<string, AttributeJson>>) => attributesToText(keyValues(attributes))
  return packAttributes(new Map([...flat(description.nonIdentifying), ...flat(description.identifying)]), texts)
}
