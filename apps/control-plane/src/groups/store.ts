/** Groups and their revisions in the store. Revisions never change, and their numbers are never used twice. */
import type { RolloutPlan, RolloutStateName } from '@drover/fleet'
import type { GroupRevisions, RevisionRule } from '../seams.ts'
import type { Row } from '../storage/schema.ts'
import type { ReadStore, Tx } from '../storage/store.ts'
import { fromColumns, toColumns, toRule, toStoredRevision } from './revision.ts'
import type { RevisionValues, StoredRevision } from './revision.ts'

/** A group as people see it. */
export interface StoredGroup {
  readonly name: string
  readonly description: string
  readonly plan: RolloutPlan | null
  /** What people decided last: the target of the newest rollout, or what that one went back to. */
  readonly revision: StoredRevision
  /** What the last completed rollout gave to all. */
  readonly current: number | null
  readonly rollout: { readonly id: string; readonly state: RolloutStateName; readonly to: number } | null
  readonly firstRevision: number
  readonly createdAt: number
  readonly updatedAt: number
  readonly edit: number
}

/** Changed in place: nothing that agents run depends on it. */
export interface GroupTexts {
  readonly description: string
  readonly plan: RolloutPlan | null
}

/** Where a group stands, for rollouts. */
export interface GroupState {
  readonly current: number | null
  /** Its newest. */
  readonly revision: number
  readonly firstRevision: number
  readonly plan: RolloutPlan | null
}

export interface Change {
  readonly author: string
  readonly message: string
}

export interface GroupStore {
  find(from: ReadStore, name: string): Promise<StoredGroup | undefined>
  /** Highest priority first; of equal ones the one that wins. */
  list(from: ReadStore, query: { after?: { priority: number; name: string }; limit: number }): Promise<{ groups: StoredGroup[]; total: number }>
  findRevision(from: ReadStore, group: StoredGroup, number: number): Promise<StoredRevision | undefined>
  /** Undefined: the group, as it is now, never had it. */
  readRule(from: ReadStore, name: string, number: number): Promise<RevisionRule | undefined>
  listRevisions(from: ReadStore, group: StoredGroup, query: { before?: number; limit: number }): Promise<{ revisions: StoredRevision[]; total: number }>
  /** With its first revision, which no agent gets before a rollout brings it. */
  create(tx: Tx, name: string, texts: GroupTexts, values: RevisionValues, change: Change): Promise<StoredGroup>
  setTexts(tx: Tx, group: StoredGroup, texts: GroupTexts): Promise<void>
  /** Returns its number. No agent gets it before a rollout brings it. */
  addRevision(tx: Tx, group: StoredGroup, values: RevisionValues, change: Change): Promise<number>
  /** What a rollout gave to all; null: its first revision was taken back. */
  setCurrent(tx: Tx, name: string, revision: number | null): Promise<void>
  delete(tx: Tx, name: string): Promise<void>
  readState(from: ReadStore, name: string): Promise<GroupState | undefined>
  readStates(from: ReadStore): Promise<Map<string, GroupState>>
  /** Every group with the revisions that some agent has or may get. */
  readInUse(from: ReadStore): Promise<GroupRevisions[]>
  /** The same with the revisions that people decided last. */
  readHeld(from: ReadStore): Promise<{ group: string; revision: StoredRevision }[]>
}

export function createGroupStore(clock: { now(): number }): GroupStore {
  const insertRevision = async (tx: Tx, group: string, values: RevisionValues, { author, message }: Change): Promise<StoredRevision> => {
    const { last } = await tx
      .selectFrom('group_revisions')
      .select((eb) => eb.fn.max('number').as('last'))
      .where('group_name', '=', group)
      .executeTakeFirstOrThrow()
    const row = { group_name: group, number: (last ?? 0) + 1, ...toColumns(values), author, message, created_at: clock.now() }
    await tx.insertInto('group_revisions').values(row).execute()
    return toStoredRevision(row)
  }
  return {
    ...reading,
    create: async (tx, name, { description, plan }, values, change) => {
      const revision = await insertRevision(tx, name, values, change)
      const { number, createdAt } = revision
      const times = { created_at: createdAt, updated_at: createdAt }
      await tx
        .insertInto('groups')
        .values({ name, description, plan_json: planToJson(plan), revision: number, current: null, first_revision: number, ...times, edit: 1 })
        .execute()
      return { name, description, plan, revision, current: null, rollout: null, firstRevision: number, createdAt, updatedAt: createdAt, edit: 1 }
    },
    setTexts: async (tx, group, { description, plan }) => {
      await tx
        .updateTable('groups')
        .set({ description, plan_json: planToJson(plan), updated_at: clock.now(), edit: group.edit + 1 })
        .where('name', '=', group.name)
        .execute()
    },
    addRevision: async (tx, group, values, change) => {
      const { number } = await insertRevision(tx, group.name, values, change)
      await tx.updateTable('groups').set({ revision: number }).where('name', '=', group.name).execute()
      return number
    },
    setCurrent: async (tx, name, revision) => {
      await tx.updateTable('groups').set({ current: revision }).where('name', '=', name).execute()
    },
    delete: async (tx, name) => {
      await tx.deleteFrom('groups').where('name', '=', name).execute()
    },
  }
}

const reading: Pick<GroupStore, 'find' | 'list' | 'readState' | 'readStates' | 'findRevision' | 'readRule' | 'listRevisions' | 'readInUse' | 'readHeld'> = {
  find: async (from, name) => {
    const row = await selectGroups(from).where('groups.name', '=', name).executeTakeFirst()
    return row && toStoredGroup(row)
  },

  readState: async (from, name) => {
    const row = await from.selectFrom('groups').selectAll().where('name', '=', name).executeTakeFirst()
    return row && toState(row)
  },

  readStates: async (from) => new Map((await from.selectFrom('groups').selectAll().execute()).map((row) => [row.name, toState(row)])),

  list: async (from, { after, limit }) => {
    const { total } = await from
      .selectFrom('groups')
      .select((eb) => eb.fn.countAll<number>().as('total'))
      .executeTakeFirstOrThrow()
    let page = selectGroups(from)
    if (after)
      page = page.where((eb) =>
        eb.or([
          eb('group_revisions.priority', '<', after.priority),
          eb.and([eb('group_revisions.priority', '=', after.priority), eb('groups.name', '<', after.name)]),
        ]),
      )
    const rows = await page
      .orderBy('group_revisions.priority', 'desc')
      .orderBy('groups.name', 'desc')
      .limit(limit + 1)
      .execute()
    return { groups: rows.map(toStoredGroup), total }
  },

  findRevision: async (from, group, number) => {
    const row = await selectRevisions(from, group).selectAll().where('number', '=', number).executeTakeFirst()
    return row && toStoredRevision(row)
  },

  readRule: async (from, name, number) => {
    const state = await reading.readState(from, name)
    const row =
      state &&
      (await selectRevisions(from, { name, ...state })
        .selectAll()
        .where('number', '=', number)
        .executeTakeFirst())
    return row && toRule(name, number, fromColumns(row))
  },

  listRevisions: async (from, group, { before, limit }) => {
    const { total } = await selectRevisions(from, group)
      .select((eb) => eb.fn.countAll<number>().as('total'))
      .executeTakeFirstOrThrow()
    let page = selectRevisions(from, group).selectAll()
    if (before !== undefined) page = page.where('number', '<', before)
    const rows = await page
      .orderBy('number', 'desc')
      .limit(limit + 1)
      .execute()
    return { revisions: rows.map(toStoredRevision), total }
  },

  readInUse: async (from) => {
    const groups = await from.selectFrom('groups').select(['name', 'current']).execute()
    const rows = await selectInUse(from).execute()
    const byGroup = Map.groupBy(rows, (row) => row.group_name)
    return groups.map(({ name, current }) => ({
      name,
      current,
      revisions: new Map((byGroup.get(name) ?? []).map((row) => [row.number, toRule(name, row.number, fromColumns(row))])),
    }))
  },

  readHeld: async (from) => {
    const decided = (await selectGroups(from).execute()).map(toStoredGroup).map(({ name, revision }) => ({ group: name, revision }))
    const inUse = (await selectInUse(from).execute()).map((row) => ({ group: row.group_name, revision: toStoredRevision(row) }))
    return [...new Map([...decided, ...inUse].map((held) => [`${held.group} ${held.revision.number}`, held])).values()]
  },
}

/** A name that is used again begins anew: revisions and rollouts of the group that was deleted are not its own. */
function selectRevisions(from: ReadStore, { name, firstRevision }: Pick<StoredGroup, 'name' | 'firstRevision'>) {
  return from.selectFrom('group_revisions').where('group_name', '=', name).where('number', '>=', firstRevision)
}

/** Each group with its newest rollout, if any, and the revision that people decided last. */
function selectGroups(from: ReadStore) {
  return from
    .selectFrom('groups')
    .leftJoin('rollouts', (join) =>
      join.on('rollouts.seq', '=', (eb) =>
        eb
          .selectFrom('rollouts as newest')
          .select((of) => of.fn.max('newest.seq').as('seq'))
          .whereRef('newest.group_name', '=', 'groups.name')
          .whereRef('newest.to_revision', '>=', 'groups.first_revision'),
      ),
    )
    .innerJoin('group_revisions', (join) =>
      join
        .onRef('group_revisions.group_name', '=', 'groups.name')
        .on('group_revisions.number', '=', (eb) =>
          eb.fn.coalesce(
            eb.case().when('rollouts.state', 'in', ['rollingBack', 'rolledBack']).then(eb.ref('rollouts.from_revision')).end(),
            'rollouts.to_revision',
            'groups.revision',
          ),
        ),
    )
    .selectAll('groups')
    .select(['rollouts.id as rollout_id', 'rollouts.state as rollout_state', 'rollouts.to_revision as rollout_to'])
    .select(['group_revisions.number', 'group_revisions.selector', 'group_revisions.priority', 'group_revisions.configs_json'])
    .select(['group_revisions.variables_json', 'group_revisions.secrets_json', 'group_revisions.own_telemetry_json'])
    .select(['group_revisions.author', 'group_revisions.message', 'group_revisions.created_at as revised_at'])
}

type GroupRow = Awaited<ReturnType<ReturnType<typeof selectGroups>['executeTakeFirstOrThrow']>>

function toStoredGroup(row: GroupRow): StoredGroup {
  const { rollout_id: id, rollout_state: state, rollout_to: to } = row
  return {
    name: row.name,
    description: row.description,
    plan: toPlan(row.plan_json),
    revision: { number: row.number, ...fromColumns(row), author: row.author, message: row.message, createdAt: row.revised_at },
    current: row.current,
    rollout: id === null || state === null || to === null ? null : { id, state, to },
    firstRevision: row.first_revision,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    edit: row.edit,
  }
}

/** The current revision of each group, both of its newest rollout that was started, and those that members of that one still hold. */
function selectInUse(from: ReadStore) {
  return from
    .with('newest', (db) =>
      db
        .selectFrom('rollouts')
        .innerJoin('groups', 'groups.name', 'rollouts.group_name')
        .select((eb) => eb.fn.max('rollouts.seq').as('seq'))
        .where('rollouts.started_at', 'is not', null)
        .whereRef('rollouts.to_revision', '>=', 'groups.first_revision')
        .groupBy('rollouts.group_name'),
    )
    .with('in_use', (db) =>
      db
        .selectFrom('groups')
        .select(['name', 'current as number'])
        .union(db.selectFrom('newest').innerJoin('rollouts', 'rollouts.seq', 'newest.seq').select(['group_name as name', 'to_revision as number']))
        .union(db.selectFrom('newest').innerJoin('rollouts', 'rollouts.seq', 'newest.seq').select(['group_name as name', 'from_revision as number']))
        .union(
          db
            .selectFrom('newest')
            .innerJoin('rollouts', 'rollouts.seq', 'newest.seq')
            .innerJoin('rollout_members', 'rollout_members.rollout_id', 'rollouts.id')
            .select(['rollouts.group_name as name', 'rollout_members.holds as number']),
        ),
    )
    .selectFrom('group_revisions')
    .innerJoin('in_use', (join) => join.onRef('in_use.name', '=', 'group_revisions.group_name').onRef('in_use.number', '=', 'group_revisions.number'))
    .selectAll('group_revisions')
}

function toState(row: Row<'groups'>): GroupState {
  return { current: row.current, revision: row.revision, firstRevision: row.first_revision, plan: toPlan(row.plan_json) }
}

/** as: only planToJson writes it. */
function toPlan(json: string | null): RolloutPlan | null {
  return json === null ? null : (JSON.parse(json) as RolloutPlan)
}

function planToJson(plan: RolloutPlan | null): Row<'groups'>['plan_json'] {
  return plan === null ? null : JSON.stringify(plan)
}
