/**
 * Where the parts of the control plane meet. The composition root (`control-plane.ts`) makes each part and hands it the functions of others
 * that it needs; features never import each other.
 */
import type { AgentCounts, AgentSummary, ConfigFile, FragmentRef, Override, OwnTelemetry } from '@drover/api'
import type { Gate, GivenRevision, GroupRule, Lookup, Outcome, OwnMetric, PlanFinding, RolloutPlan, RolloutStateName, Selector, Verdict } from '@drover/fleet'
import type { InstanceUid } from '@drover/protocol'
import type { OpampHandler, OpampServer } from '@drover/server'
import type { Registry } from '@prometheus-io/client'
import type { Logger } from 'pino'
import type { z } from 'zod'
import type { EventLog } from './events/event-log.ts'
import type { BindRoute } from './http/bind-route.ts'
import type { BlobStore } from './storage/blob-store.ts'
import type { Store } from './storage/store.ts'

export interface Clock {
  /** Wall time, milliseconds since 1970. */
  now(): number
}

/** Keeps values unreadable for whoever has the store without the server secret. */
export interface Sealer {
  /** AES-256-GCM; `context` says what it is, and has to be the same when it is opened. */
  seal(plain: string, context: string): Uint8Array
  /** @throws {StoreUnusableError} when it was sealed under another secret, for something else, or was changed since. */
  open(sealed: Uint8Array, context: string): string
  /** HMAC-SHA-256 as lower-case hex, under a key of its own for each context. */
  mac(text: string, context: string): string
}

/** What every part may use. */
export interface Foundation {
  readonly store: Store
  readonly events: EventLog
  readonly blobs: BlobStore
  readonly log: Logger
  readonly clock: Clock
  readonly metrics: Registry
  readonly sealer: Sealer
}

/** A revision of a group, as agents are given it. Its selector and priority are in `rule`. */
export interface RevisionRule {
  readonly rule: GroupRule
  readonly variables: Readonly<Record<string, string>>
  /** Name to version. */
  readonly secrets: Readonly<Record<string, number>>
  readonly ownTelemetry: OwnTelemetry | null
}

/** A group with every revision that some agent may have or get now. */
export interface GroupRevisions {
  readonly name: string
  readonly current: number | null
  readonly revisions: ReadonlyMap<number, RevisionRule>
}

/** Read access to what people decided, for the agents part. Reads the store: call it after `onGroupsChanged`, not per report. */
export interface Decisions {
  /** Every group with the revisions that are in use: the current one, those of its newest rollout, and what members of that one still hold. */
  readGroups(): Promise<readonly GroupRevisions[]>
  /** Value of a version of a secret; versions never change. Undefined: there is none. */
  readSecret(name: string, version: number): Promise<string | undefined>
  /** Files of a version; versions never change, so the answer may be kept. Also of versions whose config was deleted. */
  readFiles(config: string, version: number): Promise<readonly ConfigFile[]>
}

export interface AgentsOptions extends Foundation {
  readonly decisions: Decisions
  readonly rollouts: RolloutsForAgents
  /** Where agents send their own telemetry, e.g. `http://127.0.0.1:4320`; asked once the listener is open. */
  readonly telemetryEndpoint: () => string
  /** Of this program. */
  readonly version: string
  /** How many may be known. */
  readonly maxAgents: number
}

/** An agent as rollouts see it. */
export interface FleetAgent {
  readonly id: string
  readonly name: string
  readonly lookup: Lookup
  /** Milliseconds since 1970; null: it is connected. After a restart of the server: since then. */
  readonly offlineSince: number | null
  /** When its present connection began; null: it has none. */
  readonly connectedSince: number | null
  readonly healthy: boolean | null
  /** Whether what it runs lacks something of what it should have; null: not known. */
  readonly drifted: boolean | null
  /** What it said last when its configuration failed. */
  readonly configError: string | null
}

/** The fleet, for rollouts: what is seen of agents, and how they are moved. Nothing here reads the store. */
export interface FleetForRollouts {
  /** All of them: for starts and sweeps only. */
  agents(): Iterable<FleetAgent>
  agent(id: string): FleetAgent | undefined
  /** What became of the revision that `RolloutsForAgents.revisionFor` gives this agent in this group. */
  outcome(agentId: string, group: string): Outcome
  /** Something else may be meant for them now: they are assigned anew and offered what they should have, soon and a few at a time. */
  reconsider(agentIds: Iterable<string>): void
  /** What they failed is forgiven, and offered once more on the same connection. Follow it with `reconsider`. */
  allowRetry(agentIds: Iterable<string>): Promise<void>
  /** What the agents lack of what a revision names. */
  missing(agentIds: Iterable<string>, revision: RevisionRule): Promise<readonly { kind: string; type: string; lacking: number; agents: string[] }[]>
  /** How many of these would get another configuration if `changes` were given by their groups, and what one of them would. */
  effectOf(agentIds: Iterable<string>, change: ProposedRevision): Promise<{ changing: number; notAccepting: number }>
  changeOf(agentId: string, change: ProposedRevision): Promise<ProposedChange | undefined>
  /** References such as `${drover:label.site}` that could not be filled in if `change` were given: such agents would not be offered anything. */
  unresolved(agentIds: Iterable<string>, change: ProposedRevision): Promise<readonly UnresolvedName[]>
}

/** A `${drover:…}` reference of a configuration that has no value, or none that fits its place. */
export interface UnresolvedName {
  /** As it is written, e.g. `${drover:label.site}`. */
  readonly reference: string
  /** What is wrong and what to do. */
  readonly message: string
  /** `base@3 collector.yaml`, or what of own telemetry. */
  readonly place: string
  readonly line: number | null
  readonly column: number | null
  /** Agents concerned; some of their names. */
  readonly lacking: number
  readonly agents: readonly string[]
}

/** A group as it would be with a revision that may not be stored yet. */
export interface ProposedRevision {
  readonly group: string
  readonly revision: RevisionRule
}

export interface ProposedChange {
  readonly from: { readonly hash: string | null; readonly source: string; readonly merged: string }
  readonly to: { readonly hash: string | null; readonly source: string; readonly merged: string }
  readonly missing: readonly { readonly kind: string; readonly type: string }[]
}

/** Rollouts, for the agents part. Synchronous, and from memory: it is asked for each assignment. */
export interface RolloutsForAgents {
  /** What this group gives to this agent now. `current` as the group has it. */
  revisionFor(group: string, current: number | null, agentId: string): GivenRevision
  /** Something was heard of the agent, or it connected or disconnected: outcomes or `offlineSince` may be others. Cheap; looked at soon. */
  onAgentChanged(agentId: string): void
  /** The agent is selected by these groups now (by any revision in use), after it was selected by those before. */
  onGroupsOfAgent(agentId: string, groups: readonly string[]): void
  onAgentForgotten(agentId: string): void
  /** The newest rollout of the group that was started, and where this agent stands in it, for people; undefined: there is none, or it is over and left nothing behind. */
  progressOf(group: string, agentId: string): RolloutProgress | undefined
}

export interface RolloutProgress {
  readonly to: number
  readonly state: RolloutStateName
  /** The wave that is open, counted from 1; 0: none yet. */
  readonly wave: number
  readonly waves: number
  /** The agent's own wave, counted from 1; null: it has none. */
  readonly ownWave: number | null
}

/** The agents' own metrics, for gates. */
export interface TelemetryEvidence {
  /** Mean of a metric for each agent over a span of time; agents that told nothing are left out. */
  means(metric: OwnMetric, agentIds: readonly string[], fromMs: number, toMs: number): Promise<ReadonlyMap<string, number>>
  /** Means over groups of agents at each interval, for charts. */
  series(
    metric: OwnMetric,
    sets: readonly (readonly string[])[],
    fromMs: number,
    toMs: number,
  ): Promise<{ intervalSeconds: number; points: readonly { atMs: number; values: readonly { mean: number | null; agents: number }[] }[] }>
}

export interface GateMember {
  readonly id: string
  /** When it got the change; null for those that did not. */
  readonly pushedAt: number | null
  /** As they were before they got it, and are now for those that did not. */
  readonly before: { readonly healthy: boolean | null; readonly drifted: boolean | null }
}

/** What a gate is asked about. */
export interface GateQuestion {
  readonly rollout: string
  readonly group: string
  readonly from: number | null
  readonly to: number
  readonly wave: number
  readonly round: number
  /** Members of the wave that applied the change. */
  readonly changed: readonly GateMember[]
  /** Members that did not get it and are connected; at most 1,000, chosen by their place in the order. */
  readonly control: readonly GateMember[]
  /** When the soak began. */
  readonly since: number
  readonly now: number
}

/** Empty: the plan can be started. What cannot be told before, such as what a name leads to, is seen when it is needed. */
export type CheckPlan = (plan: RolloutPlan) => readonly PlanFinding[]

/** Answers within seconds, never throws: what goes wrong is an inconclusive verdict that says so. */
export type JudgeGate = (gate: Gate, question: GateQuestion) => Promise<Verdict>

/** For a person who wonders why there are none. */
export interface OwnMetricsOffer {
  /** It has the capability ReportsOwnMetrics. */
  readonly canReport: boolean
  /** What its groups name. */
  readonly destination: 'drover' | 'other' | null
  /** Of the last offer; null: none was made yet. */
  readonly outcome: 'offered' | 'applied' | 'failed' | null
}

/** Components that a number of agents contain in the same way. */
export interface ComponentGroup {
  readonly components: readonly { readonly kind: string; readonly type: string }[]
  readonly agents: number
  /** Some of their names, for a message. */
  readonly names: readonly string[]
}

/** A group as a person is editing it. */
export interface GroupDraft {
  /** Of the group that is edited; absent for a new one. */
  readonly name?: string
  readonly selector: Selector
  readonly priority: number
  readonly configs: readonly { readonly config: string; readonly version: number }[]
  /** As in `RevisionRule`; absent: none. */
  readonly variables?: Readonly<Record<string, string>>
  readonly secrets?: Readonly<Record<string, number>>
  readonly ownTelemetry?: OwnTelemetry | null
}

export interface DraftEffect {
  readonly matching: number
  readonly sample: readonly AgentSummary[]
  readonly changing: number
  readonly joining: number
  readonly leaving: number
  readonly notAccepting: number
  /** Members that could not be offered it. */
  readonly unresolved: readonly UnresolvedName[]
  readonly combinations: readonly { groups: string[]; agents: number; fragments: z.output<typeof FragmentRef>[]; overrides: z.output<typeof Override>[] }[]
}

/** The agents part: made by `createAgents(options: AgentsOptions): Promise<AgentsPart>` in `agents/index.ts`. */
export interface AgentsPart extends AsyncDisposable {
  /** Goes into the OpAMP server; who may connect is decided elsewhere. */
  readonly handler: Omit<OpampHandler, 'authenticate'>
  /** Called once, before the first agent connects: from here on the part can offer, disconnect and ask for last-seen times. */
  start(server: OpampServer): Promise<void>
  bindRoutes(bind: BindRoute): void
  /** Of all agents; no store read. */
  counts(): z.output<typeof AgentCounts>
  /** Of the agents that a selector chooses; looks at each. */
  countsOf(selector: Selector): z.output<typeof AgentCounts>
  /** Of the members of each group, by name. Groups without members may be missing. */
  countsByGroup(): ReadonlyMap<string, z.output<typeof AgentCounts>>
  /** How many agents are connected with each principal. */
  connectedByPrincipal(): ReadonlyMap<string, number>
  /** What the agents that a selector chooses contain; those that reported nothing count in `total` alone. */
  componentsOf(selector: Selector): { readonly total: number; readonly groups: readonly ComponentGroup[] }
  previewDraft(draft: GroupDraft): Promise<DraftEffect>
  /** After the commit of any change of groups or of revisions in use. Must return at once; the part reads `decisions` again and acts. */
  onGroupsChanged(): void
  readonly fleet: FleetForRollouts
  /** How it stands with the destination that an agent was given for its own metrics; undefined: there is no such agent. */
  ownMetricsOf(agentId: string): OwnMetricsOffer | undefined
  /** Lets go of attempts that neither people nor rules look at any more. */
  prune(): Promise<void>
  /** Writes what is still coalesced; called at the end, after the last report. */
  [Symbol.asyncDispose](): Promise<void>
}

/** What `demo/index.ts` makes scripted agents from, which connect in-process. */
export interface DemoOptions {
  readonly server: OpampServer
  /** How many scripted agents. */
  readonly agents: number
  /** An enrolment token for them, to be sent as `Authorization: Bearer …`. */
  readonly token: string
  readonly log: Logger
  /** What the agent with this uid said before the server was restarted: supervisors remember it on their disks. */
  readonly recall?: (uid: InstanceUid) => Promise<RecalledAgent | undefined>
}

export interface RecalledAgent {
  /** Hex. */
  readonly hash: string
  readonly status: 'unset' | 'applying' | 'applied' | 'failed'
  readonly errorMessage: string
  /** Undefined: never reported. */
  readonly effectiveConfig: string | undefined
}
