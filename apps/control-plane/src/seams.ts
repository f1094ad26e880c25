/**
 * Where the parts of the control plane meet. The composition root (`control-plane.ts`) makes each part and hands it the functions of others
 * that it needs; features never import each other.
 */
import type { AgentCounts, AgentSummary, ConfigFile, FragmentRef, Override } from '@drover/api'
import type { GroupRule, Selector } from '@drover/fleet'
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

/** What every part may use. */
export interface Foundation {
  readonly store: Store
  readonly events: EventLog
  readonly blobs: BlobStore
  readonly log: Logger
  readonly clock: Clock
  readonly metrics: Registry
}

/** Read access to what people decided, for the agents part. Reads the store: call it after `onGroupsChanged`, not per report. */
export interface Decisions {
  /** Every group with its current revision. */
  readGroups(): Promise<readonly GroupRule[]>
  /** Files of a version; versions never change, so the answer may be kept. Also of versions whose config was deleted. */
  readFiles(config: string, version: number): Promise<readonly ConfigFile[]>
}

export interface AgentsOptions extends Foundation {
  readonly decisions: Decisions
  /** Of this program. */
  readonly version: string
  /** How many may be known. */
  readonly maxAgents: number
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
}

export interface DraftEffect {
  readonly matching: number
  readonly sample: readonly AgentSummary[]
  readonly changing: number
  readonly joining: number
  readonly leaving: number
  readonly notAccepting: number
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
  /** After the commit of any change of groups or their revisions. Must return at once; the part reads `decisions` again and acts. */
  onGroupsChanged(): void
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
