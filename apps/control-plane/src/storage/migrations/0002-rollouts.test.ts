/** A database of the first schema, with what people had in it, comes forward. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createGroupStore } from '../../groups/store.ts'
import { openDatabase } from '../database.ts'
import { makeTempDir } from '../test-store.ts'
import { initial } from './0001-initial.ts'

let dir: ReturnType<typeof makeTempDir>
let path: string
beforeEach(() => {
  dir = makeTempDir()
  path = join(dir.path, 'drover.sqlite')
})
afterEach(() => dir.remove())

const inFirstSchema = async (): Promise<void> => {
  const old = openDatabase(path, { migrations: [initial] })
  expect(old.schemaVersion).toBe(1)
  old.handle.exec(`
    insert into blobs values ('b', 'identity', x'7b7d', 2, 1);
    insert into agents (id, instance_uid, first_seen_at, desired_hash) values ('agt_1', '01890000-0000-7000-8000-000000000000', 1, 'r');
    insert into rendered_configs values ('r', 'b', 'base@1 (group edge)', 1);
    insert into groups values ('edge', 'all edges', 'site = edge', 7, 3, 2, 1, 5, 4);
    insert into group_revisions values ('edge', 1, '[]', 'ada', 'of an older group of this name', 1);
    insert into group_revisions values ('edge', 2, '[]', 'ada', 'first', 2);
    insert into group_revisions values ('edge', 3, '[{"config":"base","version":1}]', 'bob', 'base', 5);
    insert into group_revisions values ('gone', 1, '[{"config":"base","version":1}]', 'bob', 'of a deleted group', 1);
  `)
  await old.close()
}

it('keeps every group with what its members have: selector and priority are in the revisions from now on', async () => {
  await inFirstSchema()
  const database = openDatabase(path)
  const groups = createGroupStore({ now: () => 9 })
  const edge = await groups.find(database.reader, 'edge')
  expect(edge).toMatchObject({ description: 'all edges', current: 3, rollout: null, plan: null, firstRevision: 2, edit: 4 })
  expect(edge?.revision).toEqual({
    number: 3,
    selector: 'site = edge',
    priority: 7,
    configs: [{ config: 'base', version: 1 }],
    variables: {},
    secrets: {},
    ownTelemetry: null,
    author: 'bob',
    message: 'base',
    createdAt: 5,
  })
  const [inUse] = await groups.readInUse(database.reader)
  expect([...(inUse?.revisions.keys() ?? [])]).toEqual([3])
  expect(await database.reader.selectFrom('agents').select(['id', 'desired_hash', 'settings_offered_hash']).execute()).toEqual([
    { id: 'agt_1', desired_hash: 'r', settings_offered_hash: null },
  ])
  expect(await database.reader.selectFrom('rendered_configs').select(['hash', 'sealed']).execute()).toEqual([{ hash: 'r', sealed: 0 }])
  await database.close()
})

it('has the same tables afterwards as a new database', async () => {
  const tablesOf = (file: string) => {
    using database = new DatabaseSync(file, { readOnly: true })
    return database
      .prepare(
        `select m.name as tableName, c.name, c.type, c."notnull", c.pk from sqlite_master m join pragma_table_info(m.name) c where m.type = 'table' order by 1, 2`,
      )
      .all()
  }
  await inFirstSchema()
  await openDatabase(path).close()
  const fresh = join(dir.path, 'fresh.sqlite')
  await openDatabase(fresh).close()
  expect(tablesOf(path)).toEqual(tablesOf(fresh))
  expect(
    tablesOf(path)
      .filter(({ tableName }) => tableName === 'groups')
      .map(({ name }) => name),
  ).not.toContain('selector')
})
