/** The rollouts part over a real store, with time that moves when told. The server may be stopped, or killed at any commit, and started again. For tests. */
import { rmSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { rolloutRoutes } from '@drover/api'
import type { AnyRoute, BodyOf, Event, ParamsOf, QueryOf, ResponseOf, RolloutStart } from '@drover/api'
import { checkPlan, isOver, parseSelector, recount } from '@drover/fleet'
import type { Gate, MemberState, Rollout, Verdict } from '@drover/fleet'
import { FakeClock } from '@drover/testing'
import { Registry } from '@prometheus-io/client'
import { pino } from 'pino'
import { Deadlines } from '../agents/deadlines.ts'
import { openEventLog } from '../events/event-log.ts'
import type { EventLog } from '../events/event-log.ts'
import type { Answer, Call, Stream } from '../http/bind-route.ts'
import type { GateQuestion, RevisionRule } from '../seams.ts'
import { createBlobStore } from '../storage/blob-store.ts'
import { openDatabase } from '../storage/database.ts'
import { StoreUnavailableError } from '../storage/errors.ts'
import { createStore } from '../storage/store.ts'
import type { Store, Tx } from '../storage/store.ts'
import { createRollouts } from './index.ts'
import type { GroupState, RolloutsPart } from './index.ts'
import { readMembers } from './store.ts'
import { TestFleet } from './test-fleet.ts'

interface Group {
  state: GroupState
  readonly revisions: Map<number, RevisionRule>
}

interface Life {
  readonly isDead: boolean
  readonly died: Promise<void>
  die(): void
}

function createLife(): Life {
  const { promise, resolve } = Promise.withResolvers<void>()
  let isDead = false
  return {
    get isDead() {
      return isDead
    },
    died: promise,
    die() {
      isDead = true
      resolve()
    },
  }
}

const never = new Promise<never>(() => {})

export class TestRollouts implements AsyncDisposable {
  readonly clock = new FakeClock()
  readonly fleet = new TestFleet(this.clock.now)
  readonly groups = new Map<string, Group>()
  readonly questions: { gate: Gate; question: GateQuestion }[] = []
  readonly logged: string[] = []
  judge: (gate: Gate, question: GateQuestion) => Promise<Verdict> = async () => ({ verdict: 'pass', text: 'all is well', numbers: {} })
  /** Agents that send their own metrics. */
  readonly telling = new Set<string>()
  /** While set, nothing can be written. */
  isDiskFull = false
  /** How far the wall clock is off. */
  clockErrorMs = 0
  /** Commits so far. */
  commits = 0
  /** The server dies at this commit: before it, or after it and before anybody hears of it. */
  killAt: { readonly commit: number; readonly when: 'before' | 'after' } | null = null
  killed = 0
  /** Of the rollouts that are made from now on; else they are numbered. */
  nextId: string | undefined
  readonly #dir = mkdtempSync(join(tmpdir(), 'drover-rollouts-'))
  #server: { part: RolloutsPart; store: Store; real: Store; events: EventLog; deadlines: Deadlines; life: Life } | undefined
  #handlers = new Map<string, (call: Call<AnyRoute>) => Promise<Answer<AnyRoute>> | Answer<AnyRoute>>()
  readonly #streams = new Map<string, (call: Call<AnyRoute>) => Stream>()
  #ids = 0
  /** As the server read them when it started. */
  readonly #currents = new Map<string, number | null>()

  static async open(): Promise<TestRollouts> {
    const test = new TestRollouts()
    await test.startServer()
    return test
  }

  get part(): RolloutsPart {
    return this.#running().part
  }

  get store(): Store {
    return this.#running().store
  }

  /** Resolves when the server that runs now dies. */
  get died(): Promise<void> {
    return this.#running().life.died
  }

  get isDead(): boolean {
    return this.#server?.life.isDead ?? true
  }

  async startServer(): Promise<void> {
    const life = createLife()
    const log = pino({ level: 'warn' }, { write: (line: string) => void this.logged.push(line) })
    const database = openDatabase(join(this.#dir, 'drover.sqlite'), { count: () => {} })
    const real = createStore({ database, log })
    const store = this.#mortal(real, life)
    const timing = {
      now: () => this.clock.now() + this.clockErrorMs,
      monotonic: this.clock.monotonic,
      setTimeout: (callback: () => void, delayMs: number) => this.clock.setTimeout(() => life.isDead || callback(), delayMs),
      clearTimeout: this.clock.clearTimeout,
    }
    const events = await openEventLog({ store, clock: this.clock })
    const deadlines = new Deadlines(timing)
    const part = await createRollouts({
      store,
      events,
      blobs: createBlobStore(this.clock),
      log,
      clock: this.clock,
      metrics: new Registry(),
      sealer: { seal: () => new Uint8Array(), open: () => '', mac: () => '' },
      fleet: () => this.fleet,
      checkPlan,
      judge: (gate, question) => {
        this.questions.push({ gate, question })
        return this.judge(gate, question)
      },
      evidence: {
        means: async (_metric, ids) => new Map(ids.filter((id) => this.telling.has(id)).map((id) => [id, 0])),
        series: async () => ({ intervalSeconds: 10, points: [] }),
      },
      timing,
      deadlines,
      findGroup: async (tx, name) => this.#readState(tx as Tx, name),
      readGroups: async () =>
        new Map(await Promise.all([...this.groups.keys()].map(async (name) => [name, await this.#readState(real.read as Tx, name)] as const))),
      readRevision: async (_from, group, number) => this.groups.get(group)?.revisions.get(number),
      readFailures: async (_from, ids) =>
        new Map(ids.flatMap((id) => [[id, this.fleet.agent(id)?.configError ?? ''] as const]).filter(([, text]) => text !== '')),
      readChange: async (change) => {
        if (change.group === undefined || !('revision' in change)) throw new Error('only stored revisions here')
        return { group: change.group, revision: this.groups.get(change.group)!.revisions.get(change.revision)!, findings: [] } // tests ask for what is there
      },
      setCurrent: async (tx, group, revision) => void (await tx.updateTable('groups').set({ current: revision }).where('name', '=', group).execute()),
      onGroupsChanged: () => {},
      newId: () => this.nextId ?? `rol_${++this.#ids}`,
    })
    part.bindRoutes(
      (route, handler) => void this.#handlers.set(route.id, handler as (call: Call<AnyRoute>) => Answer<AnyRoute>), // as: `call` below gives each handler what its route says
      (route, handler) => void this.#streams.set(route.id, handler as (call: Call<AnyRoute>) => Stream), // as: likewise
    )
    this.#server = { part, store, real, events, deadlines, life }
    for (const name of this.groups.keys()) this.#currents.set(name, (await this.#readState(real.read as Tx, name)).current)
    this.fleet.attach(part.forAgents, (group) => this.#currents.get(group) ?? null)
    await part.start()
    this.fleet.connectAll()
  }

  /** As a power cut leaves it. */
  async kill(): Promise<void> {
    const { life, real, deadlines } = this.#running()
    life.die()
    deadlines.clear()
    await real.close()
    this.#server = undefined
  }

  /** After it died by itself or was killed. */
  async restart(): Promise<void> {
    if (this.#server !== undefined) await this.kill()
    this.killAt = null
    await this.startServer()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server !== undefined) {
      const { part, store, deadlines, life } = this.#server
      if (!life.isDead) await part[Symbol.asyncDispose]()
      deadlines.clear()
      await store.close()
    }
    rmSync(this.#dir, { recursive: true, force: true })
  }

  /** A group with as many revisions, of which none is given yet. Several times: revisions more. */
  async group(name: string, revisions: number, selector = '*'): Promise<void> {
    const group: Group = this.groups.get(name) ?? { state: { current: null, revision: 0, firstRevision: 1, plan: null }, revisions: new Map() }
    const last = group.state.revision
    for (let number = last + 1; number <= last + revisions; number++)
      group.revisions.set(number, {
        rule: { name, selector: parseSelector(selector, 'group'), priority: 0, revision: number, configs: [] },
        variables: {},
        secrets: {},
        ownTelemetry: null,
      })
    group.state = { ...group.state, revision: last + revisions }
    this.groups.set(name, group)
    this.fleet.groups.add(name)
    const row = {
      name,
      description: '',
      revision: group.state.revision,
      current: null,
      plan_json: null,
      first_revision: 1,
      created_at: 0,
      updated_at: 0,
      edit: 1,
    }
    await this.#running().real.transaction(async (tx) => {
      await tx
        .insertInto('groups')
        .values(row)
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ revision: group.state.revision }))
        .execute()
    })
  }

  /** Everybody has it already, as after a rollout long ago. */
  async give(group: string, revision: number): Promise<void> {
    await this.#running().real.transaction((tx) => tx.updateTable('groups').set({ current: revision }).where('name', '=', group).execute())
    for (const agent of this.fleet.all.values()) agent.runs.set(group, revision)
    this.#currents.set(group, revision)
    this.fleet.connectAll()
  }

  async begin(group: string, to: number, start: RolloutStart, by = 'ann'): Promise<string> {
    const { store, part } = this.#running()
    const { id } = await store.transaction(async (tx) => part.begin(tx, { group, state: await this.#readState(tx, group), to, start, by }))
    return id
  }

  async act(rolloutId: string, action: 'start' | 'approve' | 'pause' | 'resume' | 'promote' | 'retry' | 'stop' | 'rollBack', by = 'ann'): Promise<void> {
    await this.call(rolloutRoutes.actOnRollout, { params: { rolloutId, action }, body: { reason: '' } }, by)
  }

  /** Lets time pass, second by second, until then or until the server dies. */
  async pass(ms: number, stepMs = 1_000): Promise<void> {
    for (let passed = 0; passed < ms && !this.isDead; passed += stepMs) {
      await this.clock.advanceAsync(stepMs)
      await this.settle()
    }
  }

  async settle(): Promise<void> {
    const { part, life } = this.#running()
    await Promise.race([part.settled(), life.died])
    await setImmediate()
  }

  async state(id: string) {
    const row = await this.#running().real.read.selectFrom('rollouts').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
    return { ...row, rollout: JSON.parse(row.rollout_json) as Rollout } // as: only the part writes it
  }

  /** Every rollout is over. */
  async isQuiet(): Promise<boolean> {
    const rows = await this.#running().real.read.selectFrom('rollouts').select('state').execute()
    return rows.every(({ state }) => isOver({ state }))
  }

  async current(group: string): Promise<number | null> {
    return (await this.#readState(this.#running().real.read as Tx, group)).current
  }

  /** Members by state, from their rows; throws when the counters of the waves say something else. */
  async members(id: string): Promise<Partial<Record<MemberState, number>>> {
    const { rollout } = await this.state(id)
    const rows = []
    for await (const page of readMembers(this.#running().real.read, id)) rows.push(...page)
    const members = rows.map(({ member }) => member)
    rollout.waves.forEach(({ counters }, wave) => {
      const counted = recount(members, wave)
      const same = Object.keys({ ...counters, ...counted }).every((state) => counters[state as MemberState] === counted[state as MemberState])
      if (!same) throw new Error(`wave ${wave} counts ${JSON.stringify(counters)}, and its members are ${JSON.stringify(counted)}`)
    })
    const counts: Partial<Record<MemberState, number>> = {}
    for (const { state } of members) counts[state] = (counts[state] ?? 0) + 1
    return counts
  }

  async decisions(id: string): Promise<string[]> {
    const rows = await this.#running().real.read.selectFrom('rollout_decisions').selectAll().where('rollout_id', '=', id).orderBy('seq').execute()
    return rows.map(({ decision_json: json }) => (JSON.parse(json) as { kind: string }).kind)
  }

  async events(): Promise<Event[]> {
    const { events } = await this.#running().events.page({ filter: { kinds: ['rollout'] }, after: 0, limit: 10_000 })
    return events
  }

  /** Calls the handler of a route as the REST API would. */
  async call<R extends AnyRoute>(
    route: R,
    input: { params?: ParamsOf<R>; query?: Partial<QueryOf<R>>; body?: BodyOf<R> } = {},
    by = 'ann',
  ): Promise<ResponseOf<R>> {
    const handler = this.#handlers.get(route.id)
    if (handler === undefined) throw new Error(`no handler for ${route.id}`)
    const query = route.query === undefined ? undefined : route.query.parse(input.query ?? {})
    const call = {
      ...input,
      query,
      caller: { kind: 'token', name: by, access: 'write', id: by },
      signal: new AbortController().signal,
      answer: async (_tx: unknown, given: unknown) => given,
    }
    const answer = await handler(call as unknown as Call<AnyRoute>) // as: the parts that handlers here use
    if (route.response !== undefined) route.response.parse(answer.data)
    return answer.data as ResponseOf<R> // as: checked by the schema just now
  }

  stream(route: AnyRoute, params: object, by = 'ann'): Stream {
    const handler = this.#streams.get(route.id)
    if (handler === undefined) throw new Error(`no handler for ${route.id}`)
    return handler({ params, caller: { kind: 'token', name: by, access: 'read', id: by }, signal: new AbortController().signal } as unknown as Call<AnyRoute>) // as: the parts that handlers here use
  }

  async #readState(from: Tx, name: string): Promise<GroupState> {
    const row = await from.selectFrom('groups').selectAll().where('name', '=', name).executeTakeFirst()
    const group = this.groups.get(name)
    if (row === undefined || group === undefined) throw new Error(`no group ${name}`)
    return { ...group.state, current: row.current }
  }

  #mortal(real: Store, life: Life): Store {
    return {
      read: real.read,
      schemaVersion: real.schemaVersion,
      state: () => real.state(),
      bytes: () => real.bytes(),
      close: () => real.close(),
      transaction: async (work) => {
        if (life.isDead) return never
        if (this.isDiskFull) throw new StoreUnavailableError('the disk is full')
        const isLast = () => this.killAt !== null && this.commits + 1 === this.killAt.commit
        const notes: (() => void)[] = []
        let dies = false
        const result = await real
          .transaction(async (tx) => {
            const done = await work({ ...tx, afterCommit: (note: () => void) => void notes.push(note) } as Tx) // as: the same but for when notes are called
            if (life.isDead) throw new Error('dead')
            if (isLast() && this.killAt?.when === 'before') {
              dies = true
              throw new Error('dead')
            }
            return done
          })
          .catch((error: unknown) => {
            if (!dies && !life.isDead) throw error
            life.die()
            this.killed++
            return never
          })
        if (isLast()) {
          life.die()
          this.killed++
          return never
        }
        this.commits++
        for (const note of notes) note()
        return result
      },
    }
  }

  #running() {
    if (this.#server === undefined) throw new Error('the server is not running')
    return this.#server
  }
}
