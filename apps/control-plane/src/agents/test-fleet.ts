/** The agents part with a real store, a real OpAMP server and scripted agents, in time that moves when told. For tests. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mergeFiles, toYaml } from '@drover/agent-config'
import type { AnyRoute, BodyOf, ConfigFile, Event, OwnTelemetry, ParamsOf, QueryOf, ResponseOf } from '@drover/api'
import { parseSelector } from '@drover/fleet'
import { createOpampServer } from '@drover/server'
import type { OpampServer } from '@drover/server'
import { FakeClock, ScriptedAgent, TimerQueue, agentTraits, createRandom, httpLink, portLink, webSocketLink } from '@drover/testing'
import type { ScriptedAgentOptions } from '@drover/testing'
import { Registry as MetricsRegistry } from '@prometheus-io/client'
import { pino } from 'pino'
import { openEventLog } from '../events/event-log.ts'
import type { EventLog } from '../events/event-log.ts'
import type { Answer, Call, Caller } from '../http/bind-route.ts'
import { createBlobStore } from '../storage/blob-store.ts'
import { openDatabase } from '../storage/database.ts'
import { StoreUnavailableError } from '../storage/errors.ts'
import { createSealer } from '../storage/sealer.ts'
import { createStore } from '../storage/store.ts'
import type { Store } from '../storage/store.ts'
import type { GroupRevisions, RevisionRule } from '../seams.ts'
import { createAgents } from './index.ts'
import type { Agents } from './index.ts'
import { TestRollouts } from './test-rollouts.ts'

const caller: Caller = { kind: 'token', name: 'tester', access: 'write', id: 'tok_1' }

export interface GroupDefinition {
  readonly name: string
  readonly selector?: string
  readonly priority?: number
  readonly revision?: number
  /** `name@version` */
  readonly configs: readonly string[]
  readonly variables?: Readonly<Record<string, string>>
  readonly secrets?: Readonly<Record<string, number>>
  readonly ownTelemetry?: OwnTelemetry | null
}

/** What all signals to Drover are. */
export const TO_DROVER: OwnTelemetry = { metrics: { kind: 'drover' }, logs: { kind: 'drover' }, traces: { kind: 'drover' } }
export const SERVER_SECRET = 'a server secret for tests'

export const GOOD = 'receivers:\n  otlp: {}\nexporters:\n  debug: {}\nservice:\n  pipelines:\n    traces:\n      receivers: [otlp]\n      exporters: [debug]\n'
export const BAD = `# drover-demo: fail\n${GOOD}`

/** One data folder; the server in it may be stopped and started again. */
export class TestFleet implements AsyncDisposable {
  readonly clock = new FakeClock()
  readonly timers = new TimerQueue({ clock: this.clock })
  readonly operations = { read: 0, write: 0 }
  readonly configs = new Map<string, readonly ConfigFile[]>()
  /** By `name@version`. */
  readonly secrets = new Map<string, string>()
  readonly rollouts = new TestRollouts()
  readonly sealer = createSealer(SERVER_SECRET)
  telemetryEndpoint = 'http://drover.example:4320'
  /** Of the program, at the next start. */
  version = '1.0.0'
  /** Set it before the next start. */
  maxAgents = 1000
  /** While set, nothing can be written. */
  diskFull = false
  /** Until then, nothing is written. */
  diskHeld: Promise<void> | undefined
  readonly dir = mkdtempSync(join(tmpdir(), 'drover-agents-'))
  #groups: readonly GroupRevisions[] = []
  #handlers = new Map<string, (call: Call<AnyRoute>) => Promise<Answer<AnyRoute>> | Answer<AnyRoute>>()
  #running: { store: Store; events: EventLog; agents: Agents; server: OpampServer; metrics: MetricsRegistry } | undefined

  static async open(): Promise<TestFleet> {
    const fleet = new TestFleet()
    await fleet.start()
    return fleet
  }

  get agents(): Agents {
    return this.#open().agents
  }

  get server(): OpampServer {
    return this.#open().server
  }

  get store(): Store {
    return this.#open().store
  }

  get metrics(): MetricsRegistry {
    return this.#open().metrics
  }

  async start(): Promise<void> {
    const database = openDatabase(join(this.dir, 'drover.sqlite'), { count: (kind) => void this.operations[kind]++ })
    const log = pino({ level: 'silent' })
    const real = createStore({ database, log })
    const store: Store = {
      read: real.read,
      schemaVersion: real.schemaVersion,
      state: () => real.state(),
      bytes: () => real.bytes(),
      close: () => real.close(),
      transaction: async (work) => {
        if (this.diskFull) throw new StoreUnavailableError('the disk is full')
        if (this.diskHeld !== undefined) await this.diskHeld
        return real.transaction(work)
      },
    }
    const events = await openEventLog({ store, clock: this.clock })
    const metrics = new MetricsRegistry()
    const decisions = {
      readGroups: async () => this.#groups,
      readSecret: async (name: string, version: number) => this.secrets.get(`${name}@${version}`),
      readFiles: async (config: string, version: number) => this.configs.get(`${config}@${version}`) ?? [],
    }
    const agents = await createAgents(
      {
        store,
        events,
        blobs: createBlobStore(this.clock),
        log,
        clock: this.clock,
        metrics,
        sealer: this.sealer,
        decisions,
        rollouts: this.rollouts,
        telemetryEndpoint: () => this.telemetryEndpoint,
        version: this.version,
        maxAgents: this.maxAgents,
      },
      { timing: this.clock },
    )
    const server = createOpampServer({
      handler: {
        authenticate: ({ headers }) => ({ kind: 'accept', principal: headers['authorization'] ?? 'nobody' }),
        onReport: (report) => agents.handler.onReport(report),
        onDisconnect: (gone) => agents.handler.onDisconnect(gone),
        onDuplicate: (duplicate) => agents.handler.onDuplicate(duplicate),
      },
      capabilities: ['AcceptsStatus', 'OffersRemoteConfig', 'AcceptsEffectiveConfig', 'OffersConnectionSettings'],
      clock: this.clock,
    })
    await agents.start(server)
    agents.bindRoutes((route, handler) => void this.#handlers.set(route.id, handler as (call: Call<AnyRoute>) => Answer<AnyRoute>)) // as: `call` below gives each handler what its route says
    this.#running = { store, events, agents, server, metrics }
  }

  /** As on SIGTERM. */
  async stop(): Promise<void> {
    const { store, agents, server } = this.#open()
    await server[Symbol.asyncDispose]()
    await agents[Symbol.asyncDispose]()
    await store.close()
    this.#running = undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.timers.clear()
    if (this.#running !== undefined) await this.stop()
    rmSync(this.dir, { recursive: true, force: true })
  }

  /** A scripted agent inside the process; start it yourself. */
  agent(index: number, options: Partial<ScriptedAgentOptions> = {}): ScriptedAgent {
    return new ScriptedAgent({
      traits: agentTraits(index),
      openLink: portLink(() => this.server.connectInProcess({ headers: { authorization: 'token-1' } })),
      timers: this.timers,
      random: createRandom(index),
      merge: (files) => toYaml(mergeFiles(files.map((file) => ({ ...file, contentType: '' }))).merged),
      ...options,
    })
  }

  /** Started, and through with its first reports. */
  async connected(index: number, options: Partial<ScriptedAgentOptions> = {}): Promise<ScriptedAgent> {
    const agent = this.agent(index, options)
    agent.start()
    await this.clock.advanceAsync(100)
    return agent
  }

  config(name: string, body: string): void {
    this.configs.set(name, [{ name: 'config.yaml', contentType: 'text/yaml', body }])
  }

  /** Groups whose revision all members have; resolves when every agent was looked at. */
  setGroups(...groups: readonly GroupDefinition[]): Promise<void> {
    return this.setRevisions(...groups.map((group) => ({ current: group.revision ?? 1, revisions: [group] })))
  }

  /** Groups with several revisions in use. */
  async setRevisions(...groups: readonly { readonly current: number | null; readonly revisions: readonly GroupDefinition[] }[]): Promise<void> {
    this.#groups = groups.map(({ current, revisions }) => ({
      name: revisions[0]?.name ?? '',
      current,
      revisions: new Map(revisions.map((definition) => [definition.revision ?? 1, ruleOf(definition)])),
    }))
    this.agents.onGroupsChanged()
    await this.agents.settled()
    await this.clock.advanceAsync(0)
  }

  /** Calls the handler of a route as the REST API would. */
  async call<R extends AnyRoute>(
    route: R,
    input: { params?: ParamsOf<R>; query?: Partial<QueryOf<R>>; body?: BodyOf<R>; ifMatch?: string } = {},
  ): Promise<{ data: ResponseOf<R>; etag?: string }> {
    const handler = this.#handlers.get(route.id)
    if (handler === undefined) throw new Error(`no handler for ${route.id}`)
    const query = route.query === undefined ? undefined : (route.query.parse(input.query ?? {}) as QueryOf<R>)
    const answer = await handler({
      params: input.params,
      query,
      body: input.body,
      ifMatch: input.ifMatch ?? '',
      caller,
      header: () => undefined,
      signal: new AbortController().signal,
      requestId: 'r',
      remoteAddress: '127.0.0.1',
      answer: async (_tx: unknown, given: unknown) => given,
    } as unknown as Call<AnyRoute>) // as: the parts that handlers here use
    if (route.response !== undefined) route.response.parse(answer.data)
    return answer as { data: ResponseOf<R>; etag?: string } // as: checked by the schema just now
  }

  /** Kinds of events so far, oldest first. */
  async events(prefix = ''): Promise<Event[]> {
    await this.clock.advanceAsync(600)
    const page = await this.#open().events.page({ filter: { kinds: [] }, after: 0, limit: 1000 })
    return page.events.filter((event) => event.kind.startsWith(prefix))
  }

  /** A real listener for the same server. */
  async listen(): Promise<{ url: string; webSocket: ReturnType<typeof webSocketLink>; http: ReturnType<typeof httpLink>; close(): void }> {
    const listener = createServer()
    this.server.attach(listener)
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
    const { port } = listener.address() as AddressInfo // as: it listens on TCP
    const headers = { authorization: 'token-1' }
    return {
      url: `127.0.0.1:${port}`,
      webSocket: webSocketLink({ url: `ws://127.0.0.1:${port}/v1/opamp`, headers }),
      http: httpLink({ url: `http://127.0.0.1:${port}/v1/opamp`, headers }),
      close: () => {
        listener.close()
        listener.closeAllConnections()
      },
    }
  }

  #open() {
    if (this.#running === undefined) throw new Error('the server is stopped')
    return this.#running
  }
}

export function ruleOf({
  name,
  selector = '*',
  priority = 0,
  revision = 1,
  configs,
  variables = {},
  secrets = {},
  ownTelemetry = null,
}: GroupDefinition): RevisionRule {
  const refs = configs.map((ref) => ({ config: ref.split('@')[0] ?? '', version: Number(ref.split('@')[1]) }))
  return { rule: { name, selector: parseSelector(selector, 'group'), priority, revision, configs: refs }, variables, secrets, ownTelemetry }
}
