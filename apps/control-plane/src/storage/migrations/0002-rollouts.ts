/** Rollouts, what revisions hold besides configs, secrets, drafts, webhooks. */
import type { Migration } from './migration.ts'

const tables = `
alter table groups add column current integer;
alter table groups add column plan_json text;
update groups set current = revision;

alter table group_revisions add column selector text not null default '*';
alter table group_revisions add column priority integer not null default 0;
alter table group_revisions add column variables_json text not null default '{}';
alter table group_revisions add column secrets_json text not null default '{}';
alter table group_revisions add column own_telemetry_json text;
update group_revisions set
  selector = coalesce((select selector from groups where name = group_name), '*'),
  priority = coalesce((select priority from groups where name = group_name), 0);
alter table groups drop column selector;
alter table groups drop column priority;

alter table agents add column settings_offered_hash text;
alter table agents add column settings_status_hash text;
alter table agents add column settings_status text;
alter table agents add column settings_error text;

alter table rendered_configs add column sealed integer not null default 0;

create table rollouts (
  seq integer primary key autoincrement,
  id text not null unique,
  group_name text not null,
  from_revision integer,
  to_revision integer not null,
  plan_json text not null,
  preset text,
  state text not null,
  rollout_json text not null,
  agents integer not null,
  reason text not null,
  created_by text not null,
  created_at integer not null,
  started_at integer,
  ended_at integer
) strict;
create index rollouts_by_group on rollouts (group_name, seq);
create index rollouts_by_state on rollouts (state, seq);

create table rollout_members (
  rollout_id text not null references rollouts (id) on delete cascade,
  agent_id text not null,
  wave integer not null,
  point integer not null,
  late integer not null,
  holds integer,
  state text not null,
  tries integer not null,
  since integer not null,
  pushed_at integer,
  before_json text,
  primary key (rollout_id, agent_id)
) strict, without rowid;
create index rollout_members_by_wave on rollout_members (rollout_id, wave, point, agent_id);
create index rollout_members_by_agent on rollout_members (agent_id);

create table rollout_decisions (
  rollout_id text not null references rollouts (id) on delete cascade,
  seq integer not null,
  decision_json text not null,
  primary key (rollout_id, seq)
) strict, without rowid;

create table secrets (
  name text primary key,
  description text not null,
  version integer not null,
  created_at integer not null,
  updated_at integer not null,
  updated_by text not null
) strict;

create table secret_versions (
  name text not null,
  version integer not null,
  sealed blob not null,
  created_at integer not null,
  created_by text not null,
  primary key (name, version)
) strict;

create table config_drafts (
  config text primary key,
  description text not null,
  base_version integer,
  blob_hash text not null references blobs (hash),
  message text not null,
  updated_by text not null,
  updated_at integer not null,
  edit integer not null
) strict;

create table webhooks (
  name text primary key,
  url text not null,
  events_json text not null,
  enabled integer not null,
  sealed_secret blob not null,
  last_event_id integer not null,
  created_at integer not null,
  created_by text not null
) strict;

create table webhook_deliveries (
  id integer primary key autoincrement,
  webhook text not null references webhooks (name) on delete cascade,
  event_id integer not null,
  event_kind text not null,
  state text not null,
  tries integer not null,
  status integer,
  detail text not null,
  created_at integer not null,
  updated_at integer not null,
  next_try_at integer
) strict;
create index webhook_deliveries_by_webhook on webhook_deliveries (webhook, id);
create index webhook_deliveries_due on webhook_deliveries (webhook, next_try_at) where next_try_at is not null;
`

export const rollouts: Migration = { version: 2, up: (execute) => execute(tables) }
