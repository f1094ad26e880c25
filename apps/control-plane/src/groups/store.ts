/** Groups and their revisions in the store. Revisions never change, and their numbers are never used twice. */
import type { Row } from '../storage/schema.ts'
import type { ReadStore, Tx } from '../storage/store.ts'

export type GroupRow = Row<'groups'>
export type RevisionRow = Row<'group_revisions'>

export interface ConfigRef {
  readonly config: string
  readonly version: number
}

export interface GroupValues {
  readonly description: string
  /** Canonical text. */
  readonly selector: string
  readonly priority: number
  readonly configs: readonly ConfigRef[]
}

export interface Change {
  readonly author: string
  readonly message: string
}

export interface GroupStore {
  find(from: ReadStore, name: string): Promise<GroupRow | undefined>
  /** Highest priority first; of equal ones the one that wins. */
  list(from: ReadStore, query: { after?: { priority: number; name: string }; limit: number }): Promise<{ rows: GroupRow[]; total: number }>
  currentRevision(from: ReadStore, group: GroupRow): Promise<RevisionRow>
  listRevisions(from: ReadStore, group: GroupRow, query: { before?: number; limit: number }): Promise<{ rows: RevisionRow[]; total: number }>
  create(tx: Tx, name: string, values: GroupValues, change: Change): Promise<GroupRow>
  /** Other configs make a new revision; the rest is changed in place. */
  update(tx: Tx, group: GroupRow, values: GroupValues, change: Change): Promise<GroupRow>
  delete(tx: Tx, name: string): Promise<void>
  /** Every group with what its current revision holds. */
  readAll(from: ReadStore): Promise<{ group: GroupRow; configs: ConfigRef[] }[]>
  /** Which groups use which config now. */
  readUses(from: ReadStore): Promise<Map<string, { group: string; version: number }[]>>
}

export function createGroupStore(clock: { now(): number }): GroupStore {
  const insertRevision = async (tx: Tx, group: string, number: number, configs: readonly ConfigRef[], { author, message }: Change): Promise<void> => {
    await tx
      .insertInto('group_revisions')
      .values({ group_name: group, number, configs_json: refsToJson(configs), author, message, created_at: clock.now() })
      .execute()
  }
  const nextRevision = async (tx: Tx, name: string): Promise<number> => {
    const { last } = await tx
      .selectFrom('group_revisions')
      .select((eb) => eb.fn.max('number').as('last'))
      .where('group_name', '=', name)
      .executeTakeFirstOrThrow()
    return (last ?? 0) + 1
  }
  return {
    ...reading,
    create: async (tx, name, { configs, ...values }, change) => {
      const revision = await nextRevision(tx, name)
      const now = clock.now()
      const row: GroupRow = { name, ...values, revision, first_revision: revision, created_at: now, updated_at: now, edit: 1 }
      await tx.insertInto('groups').values(row).execute()
      await insertRevision(tx, name, revision, configs, change)
      return row
    },
    update: async (tx, group, { configs, ...values }, change) => {
      const current = await reading.currentRevision(tx, group)
      const same = current.configs_json === refsToJson(configs)
      const revision = same ? group.revision : await nextRevision(tx, group.name)
      if (!same) await insertRevision(tx, group.name, revision, configs, change)
      const row: GroupRow = { ...group, ...values, revision, updated_at: clock.now(), edit: group.edit + 1 }
      await tx.updateTable('groups').set(row).where('name', '=', group.name).execute()
      return row
    },
    delete: async (tx, name) => {
      await tx.deleteFrom('groups').where('name', '=', name).execute()
    },
  }
}

const reading: Pick<GroupStore, 'find' | 'list' | 'currentRevision' | 'listRevisions' | 'readAll' | 'readUses'> = {
  find: (from, name) => from.selectFrom('groups').selectAll().where('name', '=', name).executeTakeFirst(),

  list: async (from, { after, limit }) => {
    const { total } = await from
      .selectFrom('groups')
      .select((eb) => eb.fn.countAll<number>().as('total'))
      .executeTakeFirstOrThrow()
    let page = from.selectFrom('groups').selectAll()
    if (after)
      page = page.where((eb) => eb.or([eb('priority', '<', after.priority), eb.and([eb('priority', '=', after.priority), eb('name', '<', after.name)])]))
    return {
      rows: await page
        .orderBy('priority', 'desc')
        .orderBy('name', 'desc')
        .limit(limit + 1)
        .execute(),
      total,
    }
  },

  currentRevision: (from, group) =>
    from.selectFrom('group_revisions').selectAll().where('group_name', '=', group.name).where('number', '=', group.revision).executeTakeFirstOrThrow(),

  listRevisions: async (from, group, { before, limit }) => {
    let page = from.selectFrom('group_revisions').selectAll().where('group_name', '=', group.name).where('number', '>=', group.first_revision)
    if (before !== undefined) page = page.where('number', '<', before)
    return {
      rows: await page
        .orderBy('number', 'desc')
        .limit(limit + 1)
        .execute(),
      total: group.revision - group.first_revision + 1,
    }
  },

  readAll: async (from) => {
    const rows = await from
      .selectFrom('groups')
      .innerJoin('group_revisions', (join) =>
        join.onRef('group_revisions.group_name', '=', 'groups.name').onRef('group_revisions.number', '=', 'groups.revision'),
      )
      .selectAll('groups')
      .select('group_revisions.configs_json')
      .execute()
    return rows.map(({ configs_json: configs, ...group }) => ({ group, configs: parseRefs(configs) }))
  },

  readUses: async (from) => {
    const uses = new Map<string, { group: string; version: number }[]>()
    for (const { group, configs } of await reading.readAll(from)) {
      for (const { config, version } of configs) uses.set(config, [...(uses.get(config) ?? []), { group: group.name, version }])
    }
    return uses
  },
}

function refsToJson(configs: readonly ConfigRef[]): string {
  return JSON.stringify(configs.map(({ config, version }) => ({ config, version })))
}

export function parseRefs(json: string): ConfigRef[] {
  return JSON.parse(json) as ConfigRef[] // as: only refsToJson writes it
}
