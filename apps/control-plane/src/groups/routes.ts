/** Groups over REST. A change goes to the members at once: whoever listens to `onGroupsChanged` carries it out. */
import { groupRoutes } from '@drover/api'
import type { AgentCounts, Group, Revision } from '@drover/api'
import { formatSelector, parseSelector, SelectorError } from '@drover/fleet'
import type { Selector } from '@drover/fleet'
import type { z } from 'zod'
import type { EventLog } from '../events/event-log.ts'
import type { BindRoute, Call } from '../http/bind-route.ts'
import { ConflictError, InvalidInputError, NotFoundError, requireMatch } from '../http/errors.ts'
import type { FieldError } from '../http/errors.ts'
import { cursorNumber, decodeCursor, encodeCursor, toPage } from '../http/paging.ts'
import type { GroupDraft } from '../seams.ts'
import type { ReadStore, Store, Tx } from '../storage/store.ts'
import type { GroupPreview } from './preview.ts'
import { parseRefs } from './store.ts'
import type { ConfigRef, GroupRow, GroupStore, GroupValues, RevisionRow } from './store.ts'

type Counts = z.output<typeof AgentCounts>

export interface GroupRoutesOptions {
  readonly store: Store
  readonly events: EventLog
  readonly groups: GroupStore
  readonly versionExists: (from: ReadStore, ref: ConfigRef) => Promise<boolean>
  readonly countsByGroup: () => ReadonlyMap<string, Counts>
  /** Counted now, one agent after the other: for a group whose members are not known yet. */
  readonly countsOf: (selector: Selector) => Counts
  readonly preview: (draft: GroupDraft) => Promise<GroupPreview>
  /** Called after the commit. Rollouts will take this step over. */
  readonly onGroupsChanged: () => void
}

interface Input {
  readonly description: string
  readonly selector: string
  readonly priority: number
  readonly configs: readonly ConfigRef[]
}

export function bindGroupRoutes(bind: BindRoute, options: GroupRoutesOptions): void {
  bindReading(bind, options)
  bindWriting(bind, options)
  bind(groupRoutes.previewGroup, async ({ body }) => {
    const draft = {
      selector: parseSelectorField(body.selector),
      priority: body.priority,
      configs: body.configs,
      ...(body.name === undefined ? {} : { name: body.name }),
    }
    await checkRefs(options, options.store.read, body.configs)
    return { data: await options.preview(draft) }
  })
}

function bindReading(bind: BindRoute, options: GroupRoutesOptions): void {
  const { store, groups } = options
  bind(groupRoutes.listGroups, async ({ query }) => {
    const cursor = decodeCursor(query.cursor, 2)
    const after = cursor && { priority: cursorNumber(cursor[0]), name: String(cursor[1]) }
    const { rows, total } = await groups.list(store.read, { limit: query.limit, ...(after ? { after } : {}) })
    const items = await Promise.all(rows.slice(0, query.limit).map((row) => showGroup(options, store.read, row)))
    return {
      data: {
        ...toPage(
          rows,
          query.limit,
          total,
          (row) => row.name,
          (row) => encodeCursor(row.priority, row.name),
        ),
        items,
      },
    }
  })
  bind(groupRoutes.getGroup, async ({ params }) => {
    const row = await findGroup(groups, store.read, params.name)
    return { data: await showGroup(options, store.read, row), etag: etagOf(row) }
  })
  bind(groupRoutes.listRevisions, async ({ params, query }) => {
    const row = await findGroup(groups, store.read, params.name)
    const [before] = decodeCursor(query.cursor, 1) ?? []
    const { rows, total } = await groups.listRevisions(store.read, row, {
      limit: query.limit,
      ...(before === undefined ? {} : { before: cursorNumber(before) }),
    })
    return { data: toPage(rows, query.limit, total, showRevision, (revision) => encodeCursor(revision.number)) }
  })
}

function bindWriting(bind: BindRoute, options: GroupRoutesOptions): void {
  const { store, events, groups, onGroupsChanged } = options
  bind(groupRoutes.createGroup, (call) =>
    store.transaction(async (tx) => {
      const { name, message } = call.body
      const values = await checkInput(options, tx, call.body)
      if (await groups.find(tx, name)) throw new ConflictError('already-exists', `there is a group ${name} already: change it, or choose another name`)
      const author = call.caller.name
      const row = await groups.create(tx, name, values, { author, message })
      await events.append(tx, {
        kind: 'group.created',
        actor: author,
        subject: name,
        summary: `${author} created the group ${name}`,
        data: { revision: row.revision, ...values },
      })
      tx.afterCommit(onGroupsChanged)
      return call.answer(tx, { data: await showChanged(options, tx, row), etag: etagOf(row) })
    }),
  )
  bind(groupRoutes.setGroup, (call) => store.transaction((tx) => setGroup(options, tx, call)))
  bind(groupRoutes.deleteGroup, ({ params, caller, ifMatch }) =>
    store.transaction(async (tx) => {
      const row = await findGroup(groups, tx, params.name)
      requireMatch(ifMatch, `the group ${row.name}`, etagOf(row), await showGroup(options, tx, row))
      await groups.delete(tx, row.name)
      await events.append(tx, { kind: 'group.deleted', actor: caller.name, subject: row.name, summary: `${caller.name} deleted the group ${row.name}` })
      tx.afterCommit(onGroupsChanged)
      return { data: undefined }
    }),
  )
}

async function setGroup(
  options: GroupRoutesOptions,
  tx: Tx,
  { params, body, caller, ifMatch }: Call<typeof groupRoutes.setGroup>,
): Promise<{ data: Group; etag: string }> {
  const { groups, events, onGroupsChanged } = options
  const before = await findGroup(groups, tx, params.name)
  requireMatch(ifMatch, `the group ${before.name}`, etagOf(before), await showGroup(options, tx, before))
  const values = await checkInput(options, tx, body)
  const row = await groups.update(tx, before, values, { author: caller.name, message: body.message })
  const what = row.revision === before.revision ? `changed the group ${row.name}` : `moved the group ${row.name} to revision ${row.revision}`
  await events.append(tx, {
    kind: 'group.changed',
    actor: caller.name,
    subject: row.name,
    summary: `${caller.name} ${what}`,
    data: { revision: row.revision, previousRevision: before.revision, ...values },
  })
  tx.afterCommit(onGroupsChanged)
  return { data: await showChanged(options, tx, row), etag: etagOf(row) }
}

async function checkInput(options: GroupRoutesOptions, from: ReadStore, { description, selector, priority, configs }: Input): Promise<GroupValues> {
  const canonical = formatSelector(parseSelectorField(selector))
  await checkRefs(options, from, configs)
  return { description, selector: canonical, priority, configs }
}

function parseSelectorField(text: string): Selector {
  try {
    return parseSelector(text, 'group')
  } catch (error) {
    if (error instanceof SelectorError)
      throw new InvalidInputError(`the selector is not valid: ${error.message}`, [{ field: 'body.selector', message: error.message }])
    throw error
  }
}

async function checkRefs({ versionExists }: GroupRoutesOptions, from: ReadStore, configs: readonly ConfigRef[]): Promise<void> {
  const errors: FieldError[] = []
  const seen = new Set<string>()
  for (const [index, ref] of configs.entries()) {
    if (seen.has(ref.config)) errors.push({ field: `body.configs.${index}.config`, message: `the config ${ref.config} is listed twice` })
    else if (!(await versionExists(from, ref))) errors.push({ field: `body.configs.${index}`, message: `there is no ${ref.config}@${ref.version}` })
    seen.add(ref.config)
  }
  if (errors.length > 0) throw new InvalidInputError(errors.map((error) => error.message).join('; '), errors)
}

async function findGroup(groups: GroupStore, from: ReadStore, name: string): Promise<GroupRow> {
  const row = await groups.find(from, name)
  if (row === undefined) throw new NotFoundError('group', name)
  return row
}

const NO_AGENTS: Counts = { total: 0, connected: 0, stale: 0, healthy: 0, unhealthy: 0, applying: 0, applied: 0, failed: 0, unmanaged: 0 }

async function showGroup({ groups, countsByGroup }: GroupRoutesOptions, from: ReadStore, row: GroupRow): Promise<Group> {
  return {
    name: row.name,
    description: row.description,
    selector: row.selector,
    priority: row.priority,
    revision: showRevision(await groups.currentRevision(from, row)),
    counts: countsByGroup().get(row.name) ?? NO_AGENTS,
    createdAt: new Date(row.created_at).toISOString(),
    updatedAt: new Date(row.updated_at).toISOString(),
  }
}

/** Members of a group that was just changed are known a moment later; the answer counts whom the selector chooses. */
async function showChanged(options: GroupRoutesOptions, from: ReadStore, row: GroupRow): Promise<Group> {
  return { ...(await showGroup(options, from, row)), counts: options.countsOf(parseSelector(row.selector)) }
}

function showRevision(row: RevisionRow): Revision {
  return {
    number: row.number,
    configs: parseRefs(row.configs_json),
    author: row.author,
    message: row.message,
    createdAt: new Date(row.created_at).toISOString(),
  }
}

/** A group that was deleted and made again is another one. */
function etagOf(row: GroupRow): string {
  return `g${row.first_revision}-${row.edit}`
}
