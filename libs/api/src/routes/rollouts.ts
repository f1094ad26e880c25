/** Rollouts: a group on its way from one revision to the next, in waves that are judged before the next one opens. */
import { z } from 'zod'
import { ContentHash, Files, Finding, PageQuery, ResourceName, Timestamp, pageOf } from '../common.ts'
import { defineRoute } from '../route.ts'
import { AgentId } from './agents.ts'
import { MissingComponent } from './configs.ts'
import { GroupInput } from './groups.ts'
import { OwnMetric, PresetName, RolloutId, RolloutPlan, RolloutStart, RolloutState } from './plans.ts'

export const MemberState = z
  .enum([
    'pending',
    'busy',
    'away',
    'released',
    'offered',
    'applying',
    'retrying',
    'applied',
    'failed',
    'timedOut',
    'lost',
    'unheard',
    'restoring',
    'restoringAway',
    'restoreRetrying',
    'restored',
    'restoreFailed',
  ])
  .meta({ id: 'MemberState', description: 'Where one agent stands in a rollout' })
export type MemberState = z.output<typeof MemberState>

/** Agents by state; states with nobody are left out. */
export const MemberCounts = z.partialRecord(MemberState, z.number().int()).meta({ id: 'MemberCounts' })

export const GateResult = z
  .object({
    /** Place in the plan's gates. */
    gate: z.number().int(),
    /** What it asks, e.g. `refused data at most 1.5 times that of the control group`. */
    title: z.string(),
    verdict: z.enum(['pass', 'fail', 'inconclusive']).nullable(),
    /** In words, with the numbers. Empty: not judged yet. */
    text: z.string(),
    numbers: z.record(z.string(), z.number()),
    round: z.number().int(),
  })
  .meta({ id: 'GateResult' })
export type GateResult = z.output<typeof GateResult>

export const RolloutWave = z
  .object({
    label: z.string(),
    /** Agents in it now. */
    agents: z.number().int(),
    counts: MemberCounts,
    soakMs: z.number(),
    state: z.enum(['ahead', 'open', 'soaking', 'passed']),
    openedAt: Timestamp.nullable(),
  })
  .meta({ id: 'RolloutWave' })

export const RolloutActionName = z.enum(['start', 'approve', 'pause', 'resume', 'promote', 'retry', 'stop', 'rollBack']).meta({ id: 'RolloutActionName' })
export type RolloutActionName = z.output<typeof RolloutActionName>

export const RolloutSummary = z
  .object({
    id: RolloutId,
    group: ResourceName,
    /** Revision that it goes back to; null: none. */
    from: z.number().int().nullable(),
    to: z.number().int(),
    state: RolloutState,
    /** One sentence: what it does or waits for, or why it ended. */
    summary: z.string(),
    /** What the person who made it said. */
    reason: z.string(),
    createdBy: z.string(),
    startedBy: z.string().nullable(),
    createdAt: Timestamp,
    startedAt: Timestamp.nullable(),
    endedAt: Timestamp.nullable(),
    wave: z.object({ number: z.number().int(), of: z.number().int(), label: z.string() }).nullable(),
    counts: MemberCounts,
    agents: z.number().int(),
    /** Where the agent stands in it that a list was asked for with `agent`. */
    member: z.object({ wave: z.number().int(), state: MemberState, error: z.string().nullable() }).optional(),
  })
  .meta({ id: 'RolloutSummary' })
export type RolloutSummary = z.output<typeof RolloutSummary>

export const Rollout = RolloutSummary.extend({
  plan: RolloutPlan,
  /** Which preset the plan is; null: one of its own. */
  preset: PresetName.nullable(),
  deadlineAt: Timestamp.nullable(),
  waves: z.array(RolloutWave),
  /** While a wave is watched. */
  soak: z.object({ since: Timestamp, until: Timestamp }).nullable(),
  gates: z.array(GateResult),
  /** Rollouts that have to end first. */
  blockers: z.array(z.object({ id: RolloutId, group: ResourceName })),
  supersededBy: RolloutId.nullable(),
  /** Nothing more happens until a person acts: it is not started, paused, or waits for an approval. */
  waitsForPerson: z.boolean(),
  /** Every action, and why it is not possible now. */
  actions: z.array(z.object({ action: RolloutActionName, allowed: z.boolean(), why: z.string().nullable() })),
}).meta({ id: 'Rollout' })
export type Rollout = z.output<typeof Rollout>

export const RolloutDecision = z
  .object({
    seq: z.number().int(),
    at: Timestamp,
    /** E.g. `waveOpened`, `paused`. */
    kind: z.string(),
    cause: z.string(),
    /** Who decided; null: Drover. */
    by: z.string().nullable(),
    /** Counted from 0; null: the whole rollout. */
    wave: z.number().int().nullable(),
    /** The whole decision as a sentence. */
    sentence: z.string(),
    reason: z.string(),
    numbers: z.record(z.string(), z.number()),
  })
  .meta({ id: 'RolloutDecision' })
export type RolloutDecision = z.output<typeof RolloutDecision>

export const RolloutMember = z
  .object({
    agentId: AgentId,
    agentName: z.string(),
    wave: z.number().int(),
    state: MemberState,
    since: Timestamp,
    tries: z.number().int(),
    /** In the agent's words, when it failed. */
    error: z.string().nullable(),
    connected: z.boolean(),
  })
  .meta({ id: 'RolloutMember' })
export type RolloutMember = z.output<typeof RolloutMember>

/** Who is hit in which wave, before anything is. */
export const RolloutPreview = z
  .object({
    agents: z.number().int(),
    /** Whose configuration is another one afterwards. */
    changing: z.number().int(),
    notAccepting: z.number().int(),
    waves: z.array(
      z.object({
        label: z.string(),
        agents: z.number().int(),
        connected: z.number().int(),
        soakMs: z.number(),
        sample: z.array(z.object({ id: AgentId, name: z.string() })),
        missing: z.array(MissingComponent),
      }),
    ),
    findings: z.array(Finding),
    /** What the plan means, in sentences. */
    plan: z.array(z.string()),
    /** The shortest that it can take when everything goes well. */
    atLeastMs: z.number(),
    /** Rollouts of other groups over some of the same agents that have to end first, or that it takes over from. */
    blockers: z.array(z.object({ id: RolloutId, group: ResourceName })),
    supersedes: RolloutId.nullable(),
  })
  .meta({ id: 'RolloutPreview' })
export type RolloutPreview = z.output<typeof RolloutPreview>

export const AgentChange = z
  .object({
    agentId: AgentId,
    agentName: z.string(),
    from: z.object({ hash: ContentHash.nullable(), source: z.string() }),
    to: z.object({ hash: ContentHash.nullable(), source: z.string() }),
    /** Unified diff of the merged configurations, secrets redacted. */
    unified: z.string(),
    changes: z.array(z.object({ path: z.string(), kind: z.enum(['added', 'removed', 'changed']), from: z.unknown().optional(), to: z.unknown().optional() })),
    missing: z.array(z.object({ kind: z.string(), type: z.string() })),
  })
  .meta({ id: 'AgentChange' })
export type AgentChange = z.output<typeof AgentChange>

/** Means of the agents that have the change and of those that do not, for the chart of a gate. */
export const RolloutSeries = z
  .object({
    metric: OwnMetric,
    unit: z.string(),
    intervalSeconds: z.number(),
    /** `changed`, `control`: mean per agent; null: nobody told. */
    points: z.array(
      z.object({
        at: Timestamp,
        changed: z.number().nullable(),
        control: z.number().nullable(),
        changedAgents: z.number().int(),
        controlAgents: z.number().int(),
      }),
    ),
  })
  .meta({ id: 'RolloutSeries' })
export type RolloutSeries = z.output<typeof RolloutSeries>

const RolloutParams = z.object({ rolloutId: RolloutId })
/** The group as it is to become, or a revision that it has already. */
const Change = z.union([
  z.object({ group: ResourceName, revision: z.number().int().min(1) }),
  GroupInput.extend({
    group: ResourceName.optional().meta({ description: 'Absent: a new group' }),
    newVersions: z
      .array(z.object({ config: ResourceName, version: z.number().int().min(1), files: Files }))
      .max(20)
      .optional()
      .meta({
        description:
          'Versions that are about to be made and that `configs` name: they are checked with the rest, but what agents would make of them is not foreseen',
      }),
  }),
])

export const rolloutRoutes = {
  listRollouts: defineRoute({
    id: 'listRollouts',
    method: 'GET',
    path: '/rollouts',
    tag: 'rollouts',
    access: 'read',
    summary: 'Rollouts, newest first',
    query: PageQuery.extend({
      group: ResourceName.optional(),
      agent: AgentId.optional().meta({ description: 'Only those that this agent is in' }),
      state: z
        .enum(['active', 'over'])
        .or(RolloutState)
        .optional()
        .meta({ description: 'A state; `active`: those that may still do something by themselves; `over`: the rest' }),
    }),
    response: pageOf(RolloutSummary),
  }),
  createRollout: defineRoute({
    id: 'createRollout',
    method: 'POST',
    path: '/rollouts',
    tag: 'rollouts',
    access: 'write',
    summary: 'Take a group to one of its revisions: an earlier one to return to, or one that was taken back to try it again',
    body: RolloutStart.extend({ group: ResourceName, revision: z.number().int().min(1) }),
    status: 201,
    response: Rollout,
    idempotent: true,
  }),
  previewRollout: defineRoute({
    id: 'previewRollout',
    method: 'POST',
    path: '/rollouts/preview',
    tag: 'rollouts',
    access: 'read',
    summary: 'Who would get a change in which wave, and who cannot run it',
    body: z.object({ change: Change, rollout: RolloutStart.optional() }),
    response: RolloutPreview,
  }),
  previewAgentChange: defineRoute({
    id: 'previewAgentChange',
    method: 'POST',
    path: '/rollouts/preview/agents/{agentId}',
    tag: 'rollouts',
    access: 'read',
    summary: 'What a change would do to one agent',
    params: z.object({ agentId: AgentId }),
    body: z.object({ change: Change }),
    response: AgentChange,
  }),
  listPresets: defineRoute({
    id: 'listPresets',
    method: 'GET',
    path: '/rollouts/presets',
    tag: 'rollouts',
    access: 'read',
    summary: 'Plans to choose from',
    response: z.object({
      items: z.array(
        z.object({ name: PresetName, title: z.string(), description: z.string(), staged: z.boolean(), plan: RolloutPlan, sentences: z.array(z.string()) }),
      ),
    }),
  }),
  getRollout: defineRoute({
    id: 'getRollout',
    method: 'GET',
    path: '/rollouts/{rolloutId}',
    tag: 'rollouts',
    access: 'read',
    summary: 'Show a rollout',
    params: RolloutParams,
    response: Rollout,
  }),
  /** Server-sent events: `data` is the Rollout as JSON, at once and at each change, at most twice a second; ends after it is over. Not a JSON answer. */
  streamRollout: defineRoute({
    id: 'streamRollout',
    method: 'GET',
    path: '/rollouts/{rolloutId}/stream',
    tag: 'rollouts',
    access: 'read',
    summary: 'Follow a rollout as server-sent events',
    params: RolloutParams,
  }),
  actOnRollout: defineRoute({
    id: 'actOnRollout',
    method: 'POST',
    path: '/rollouts/{rolloutId}/actions/{action}',
    tag: 'rollouts',
    access: 'write',
    summary: 'Start, approve, pause, resume, promote, retry, stop or roll back',
    params: RolloutParams.extend({ action: RolloutActionName }),
    body: z.object({
      reason: z.string().max(500).default(''),
      wave: z.number().int().min(1).optional().meta({
        description:
          'Number of the wave that the caller has seen. Approve, resume and promote are refused when the rollout is in another one by now, so that two people who end a wave early end one',
      }),
    }),
    response: Rollout,
  }),
  deleteDraftRollout: defineRoute({
    id: 'deleteDraftRollout',
    method: 'DELETE',
    path: '/rollouts/{rolloutId}',
    tag: 'rollouts',
    access: 'write',
    summary: 'Delete a rollout that was never started',
    params: RolloutParams,
    status: 204,
  }),
  listRolloutDecisions: defineRoute({
    id: 'listRolloutDecisions',
    method: 'GET',
    path: '/rollouts/{rolloutId}/decisions',
    tag: 'rollouts',
    access: 'read',
    summary: 'What was decided and on which numbers, newest first',
    params: RolloutParams,
    query: PageQuery,
    response: pageOf(RolloutDecision),
  }),
  listRolloutMembers: defineRoute({
    id: 'listRolloutMembers',
    method: 'GET',
    path: '/rollouts/{rolloutId}/members',
    tag: 'rollouts',
    access: 'read',
    summary: 'The agents of a rollout, in order of release',
    params: RolloutParams,
    query: PageQuery.extend({ wave: z.coerce.number().int().min(0).optional(), state: MemberState.optional() }),
    response: pageOf(RolloutMember),
  }),
  getRolloutSeries: defineRoute({
    id: 'getRolloutSeries',
    method: 'GET',
    path: '/rollouts/{rolloutId}/metrics/{metric}',
    tag: 'rollouts',
    access: 'read',
    summary: 'A metric of the agents with the change beside that of those without',
    params: RolloutParams.extend({ metric: OwnMetric }),
    response: RolloutSeries,
  }),
}
