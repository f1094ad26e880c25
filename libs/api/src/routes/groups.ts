/** Groups: a selector, a priority, and the revision that its members should have. */
import { z } from 'zod'
import { Finding, PageQuery, ResourceName, Timestamp, pageOf } from '../common.ts'
import { defineRoute } from '../route.ts'
import { AgentCounts, AgentSummary, FragmentRef, Override } from './agents.ts'
import { MissingComponent } from './configs.ts'
import { RolloutId, RolloutPlan, RolloutStart, RolloutState } from './plans.ts'
import { VariableName } from './secrets.ts'

export const ConfigRef = z.object({ config: ResourceName, version: z.number().int().min(1) }).meta({ id: 'ConfigRef' })

const Selector = z.string().min(1, 'write a selector; `*` selects every agent').max(4096)
const Priority = z.number().int().min(-1000).max(1000)

/** Where an agent's own telemetry of one kind goes: Drover, which needs it for gates and charts, or an OTLP/HTTP backend. Header values may name secrets. */
export const TelemetryDestination = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('drover') }),
    z.object({
      kind: z.literal('otlp'),
      endpoint: z.url().max(2048),
      headers: z.record(z.string().regex(/^[A-Za-z0-9-]{1,64}$/), z.string().max(4096)).default({}),
    }),
  ])
  .meta({ id: 'TelemetryDestination' })

export const OwnTelemetry = z
  .object({ metrics: TelemetryDestination.nullable(), logs: TelemetryDestination.nullable(), traces: TelemetryDestination.nullable() })
  .meta({ id: 'OwnTelemetry', description: 'null: the group leaves it as it is' })
export type OwnTelemetry = z.output<typeof OwnTelemetry>

/** Values of `${drover:var.NAME}`. */
const Variables = z.record(VariableName, z.string().max(4096)).refine((variables) => Object.keys(variables).length <= 100, 'at most 100 variables')

/** What members have or get. Immutable; everything that decides what agents run is in it, so that each change of it goes out in waves. */
export const Revision = z
  .object({
    number: z.number().int().min(1),
    selector: z.string(),
    priority: z.number().int(),
    configs: z.array(ConfigRef),
    variables: Variables,
    /** Secrets that its configs name, with the version whose value agents get. */
    secrets: z.record(VariableName, z.number().int()),
    ownTelemetry: OwnTelemetry.nullable(),
    author: z.string(),
    message: z.string(),
    createdAt: Timestamp,
  })
  .meta({ id: 'Revision' })
export type Revision = z.output<typeof Revision>

export const Group = z
  .object({
    name: ResourceName,
    description: z.string(),
    /** Canonical text of the selector. */
    selector: z.string(),
    /** Where several groups match one agent, the higher priority wins; equal priorities: the later name wins. */
    priority: z.number().int(),
    /** What people decided last: the target of the newest rollout, or what that one went back to. */
    revision: Revision,
    /** What the last completed rollout gave to all members; null: none was completed yet. */
    current: z.number().int().nullable(),
    /** The newest one; null: never was any. */
    rollout: z.object({ id: RolloutId, state: RolloutState, to: z.number().int() }).nullable(),
    /** How its changes go out unless somebody says otherwise; null: the preset `standard`. */
    plan: RolloutPlan.nullable(),
    counts: AgentCounts,
    createdAt: Timestamp,
    updatedAt: Timestamp,
  })
  .meta({ id: 'Group' })
export type Group = z.output<typeof Group>

const Refs = z.array(ConfigRef).max(20)
export const GroupInput = z.object({
  description: z.string().max(500).default(''),
  selector: Selector,
  priority: Priority.default(0),
  configs: Refs.default([]),
  variables: Variables.default({}),
  /** `keep`: versions that the revision before had, and the latest of those it had not. */
  secrets: z.enum(['keep', 'latest']).default('keep'),
  /** Absent: metrics, logs and traces go to Drover, which costs no agent anything that cannot send them. */
  ownTelemetry: OwnTelemetry.nullable().optional(),
  plan: RolloutPlan.nullable().optional().meta({ description: 'Absent: as it is' }),
  message: z.string().max(500).default(''),
})
const StartOption = { rollout: RolloutStart.optional().meta({ description: 'How the change goes out; absent: by the plan of the group' }) }
const NameParams = z.object({ name: ResourceName })

/** What a group, as given, would do to the fleet. */
export const GroupPreview = z
  .object({
    matching: z.number().int(),
    sample: z.array(AgentSummary),
    /** Agents whose desired configuration would change. */
    changing: z.number().int(),
    joining: z.number().int(),
    leaving: z.number().int(),
    /** Members that do not accept remote configuration. */
    notAccepting: z.number().int(),
    findings: z.array(Finding),
    missing: z.array(MissingComponent),
    /** How the group mixes with others, one entry per combination of groups that members have, most agents first. */
    combinations: z.array(z.object({ groups: z.array(ResourceName), agents: z.number().int(), fragments: z.array(FragmentRef), overrides: z.array(Override) })),
  })
  .meta({ id: 'GroupPreview' })
export type GroupPreview = z.output<typeof GroupPreview>

export const groupRoutes = {
  listGroups: defineRoute({
    id: 'listGroups',
    method: 'GET',
    path: '/groups',
    tag: 'groups',
    access: 'read',
    summary: 'List groups, highest priority first',
    query: PageQuery,
    response: pageOf(Group),
  }),
  createGroup: defineRoute({
    id: 'createGroup',
    method: 'POST',
    path: '/groups',
    tag: 'groups',
    access: 'write',
    summary: 'Create a group; what it gives goes out in waves',
    body: GroupInput.extend({ name: ResourceName, ...StartOption }),
    status: 201,
    response: Group,
    idempotent: true,
    etag: true,
  }),
  getGroup: defineRoute({
    id: 'getGroup',
    method: 'GET',
    path: '/groups/{name}',
    tag: 'groups',
    access: 'read',
    summary: 'Show a group',
    params: NameParams,
    response: Group,
    etag: true,
  }),
  setGroup: defineRoute({
    id: 'setGroup',
    method: 'PUT',
    path: '/groups/{name}',
    tag: 'groups',
    access: 'write',
    summary: 'Change a group; whatever changes what agents run makes a new revision, which goes out in waves',
    params: NameParams,
    body: GroupInput.extend(StartOption),
    response: Group,
    ifMatch: true,
    etag: true,
  }),
  deleteGroup: defineRoute({
    id: 'deleteGroup',
    method: 'DELETE',
    path: '/groups/{name}',
    tag: 'groups',
    access: 'write',
    summary: 'Delete a group. Refused when that would change what agents run at once, unless `allAtOnce` says so',
    params: NameParams,
    query: z.object({ allAtOnce: z.stringbool().optional() }),
    status: 204,
    ifMatch: true,
  }),
  listRevisions: defineRoute({
    id: 'listRevisions',
    method: 'GET',
    path: '/groups/{name}/revisions',
    tag: 'groups',
    access: 'read',
    summary: 'Revisions of a group, newest first',
    params: NameParams,
    query: PageQuery,
    response: pageOf(Revision),
  }),
  previewGroup: defineRoute({
    id: 'previewGroup',
    method: 'POST',
    path: '/groups/preview',
    tag: 'groups',
    access: 'read',
    summary: 'What a group would do, before it is saved',
    body: GroupInput.extend({ name: ResourceName.optional().meta({ description: 'Of the group that is edited' }) }),
    response: GroupPreview,
  }),
}
