/** What the rollouts part needs from others, and what it gives them. */
import type { BodyOf, Finding, RolloutStart, rolloutRoutes } from '@drover/api'
import type { RolloutPlan, RolloutStateName } from '@drover/fleet'
import type { BindRoute, BindStream } from '../http/bind-route.ts'
import type { CheckPlan, FleetForRollouts, Foundation, JudgeGate, RevisionRule, RolloutsForAgents, TelemetryEvidence } from '../seams.ts'
import type { ReadStore, Tx } from '../storage/store.ts'

/** Many coarse deadlines on one timer; as `Deadlines` of the agents part. */
export interface Deadlines {
  after(delayMs: number, callback: () => void): { cancel(): void }
}

export interface Timing {
  now(): number
  /** Milliseconds since some moment, which no clock that is set moves. */
  monotonic(): number
  setTimeout(callback: () => void, delayMs: number): unknown
  clearTimeout(handle: unknown): void
}

/** A group as it is stored, with what an open transaction did to it. */
export interface GroupState {
  /** What the last completed rollout gave; null: none was completed. */
  readonly current: number | null
  /** Its newest and its first revision: a name that is used again goes on counting, and what was before is another group's. */
  readonly revision: number
  readonly firstRevision: number
  /** Its own; null: the preset `standard`. */
  readonly plan: RolloutPlan | null
}

/** A change as somebody asks about it: one of the revisions of a group, or the group as it is to become. */
export type Change = BodyOf<typeof rolloutRoutes.previewRollout>['change']

/** A group with a revision that may not be stored yet. */
export interface ReadChange {
  /** Of a new group: the name it has for the preview, which no other group has. */
  readonly group: string
  readonly revision: RevisionRule
  /** Of the group's configurations with each other, as its own preview says them. */
  readonly findings: readonly Finding[]
}

export interface RolloutsOptions extends Foundation {
  /** Asked once the agents part is there. */
  readonly fleet: () => FleetForRollouts
  readonly checkPlan: CheckPlan
  readonly judge: JudgeGate
  readonly evidence: TelemetryEvidence
  readonly timing: Timing
  readonly deadlines: Deadlines
  /** Undefined: there is no such group. */
  readonly findGroup: (from: ReadStore, name: string) => Promise<GroupState | undefined>
  /** Of all groups, by name. Called once. */
  readonly readGroups: () => Promise<ReadonlyMap<string, GroupState>>
  readonly readRevision: (from: ReadStore, group: string, number: number) => Promise<RevisionRule | undefined>
  /** @throws {InvalidInputError} when it cannot be saved like this. @throws {NotFoundError} */
  readonly readChange: (change: Change) => Promise<ReadChange>
  /** In which words these agents failed a configuration within a span of time; those that did not are left out. */
  readonly readFailures: (from: ReadStore, agentIds: readonly string[], fromMs: number, toMs: number) => Promise<ReadonlyMap<string, string>>
  /** Inside a transaction of this part; `null` after the first revision was taken back. */
  readonly setCurrent: (tx: Tx, group: string, revision: number | null) => Promise<void>
  /** After a commit that changed which revisions are in use. Must return at once. */
  readonly onGroupsChanged: () => void
  /** `rol_…`; for tests. */
  readonly newId?: () => string
}

export interface Beginning {
  readonly group: string
  /** The group as it is in the transaction, `to` among its revisions. */
  readonly state: GroupState
  readonly to: number
  readonly start: RolloutStart
  /** Name of the caller. */
  readonly by: string
}

/** The newest rollout of a group that was started. */
export interface NewestRollout {
  readonly id: string
  readonly state: RolloutStateName
  readonly from: number | null
  readonly to: number
}

/** Made by `createRollouts`, which reads what is stored; nothing happens before `start`. */
export interface RolloutsPart extends AsyncDisposable {
  readonly forAgents: RolloutsForAgents
  bindRoutes(bind: BindRoute, bindStream: BindStream): void
  /**
   * Inside the caller's transaction: makes a rollout and, unless it is a draft, starts it, taking over from one that is under way. `setCurrent` may have
   * been called when it returns, as for a group without members. What follows from it happens after the commit; call `onGroupsChanged` there as for
   * any change of a group.
   * @throws {InvalidInputError} for a plan that means nothing. @throws {ConflictError} while a rollout of the group goes back.
   */
  begin(tx: Tx, beginning: Beginning): Promise<{ id: string; state: RolloutStateName }>
  /** Undefined: none was started. From memory. */
  newestOf(group: string): NewestRollout | undefined
  /** Revisions that the newest rollout goes from and to, and those that its members still hold; not the group's `current`. */
  revisionsInUse(group: string): ReadonlySet<number>
  /** Why no new revision can be begun now, in a sentence that says what to do; null: nothing. */
  whyNotChangeable(group: string): string | null
  /** Inside the transaction that deletes the group: its rollouts end, and a group of the same name has none of them. */
  endWith(tx: Tx, group: string, by: string): Promise<void>
  /** Call it when the agents part has started. */
  start(): Promise<void>
  /** Resolves when everything that was heard of so far is worked in, and nothing is left to be done now. For tests. */
  settled(): Promise<void>
  /** Lets go of the members of rollouts that ended long ago. */
  prune(): Promise<void>
}
