/** The agents part: inventory, desired state, offers and attempts. */
import type { KeyObject } from 'node:crypto'
import { matches } from '@drover/fleet'
import type { Selector } from '@drover/fleet'
import type { InstanceUid } from '@drover/protocol'
import type { OpampServer } from '@drover/server'
import type { AgentsOptions, AgentsPart, ComponentGroup, RecalledAgent } from '../seams.ts'
import { chooser, countChosen } from './agent-list.ts'
import { lookupOf } from './agent-record.ts'
import type { AgentRecord } from './agent-record.ts'
import { Announcer } from './announcer.ts'
import { Assignments } from './assignments.ts'
import { pruneAttempts, readLedgers } from './attempts.ts'
import { Commands } from './commands.ts'
import { ComponentSets } from './component-sets.ts'
import { Deadlines, realTiming } from './deadlines.ts'
import type { Timing } from './deadlines.ts'
import { DesiredConfigs } from './desired-configs.ts'
import { Details } from './details.ts'
import { Driver } from './driver.ts'
import { EffectiveConfigs, readMacKey } from './effective-configs.ts'
import { EffectiveMatches } from './effective-matches.ts'
import { createFleet } from './fleet.ts'
import { History } from './history.ts'
import { Intake } from './intake.ts'
import { KnownSecrets } from './known-secrets.ts'
import { Liveness } from './liveness.ts'
import { agentFromRow } from './load.ts'
import { createAgentMetrics } from './metrics.ts'
import { Offers } from './offers.ts'
import type { Outgoing } from './offers.ts'
import { OwnTelemetryOffers } from './own-telemetry.ts'
import { Previews } from './preview.ts'
import { Reasons } from './reasons.ts'
import { Reconsider } from './reconsider.ts'
import { Registry } from './registry.ts'
import { RenderedConfigs } from './rendered-configs.ts'
import { bindAgentRoutes } from './routes.ts'
import { AgentStore, readAgents } from './store.ts'

/** Two and a half heartbeats of 30 s. */
const STALE_AFTER_MS = 75_000
const ATTEMPT_TIMEOUT_MS = 120_000
const HISTORY_INTERVAL_MS = 10_000
const HISTORY_MS = 6 * 3600 * 1000
/** A configuration that no attempt speaks of is kept this long. */
const KEPT_UNUSED_MS = 24 * 3600 * 1000

export interface AgentsTuning {
  /** Timers that tests move by hand. */
  readonly timing?: Timing
  readonly attemptTimeoutMs?: number
}

export interface Agents extends AgentsPart {
  /** Resolves when the last change of groups has reached every agent. */
  settled(): Promise<void>
  /** What an agent last said, from the store. */
  recall(uid: InstanceUid): Promise<RecalledAgent | undefined>
  /** Takes out the values of secrets that agents were given. */
  readonly redactSecrets: (text: string) => string
}

export async function createAgents(options: AgentsOptions, tuning: AgentsTuning = {}): Promise<Agents> {
  const timing = tuning.timing ?? realTiming(options.clock)
  const macKey = await readMacKey(options.store, options.version)
  const parts = assemble(options, timing, tuning.attemptTimeoutMs ?? ATTEMPT_TIMEOUT_MS, macKey)
  const { registry, deadlines, store, desired, components, assignments, offers, liveness, driver, commands, details, reconsider, history } = parts
  await loadAgents(options, registry, components, timing.now())
  const sampling = startSampling(history, registry, timing)
  const lastSeen = (record: AgentRecord) => driver.lastSeen(record)
  return {
    handler: driver,
    async start(server: OpampServer) {
      driver.attach(server)
      commands.attach(server)
      await desired.reload()
      for (const record of registry.all()) {
        assignments.reselect(record)
        offers.refresh(record)
        liveness.watch(record)
      }
    },
    bindRoutes: (bind) => bindAgentRoutes(bind, { read: options.store.read, agentStore: store, registry, details, commands, history, lastSeen }),
    counts: () => registry.counts(),
    countsOf: (selector) => countChosen(registry, chooser(selector)),
    countsByGroup: () => registry.countsByGroup(),
    connectedByPrincipal: () => registry.connectedByPrincipal(),
    componentsOf: (selector) => componentsOf(registry, components, selector),
    previewDraft: (draft) => parts.previews.draft(draft),
    onGroupsChanged: () => reconsider.all(),
    fleet: parts.fleet,
    ownMetricsOf(agentId) {
      const record = registry.byId(agentId)
      return record && parts.ownTelemetry.ownMetrics(record)
    },
    prune: async () => {
      await pruneAttempts(options.store, registry.all())
      await options.store.transaction((tx) => parts.rendered.prune(tx, timing.now() - KEPT_UNUSED_MS))
    },
    settled: () => reconsider.settled(),
    recall: (uid) => recall(registry, details, uid),
    redactSecrets: parts.secrets.redact,
    async [Symbol.asyncDispose]() {
      sampling.stop()
      await reconsider.stop()
      await parts.matches.stop()
      await parts.effectiveConfigs.stop()
      driver.noteLastSeen()
      deadlines.clear()
      // What cannot be written now is said again by the agents.
      await store.flush().catch((error: unknown) => options.log.error({ err: error }, 'last changes of agents not written'))
      store.stop()
    },
  }
}

/** Everything that works together, each given the few others it needs. */
function assemble(
  { store: database, events, blobs, log, decisions, rollouts, sealer, telemetryEndpoint, maxAgents, metrics: metricsRegistry }: AgentsOptions,
  timing: Timing,
  attemptTimeoutMs: number,
  macKey: KeyObject,
) {
  const now = () => timing.now()
  const { read } = database
  const registry = new Registry()
  const metrics = createAgentMetrics(metricsRegistry, registry)
  const deadlines = new Deadlines(timing)
  const store = new AgentStore({ store: database, timing, log })
  const secrets = new KnownSecrets()
  const onSecrets = (values: Iterable<string>): void => {
    if (secrets.add(values)) effectiveConfigs.forgetRedacted()
  }
  const desired = new DesiredConfigs({ decisions, sealer, onSecrets })
  const components = new ComponentSets()
  const rendered = new RenderedConfigs({ store, read, blobs, sealer, now })
  const announcer = new Announcer({ store, events, deadlines })
  const assignments = new Assignments({ registry, store, desired, rendered, components, rollouts })
  const onStanding = (record: AgentRecord): void => rollouts.onAgentChanged(record.id)
  const matches = new EffectiveMatches({ store, read, blobs, assignments, onAnswer: onStanding, log })
  const ownTelemetry = new OwnTelemetryOffers({ desired, sealer, telemetryEndpoint, store, now, onOffer: () => metrics.settingsOffers.inc() })
  const offersTools = { assignments, matches, ownTelemetry, rendered, components, deadlines, announcer, metrics, log, now, attemptTimeoutMs, onStanding }
  const offers = new Offers({ registry, store, ...offersTools })
  const intern = (text: string): string => registry.texts.intern(text)
  const effectiveConfigs: EffectiveConfigs = new EffectiveConfigs({ store, blobs, macKey, intern, now, redact: secrets.redact, log })
  const intake = new Intake({ registry, store, effectiveConfigs, components, now, redact: secrets.redact })
  const lastSeen = (record: AgentRecord): number | null => driver.lastSeen(record)
  const liveness = new Liveness({ registry, deadlines, now, lastSeen, staleAfterMs: STALE_AFTER_MS })
  const driverTools = { assignments, offers, ownTelemetry, liveness, announcer, now, maxAgents, onHeard: onStanding }
  const driver: Driver = new Driver({ registry, store, intake, ...driverTools })
  const onForgotten = (agentId: string): void => rollouts.onAgentForgotten(agentId)
  const commands = new Commands({ store: database, events, agentStore: store, registry, assignments, offers, ownTelemetry, driver, onStanding, onForgotten })
  const reasons = new Reasons({ desired, offers, ownTelemetry, rollouts })
  const details = new Details({ read, blobs, agentStore: store, components, assignments, rendered, reasons, effectiveConfigs, lastSeen })
  const send = (record: AgentRecord, outgoing: Outgoing): void => driver.send(record, outgoing)
  const reconsider = new Reconsider({ registry, desired, assignments, offers, store, send, onStanding, log })
  const previews = new Previews({ registry, desired, assignments, components, rollouts, lastSeen })
  const fleet = createFleet({ registry, desired, assignments, ownTelemetry, matches, rollouts, reconsider, commands, previews })
  const history = new History(HISTORY_INTERVAL_MS, HISTORY_MS)
  const deciding = { desired, components, rendered, assignments, matches, offers, previews, fleet, reconsider }
  return { ...deciding, registry, deadlines, store, liveness, driver, commands, details, history, effectiveConfigs, ownTelemetry, secrets }
}

async function recall(registry: Registry, details: Details, uid: InstanceUid): Promise<RecalledAgent | undefined> {
  const record = registry.byUid(uid)
  if (record?.reported == null) return undefined
  const { files } = await details.effective(record)
  return { ...record.reported, effectiveConfig: files[0]?.body }
}

async function loadAgents({ store }: AgentsOptions, registry: Registry, components: ComponentSets, now: number): Promise<void> {
  await components.load(store.read)
  const retries = new Map<string, string>()
  for await (const rows of readAgents(store.read)) {
    for (const row of rows) {
      registry.add(agentFromRow(row, registry.texts, now))
      if (row.retry_hash !== null) retries.set(row.id, row.retry_hash)
    }
  }
  const known = (agentId: string) => ({ reported: registry.byId(agentId)?.reported ?? null, retry: retries.get(agentId) ?? null })
  for (const [agentId, ledger] of await readLedgers(store.read, known)) {
    const record = registry.byId(agentId)
    if (record !== undefined) record.ledger = ledger
  }
}

function startSampling(history: History, registry: Registry, timing: Timing): { stop(): void } {
  let timer: unknown
  const sample = () => {
    history.add(timing.now(), registry.counts())
    timer = timing.setTimeout(sample, history.intervalMs)
  }
  timer = timing.setTimeout(sample, history.intervalMs)
  return { stop: () => timing.clearTimeout(timer) }
}

const NAMED_AGENTS = 5

function componentsOf(registry: Registry, components: ComponentSets, selector: Selector): { total: number; groups: readonly ComponentGroup[] } {
  const byHash = new Map<string, { agents: number; names: string[] }>()
  let total = 0
  for (const record of registry.all()) {
    if (!matches(selector, lookupOf(record))) continue
    total += 1
    if (record.componentsHash === null || components.get(record.componentsHash)?.complete !== true) continue
    const group = byHash.get(record.componentsHash) ?? { agents: 0, names: [] }
    group.agents += 1
    if (group.names.length < NAMED_AGENTS) group.names.push(record.name)
    byHash.set(record.componentsHash, group)
  }
  return { total, groups: [...byHash].map(([hash, group]) => ({ components: components.get(hash)?.items ?? [], ...group })) }
}
