/** The console listener on a real socket over a real store, with a fleet that a test sets by hand. */
import { createApiClient } from '@drover/api'
import type { ApiClient } from '@drover/api'
import { checkPlan } from '@drover/fleet'
import type { RolloutStateName } from '@drover/fleet'
import { pino } from 'pino'
import { createAccess } from './access/index.ts'
import type { Access } from './access/index.ts'
import { loadConfig } from './config/load-config.ts'
import { createConsole } from './console.ts'
import type { ConsoleParts } from './console.ts'
import { createDecisions } from './decisions.ts'
import type { DecisionStores } from './decisions.ts'
import { signInUrl } from './endpoints.ts'
import type { Beginning } from './groups/options.ts'
import { openEventLog } from './events/event-log.ts'
import type { EventLog } from './events/event-log.ts'
import { createIdempotency } from './http/idempotency.ts'
import { listen } from './listen.ts'
import type { AgentsPart, ComponentGroup, DraftEffect, Foundation, RevisionRule } from './seams.ts'
import { createBlobStore } from './storage/blob-store.ts'
import type { BlobStore } from './storage/blob-store.ts'
import { openTestStore } from './storage/test-store.ts'
import type { TestStore } from './storage/test-store.ts'
import { createSealer } from './storage/sealer.ts'
import { createSystemMetrics } from './system/metrics.ts'
import type { SystemMetrics } from './system/metrics.ts'

export interface TestConsole extends AsyncDisposable {
  readonly origin: string
  readonly test: TestStore
  readonly events: EventLog
  readonly access: Access
  readonly decisions: DecisionStores
  readonly blobs: BlobStore
  /** With an API token that may do everything. */
  readonly api: ApiClient
  readonly token: string
  readonly disconnected: string[]
  /** What happened at the seam to the agents. */
  readonly fleet: TestFleet
  readonly clock: { time: number; now(): number }
  fetch(path: string, init?: RequestInit): Promise<Response>
}

export interface TestFleet {
  changes: number
  components: readonly ComponentGroup[]
  effect: DraftEffect
  connected: Map<string, number>
  /** How many agents would notice what is proposed. */
  changing: number
  readonly proposed: { group: string; revision: RevisionRule }[]
  /** What groups began. Each is stored in the state that is set here; a completed one is what the group gives from then on. */
  readonly begun: Beginning[]
  /** Groups whose rollouts ended with them. */
  readonly ended: string[]
  rolloutState: RolloutStateName
  notChangeable: string | null
}

const noRoutes = { bindRoutes: () => {} }
const NO_EFFECT: DraftEffect = { matching: 0, sample: [], changing: 0, joining: 0, leaving: 0, notAccepting: 0, unresolved: [], combinations: [] }

export async function startTestConsole(options: { readonly consoleDir?: string } = {}): Promise<TestConsole> {
  const test = openTestStore({ probeIntervalMs: 5 })
  const clock = { time: Date.parse('2026-01-01T00:00:00Z'), now: () => clock.time }
  const events = await openEventLog({ store: test.store, clock })
  const metrics = createSystemMetrics()
  const foundation = foundationOf(test.store, events, clock, metrics)
  const fleet = createTestFleet()
  const disconnected: string[] = []
  const agentsEndpoint = () => 'ws://127.0.0.1:4320/v1/opamp'
  const access = await createAccess({
    store: test.store,
    events,
    clock,
    log: foundation.log,
    agentsEndpoint,
    signInUrl: (code) => signInUrl('http://console.test', code),
    secureCookie: false,
    connectedByPrincipal: () => fleet.connected,
    disconnectPrincipal: (principal) => void disconnected.push(principal),
  })
  const adminTokenPath = `${test.dir}/admin.token`
  await access.createAdminToken(adminTokenPath)
  const decisions = createDecisions(foundation)
  const config = loadConfig({ flags: { 'console-listen': '127.0.0.1:0', ...(options.consoleDir === undefined ? {} : { 'console-dir': options.consoleDir }) } })
  const idempotency = createIdempotency(test.store, clock)
  const others = { agents: fakeAgents(fleet), decisions, rollouts: fakeRollouts(fleet, decisions), telemetry: noRoutes, webhooks: noRoutes, checkPlan }
  const server = await createConsole(config, { ...foundation, ...others, idempotency, access, agentsEndpoint }, true)
  const { port } = await listen(server.app.server, config.consoleListen, 'console-listen')
  const origin = `http://127.0.0.1:${port}`
  const token = await readToken(adminTokenPath)
  return {
    origin,
    test,
    events,
    access,
    decisions,
    blobs: foundation.blobs,
    token,
    disconnected,
    fleet,
    clock,
    api: createApiClient({ baseUrl: origin, headers: () => ({ authorization: `Bearer ${token}` }) }),
    fetch: (path, init) => fetch(origin + path, init),
    async [Symbol.asyncDispose]() {
      await server.stop(1_000)
      metrics[Symbol.dispose]()
      await test[Symbol.asyncDispose]()
    },
  }
}

function foundationOf(store: TestStore['store'], events: EventLog, clock: Foundation['clock'], metrics: SystemMetrics): Foundation {
  const log = pino({ level: 'silent' })
  const sealer = createSealer('a server secret for tests, long enough')
  return { store, events, blobs: createBlobStore(clock), log, clock, metrics: metrics.registry, sealer }
}

function createTestFleet(): TestFleet {
  return {
    changes: 0,
    components: [],
    effect: NO_EFFECT,
    connected: new Map(),
    changing: 0,
    proposed: [],
    begun: [],
    ended: [],
    rolloutState: 'completed',
    notChangeable: null,
  }
}

async function readToken(path: string): Promise<string> {
  const { readFile } = await import('node:fs/promises')
  return (await readFile(path, 'utf8')).trim()
}

function fakeAgents(fleet: TestFleet): AgentsPart {
  const counts = { total: 0, connected: 0, stale: 0, healthy: 0, unhealthy: 0, applying: 0, applied: 0, failed: 0, unmanaged: 0 }
  return {
    handler: { onReport: () => undefined, onDisconnect: () => {}, onDuplicate: () => {} },
    start: async () => {},
    bindRoutes: () => {},
    counts: () => counts,
    countsOf: () => counts,
    countsByGroup: () => new Map(),
    connectedByPrincipal: () => fleet.connected,
    componentsOf: () => ({ total: fleet.components.reduce((sum, group) => sum + group.agents, 0) + 1, groups: fleet.components }),
    previewDraft: async () => fleet.effect,
    onGroupsChanged: () => void fleet.changes++,
    fleet: {
      agents: () => [],
      agent: () => undefined,
      outcome: () => 'none',
      reconsider: () => {},
      allowRetry: async () => {},
      missing: async () => [],
      effectOf: async (_agents, change) => {
        fleet.proposed.push(change)
        return { changing: fleet.changing, notAccepting: 0 }
      },
      changeOf: async () => undefined,
      unresolved: async () => [],
    },
    ownMetricsOf: () => undefined,
    prune: async () => {},
    async [Symbol.asyncDispose]() {},
  }
}

/** Rollouts that are over as soon as they are begun, or stay in the state that a test chooses. */
function fakeRollouts(fleet: TestFleet, { groups }: DecisionStores): ConsoleParts['rollouts'] {
  return {
    bindRoutes: () => {},
    begin: async (tx, beginning) => {
      const { group, state, to, start, by } = beginning
      fleet.begun.push(beginning)
      await tx
        .insertInto('rollouts')
        .values({
          id: `rol_${fleet.begun.length}`,
          group_name: group,
          from_revision: state.current,
          to_revision: to,
          plan_json: '{}',
          preset: start.preset ?? null,
          state: fleet.rolloutState,
          rollout_json: '{}',
          agents: 0,
          reason: '',
          created_by: by,
          created_at: 1,
          started_at: fleet.rolloutState === 'draft' ? null : 1,
          ended_at: null,
        })
        .execute()
      if (fleet.rolloutState === 'completed') await groups.setCurrent(tx, group, to)
    },
    whyNotChangeable: () => fleet.notChangeable,
    endWith: async (_tx, group) => void fleet.ended.push(group),
  }
}
