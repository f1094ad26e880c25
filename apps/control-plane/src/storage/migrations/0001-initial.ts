/** The first tables. */
import type { Migration } from './migration.ts'

const tables = `
create table agents (
  id text primary key,
  instance_uid text not null unique,
  previous_uids_json text not null default '[]',
  first_seen_at integer not null,
  last_seen_at integer,
  description_json text,
  health_json text,
  capabilities text not null default '0',
  custom_capabilities_json text not null default '[]',
  labels_json text not null default '{}',
  remote_config_hash text,
  remote_config_status text,
  remote_config_error text,
  effective_config_hash text,
  effective_config_mac text,
  effective_config_at integer,
  components_hash text,
  last_good_hash text,
  desired_hash text,
  retry_hash text,
  transport text,
  credential text,
  remote_address text,
  edit integer not null default 1
) strict;

create table component_sets (
  hash text primary key,
  complete integer not null,
  items_json text not null,
  first_seen_at integer not null
) strict, without rowid;

create table blobs (
  hash text primary key,
  encoding text not null,
  body blob not null,
  bytes integer not null,
  created_at integer not null
) strict;

create table rendered_configs (
  hash text primary key,
  blob_hash text not null references blobs (hash),
  source text not null,
  created_at integer not null
) strict;

create table attempts (
  id integer primary key autoincrement,
  agent_id text not null references agents (id) on delete cascade,
  seq integer not null,
  hash text not null,
  source text not null,
  state text not null,
  reason text not null,
  error_message text,
  restored_hash text,
  offered_at integer not null,
  updated_at integer not null,
  unique (agent_id, seq)
) strict;
create index attempts_by_hash on attempts (hash, id);
create index attempts_by_state on attempts (state, id);

create table configs (
  name text primary key,
  description text not null,
  latest_version integer not null,
  first_version integer not null,
  created_at integer not null,
  updated_at integer not null
) strict;

create table config_versions (
  config text not null,
  version integer not null,
  content_hash text not null,
  blob_hash text not null references blobs (hash),
  bytes integer not null,
  message text not null,
  author text not null,
  created_at integer not null,
  findings_json text not null,
  primary key (config, version)
) strict;

create table groups (
  name text primary key,
  description text not null,
  selector text not null,
  priority integer not null,
  revision integer not null,
  first_revision integer not null,
  created_at integer not null,
  updated_at integer not null,
  edit integer not null
) strict;

create table group_revisions (
  group_name text not null,
  number integer not null,
  configs_json text not null,
  author text not null,
  message text not null,
  created_at integer not null,
  primary key (group_name, number)
) strict;

create table tokens (
  id text primary key,
  kind text not null,
  name text not null,
  hash text not null unique,
  access text,
  created_at integer not null,
  created_by text not null,
  expires_at integer,
  revoked_at integer,
  last_used_at integer
) strict;

create table sessions (
  hash text primary key,
  name text not null,
  access text not null,
  token_id text,
  created_at integer not null,
  expires_at integer not null
) strict;

create table sign_in_links (
  hash text primary key,
  created_by text not null,
  token_id text,
  created_at integer not null,
  expires_at integer not null,
  used_at integer
) strict;

create table events (
  id integer primary key autoincrement,
  at integer not null,
  kind text not null,
  actor text not null,
  subject text not null,
  summary text not null,
  data_json text not null
) strict;
create index events_by_subject on events (subject, id);
create index events_by_kind on events (kind, id);

create table idempotency_keys (
  scope_hash text primary key,
  body_hash text not null,
  answer blob not null,
  created_at integer not null
) strict;
create index idempotency_keys_by_age on idempotency_keys (created_at);
`

export const initial: Migration = { version: 1, up: (execute) => execute(tables) }
