/** Drafts over REST: a config as somebody is writing it, with whatever errors it has; publishing makes it the next version. */
import { createHash } from 'node:crypto'
import { draftRoutes } from '@drover/api'
import type { ConfigFile, Draft, Finding } from '@drover/api'
import type { BindRoute, Call } from '../http/bind-route.ts'
import { ConflictError, InvalidInputError, NotFoundError, requireMatch } from '../http/errors.ts'
import { cursorNumber, decodeCursor, encodeCursor, toPage } from '../http/paging.ts'
import type { EventLog } from '../events/event-log.ts'
import type { ReadStore, Store, Tx } from '../storage/store.ts'
import { acceptFiles } from './accept-files.ts'
import type { DraftRow, DraftStore } from './draft-store.ts'
import { etagOf as configEtagOf, findVersion, showVersion } from './show.ts'
import type { ConfigRow, ConfigStore } from './store.ts'
import { checkFiles } from './validation.ts'

export interface DraftRoutesOptions {
  readonly store: Store
  readonly events: EventLog
  readonly configs: ConfigStore
  readonly drafts: DraftStore
}

export function bindDraftRoutes(bind: BindRoute, options: DraftRoutesOptions): void {
  const { store, drafts } = options
  bind(draftRoutes.listDrafts, async ({ query }) => {
    const cursor = decodeCursor(query.cursor, 2)
    const after = cursor && { updatedAt: cursorNumber(cursor[0]), config: String(cursor[1]) }
    const { rows, total } = await drafts.list(store.read, { limit: query.limit, ...(after ? { after } : {}) })
    return { data: toPage(rows, query.limit, total, showInfo, (row) => encodeCursor(row.updated_at, row.config)) }
  })
  bind(draftRoutes.getDraft, async ({ params }) => show(options, store.read, await findDraft(options, store.read, params.config)))
  bind(draftRoutes.saveDraft, (call) => store.transaction((tx) => saveDraft(options, tx, call)))
  bind(draftRoutes.publishDraft, (call) => store.transaction((tx) => publishDraft(options, tx, call)))
  bind(draftRoutes.deleteDraft, ({ params }) =>
    store.transaction(async (tx) => {
      await findDraft(options, tx, params.config)
      await drafts.delete(tx, params.config)
      return { data: undefined }
    }),
  )
}

async function saveDraft(
  options: DraftRoutesOptions,
  tx: Tx,
  { params, body, caller }: Call<typeof draftRoutes.saveDraft>,
): Promise<{ data: Draft; etag: string }> {
  const { configs, drafts } = options
  const before = await drafts.find(tx, params.config)
  const config = await configs.find(tx, params.config)
  if (before === undefined && body.edited !== undefined)
    throw new ConflictError(
      'draft-gone',
      `the draft of ${params.config} was published or thrown away since you read it: look at the config, then begin a new draft`,
    )
  if (before !== undefined) await requireUnchanged(options, tx, before, body.edited ?? '')
  const row = await drafts.save(tx, params.config, {
    description: body.description ?? before?.description ?? config?.description ?? '',
    baseVersion: before === undefined ? (config?.latest_version ?? null) : before.base_version,
    files: body.files,
    message: body.message,
    by: caller.name,
  })
  return show(options, tx, row)
}

async function publishDraft(options: DraftRoutesOptions, tx: Tx, { params, body, caller, ifMatch }: Call<typeof draftRoutes.publishDraft>) {
  const { configs, drafts, events } = options
  const draft = await findDraft(options, tx, params.config)
  await requireUnchanged(options, tx, draft, ifMatch)
  const files = await drafts.readFiles(tx, draft)
  if (files.length === 0) throw new InvalidInputError('the draft has no file, so there is nothing to publish', [{ field: 'body', message: 'no file' }])
  const findings = acceptFiles(files, body.fragment)
  const author = caller.name
  const version = { files, message: body.message ?? draft.message, author, findings }
  const before = await configs.find(tx, draft.config)
  const row: ConfigRow = before
    ? await configs.addVersion(tx, before, version)
    : await configs.create(tx, { name: draft.config, description: draft.description }, version)
  await drafts.delete(tx, draft.config)
  await events.append(tx, {
    kind: before ? 'config.versioned' : 'config.created',
    actor: author,
    subject: row.name,
    summary: before ? `${author} added version ${row.latest_version} to the config ${row.name}` : `${author} created the config ${row.name}`,
    data: { version: row.latest_version, message: version.message },
  })
  const stored = await findVersion(tx, configs, row.name, row.latest_version)
  return { data: showVersion(stored, files), etag: configEtagOf(row) }
}

async function findDraft({ drafts }: DraftRoutesOptions, from: ReadStore, config: string): Promise<DraftRow> {
  const row = await drafts.find(from, config)
  if (row === undefined) throw new NotFoundError('draft', config)
  return row
}

async function requireUnchanged(options: DraftRoutesOptions, from: ReadStore, draft: DraftRow, ifMatch: string): Promise<void> {
  const { data, etag } = await show(options, from, draft)
  requireMatch(ifMatch, `the draft of ${draft.config}`, etag, data)
}

async function show({ configs, drafts }: DraftRoutesOptions, from: ReadStore, row: DraftRow): Promise<{ data: Draft; etag: string }> {
  const [files, config] = [await drafts.readFiles(from, row), await configs.find(from, row.config)]
  return { data: { ...showInfo(row), files, findings: [...newerVersions(row, config), ...check(files)] }, etag: etagOf(row, config) }
}

function check(files: readonly ConfigFile[]): Finding[] {
  return files.length === 0 ? [] : [...checkFiles({ files, fragment: undefined }).findings]
}

/** Publishing is not refused: who publishes has seen this. */
function newerVersions({ base_version: base, config: name }: DraftRow, config: ConfigRow | undefined): Finding[] {
  if (config === undefined || config.latest_version === base) return []
  const begun = base === null ? 'before there was any version' : `from version ${base}`
  const message = `${name} has version ${config.latest_version} by now, but this draft was begun ${begun}: compare them, since publishing replaces it`
  return [{ severity: 'warning', code: 'newer-version', message }]
}

function showInfo(row: DraftRow): Omit<Draft, 'files' | 'findings'> {
  return {
    config: row.config,
    description: row.description,
    baseVersion: row.base_version,
    message: row.message,
    updatedBy: row.updated_by,
    updatedAt: new Date(row.updated_at).toISOString(),
  }
}

/** Another one also when the config got a version meanwhile, so that nobody replaces a version unseen. */
function etagOf(row: DraftRow, config: ConfigRow | undefined): string {
  const state = JSON.stringify([row, config?.latest_version ?? null])
  return `d${createHash('sha256').update(state).digest('hex').slice(0, 20)}`
}
