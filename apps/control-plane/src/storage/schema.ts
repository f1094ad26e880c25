/** The tables, as Kysely sees them. Times are milliseconds since 1970, hashes lower-case hex, `…_json` columns JSON text. */
import type { MemberState, RolloutStateName } from '@drover/fleet'
import type { ColumnType, Generated, Insertable, Selectable } from 'kysely'

/** A number with a default, so that an insert may leave it out. */
type Defaulted<T> = ColumnType<T, T | undefined, T>

export interface MetaTable {
  key: string
  value: string
}

export interface AgentsTable {
  /** `agt_…`; ours, outlives the instance uid. */
  id: string
  instance_uid: string
  previous_uids_json: Defaulted<string>
  first_seen_at: number
  /** Written with other changes and at disconnect, never for a heartbeat alone. */
  last_seen_at: number | null
  /** `{ identifying, nonIdentifying }` */
  description_json: string | null
  health_json: string | null
  /** AgentCapabilities mask as decimal text. */
  capabilities: Defaulted<string>
  custom_capabilities_json: Defaulted<string>
  labels_json: Defaulted<string>
  remote_config_hash: string | null
  remote_config_status: 'unset' | 'applying' | 'applied' | 'failed' | null
  remote_config_error: string | null
  /** Key into `blobs`: the redacted files as JSON. */
  effective_config_hash: string | null
  effective_config_at: number | null
  /** Keyed hash of what was reported, before redaction. */
  effective_config_mac: string | null
  /** Key into `component_sets`. */
  components_hash: string | null
  last_good_hash: string | null
  desired_hash: string | null
  /** Failed configuration that somebody asked to try again and that was not offered since. */
  retry_hash: string | null
  transport: 'websocket' | 'http' | 'in-process' | null
  /** Principal of the last connection: the id of its enrolment token. */
  credential: string | null
  remote_address: string | null
  /** Grows with each edit by a person; the ETag. */
  edit: Defaulted<number>
  /** Connection settings: hash of the last offer, and what the agent said of which. */
  settings_offered_hash: Defaulted<string | null>
  settings_status_hash: Defaulted<string | null>
  settings_status: Defaulted<'unset' | 'applying' | 'applied' | 'failed' | null>
  settings_error: Defaulted<string | null>
}

export interface ComponentSetsTable {
  hash: string
  complete: number
  items_json: string
  first_seen_at: number
}

export interface BlobsTable {
  /** SHA-256 of the body before compression. */
  hash: string
  encoding: 'identity' | 'zstd'
  body: Uint8Array
  /** Of the body before compression. */
  bytes: number
  created_at: number
}

/** Configurations that were offered, so that a last good one can be offered again whatever became of its groups. */
export interface RenderedConfigsTable {
  hash: string
  /** Key into `blobs`: the files as JSON. */
  blob_hash: string
  /** What it stands for, e.g. `base@3 (group all)`. */
  source: string
  /** 1: the files hold values of secrets, and the blob is sealed. */
  sealed: Defaulted<number>
  created_at: number
}

export interface AttemptsTable {
  id: Generated<number>
  agent_id: string
  /** Counts the attempts of one agent. */
  seq: number
  hash: string
  source: string
  state: 'offered' | 'applying' | 'applied' | 'failed' | 'timedOut' | 'superseded' | 'rolledBack'
  reason: 'desired' | 'restore' | 'retry'
  error_message: string | null
  /** Of a rolled back attempt: what the agent runs instead. */
  restored_hash: string | null
  offered_at: number
  updated_at: number
}

export interface ConfigsTable {
  name: string
  description: string
  latest_version: number
  /** Numbers are never used twice, so a config made again after a deletion goes on counting from here. */
  first_version: number
  created_at: number
  updated_at: number
}

export interface ConfigVersionsTable {
  config: string
  version: number
  /** Of names, types and bodies; see `contentHash` in agent-config. */
  content_hash: string
  /** Key into `blobs`: the files as JSON. */
  blob_hash: string
  bytes: number
  message: string
  author: string
  created_at: number
  /** Warnings found when it was made; a version with errors is never stored. */
  findings_json: string
}

export interface GroupsTable {
  name: string
  description: string
  /** Number of the newest revision: what people decided last, unless a rollout says otherwise. */
  revision: number
  /** What the last completed rollout gave to all members; null: none was completed. */
  current: number | null
  /** null: the preset `standard`. */
  plan_json: string | null
  /** As `configs.first_version`. */
  first_revision: number
  created_at: number
  updated_at: number
  edit: number
}

export interface GroupRevisionsTable {
  group_name: string
  number: number
  selector: string
  priority: number
  /** `[{ config, version }]` */
  configs_json: string
  /** `{ name: value }` */
  variables_json: string
  /** `{ name: version }` */
  secrets_json: string
  /** As `OwnTelemetry` of the API; null: the revision says nothing about it. */
  own_telemetry_json: string | null
  author: string
  message: string
  created_at: number
}

export interface RolloutsTable {
  seq: Generated<number>
  id: string
  group_name: string
  from_revision: number | null
  to_revision: number
  /** As `RolloutPlan` of fleet. */
  plan_json: string
  preset: string | null
  state: RolloutStateName
  /** As `Rollout` of fleet. */
  rollout_json: string
  /** Members at the start. */
  agents: number
  reason: string
  created_by: string
  created_at: number
  started_at: number | null
  ended_at: number | null
}

/** As `Member` of fleet. */
export interface RolloutMembersTable {
  rollout_id: string
  agent_id: string
  wave: number
  point: number
  late: number
  holds: number | null
  state: MemberState
  tries: number
  since: number
  pushed_at: number | null
  /** How the agent was before it got the change: `{ healthy, drifted }`. */
  before_json: string | null
}

export interface RolloutDecisionsTable {
  rollout_id: string
  seq: number
  /** As `Decision` of fleet. */
  decision_json: string
}

export interface SecretsTable {
  name: string
  description: string
  version: number
  created_at: number
  updated_at: number
  updated_by: string
}

export interface SecretVersionsTable {
  name: string
  version: number
  sealed: Uint8Array
  created_at: number
  created_by: string
}

export interface ConfigDraftsTable {
  config: string
  description: string
  base_version: number | null
  /** Key into `blobs`: the files as JSON. */
  blob_hash: string
  message: string
  updated_by: string
  updated_at: number
  edit: number
}

export interface WebhooksTable {
  name: string
  url: string
  /** Kinds or prefixes. */
  events_json: string
  enabled: number
  sealed_secret: Uint8Array
  /** The last event that was looked at. */
  last_event_id: number
  created_at: number
  created_by: string
}

export interface WebhookDeliveriesTable {
  id: Generated<number>
  webhook: string
  event_id: number
  event_kind: string
  state: 'pending' | 'delivered' | 'givenUp'
  tries: number
  status: number | null
  detail: string
  created_at: number
  updated_at: number
  next_try_at: number | null
}

export interface TokensTable {
  id: string
  kind: 'enrolment' | 'api'
  name: string
  /** SHA-256 of the value; the value itself is nowhere. */
  hash: string
  /** Of API tokens. */
  access: 'read' | 'write' | null
  created_at: number
  created_by: string
  expires_at: number | null
  revoked_at: number | null
  last_used_at: number | null
}

export interface SessionsTable {
  /** SHA-256 of the cookie's value. */
  hash: string
  name: string
  access: 'read' | 'write'
  created_at: number
  expires_at: number
  /** The API token that let this person in, if one did; they end together. */
  token_id: string | null
}

export interface SignInLinksTable {
  /** SHA-256 of the code. */
  hash: string
  created_by: string
  created_at: number
  expires_at: number
  used_at: number | null
  /** The API token that made it, if one did; they end together. */
  token_id: string | null
}

export interface EventsTable {
  id: Generated<number>
  at: number
  kind: string
  actor: string
  subject: string
  summary: string
  data_json: string
}

export interface IdempotencyKeysTable {
  /** SHA-256 of caller, route and key. */
  scope_hash: string
  body_hash: string
  /** The answer, encrypted under the key that only the caller knows: it may hold a token's value. */
  answer: Uint8Array
  created_at: number
}

export interface Database {
  meta: MetaTable
  agents: AgentsTable
  component_sets: ComponentSetsTable
  blobs: BlobsTable
  rendered_configs: RenderedConfigsTable
  attempts: AttemptsTable
  configs: ConfigsTable
  config_versions: ConfigVersionsTable
  groups: GroupsTable
  group_revisions: GroupRevisionsTable
  rollouts: RolloutsTable
  rollout_members: RolloutMembersTable
  rollout_decisions: RolloutDecisionsTable
  secrets: SecretsTable
  secret_versions: SecretVersionsTable
  config_drafts: ConfigDraftsTable
  webhooks: WebhooksTable
  webhook_deliveries: WebhookDeliveriesTable
  tokens: TokensTable
  sessions: SessionsTable
  sign_in_links: SignInLinksTable
  events: EventsTable
  idempotency_keys: IdempotencyKeysTable
}

export type Row<Table extends keyof Database> = Selectable<Database[Table]>
export type NewRow<Table extends keyof Database> = Insertable<Database[Table]>
