/** Configs over REST: create, add versions, compare, check, delete. */
import { configRoutes } from '@drover/api'
import type { Config, ConfigFile, ConfigVersion, Finding } from '@drover/api'
import { diffValues, mergeFiles, unifiedDiff } from '@drover/agent-config'
import type { EventLog } from '../events/event-log.ts'
import type { BindRoute } from '../http/bind-route.ts'
import { ConflictError, InvalidInputError, NotFoundError, requireMatch } from '../http/errors.ts'
import { cursorNumber, decodeCursor, encodeCursor, toPage } from '../http/paging.ts'
import type { ReadStore, Store } from '../storage/store.ts'
import type { ConfigRow, ConfigStore, VersionRow } from './store.ts'
import { checkFiles, toFieldErrors } from './validation.ts'
import type { TargetComponents } from './validation.ts'

export interface ConfigUse {
  readonly group: string
  readonly version: number
}

export interface ConfigRoutesOptions {
  readonly store: Store
  readonly events: EventLog
  readonly configs: ConfigStore
  /** Which groups use which config in their current revision. */
  readonly readUses: (from: ReadStore) => Promise<ReadonlyMap<string, readonly ConfigUse[]>>
  /** What the target's agents contain. @throws {InvalidInputError} when the target does not exist or its selector is wrong. */
  readonly componentsOf: (target: { group?: string | undefined; selector?: string | undefined }) => Promise<TargetComponents>
}

export function bindConfigRoutes(bind: BindRoute, options: ConfigRoutesOptions): void {
  bindReading(bind, options)
  bindCreating(bind, options)
  bindDeleting(bind, options)
  bindChecking(bind, options)
}

function bindReading(bind: BindRoute, { store, configs, readUses }: ConfigRoutesOptions): void {
  bind(configRoutes.listConfigs, async ({ query }) => {
    const [afterName] = decodeCursor(query.cursor, 1) ?? []
    const { rows, total } = await configs.list(store.read, {
      limit: query.limit,
      ...(query.search === undefined ? {} : { search: query.search }),
      ...(afterName === undefined ? {} : { afterName }),
    })
    const uses = await readUses(store.read)
    const shown = await Promise.all(rows.slice(0, query.limit).map((row) => showConfig(store.read, configs, row, uses.get(row.name) ?? [])))
    const page = toPage(
      rows,
      query.limit,
      total,
      (row) => row.name,
      (row) => encodeCursor(row.name),
    )
    return { data: { ...page, items: shown } }
  })

  bind(configRoutes.getConfig, async ({ params }) => {
    const row = await findConfig(store.read, configs, params.name)
    const uses = await readUses(store.read)
    return { data: await showConfig(store.read, configs, row, uses.get(row.name) ?? []), etag: etagOf(row) }
  })

  bind(configRoutes.listVersions, async ({ params, query }) => {
    const row = await findConfig(store.read, configs, params.name)
    const [before] = decodeCursor(query.cursor, 1) ?? []
    const { rows, total } = await configs.listVersions(store.read, row, {
      limit: query.limit,
      ...(before === undefined ? {} : { beforeVersion: cursorNumber(before) }),
    })
    return { data: toPage(rows, query.limit, total, showVersionInfo, (version) => encodeCursor(version.version)) }
  })

  bind(configRoutes.getVersion, async ({ params }) => {
    const row = await findVersion(store.read, configs, params.name, params.version)
    return { data: showVersion(row, await configs.readFiles(store.read, row)) }
  })

  bind(configRoutes.diffVersions, async ({ params, query }) => {
    const from = query.from ?? params.version - 1
    const read = async (version: number): Promise<ConfigFile[]> =>
      version === 0 ? [] : configs.readFiles(store.read, await findVersion(store.read, configs, params.name, version))
    const config = await findConfig(store.read, configs, params.name)
    // The first version is compared with nothing, also when a deleted config of that name had versions before.
    const before = await read(query.from === undefined && from < config.first_version ? 0 : from)
    const after = await read(params.version)
    const changes = diffValues(mergeFiles(before).merged, mergeFiles(after).merged).map((change) => ({ ...change }))
    return { data: { from: { version: from }, to: { version: params.version }, unified: unifiedDiff(before, after), changes } }
  })
}

function bindCreating(bind: BindRoute, { store, events, configs }: ConfigRoutesOptions): void {
  bind(configRoutes.createConfig, async (call) => {
    const { name, description, message, files, fragment } = call.body
    const findings = acceptFiles(files, fragment)
    return store.transaction(async (tx) => {
      if (await configs.find(tx, name))
        throw new ConflictError('already-exists', `there is a config ${name} already: add a version to it, or choose another name`)
      const author = call.caller.name
      const row = await configs.create(tx, { name, description }, { files, message, author, findings })
      await events.append(tx, {
        kind: 'config.created',
        actor: author,
        subject: name,
        summary: `${author} created the config ${name}`,
        data: { version: row.latest_version },
      })
      return call.answer(tx, { data: await showConfig(tx, configs, row, []), etag: etagOf(row) })
    })
  })

  bind(configRoutes.createVersion, async (call) => {
    const { message, files, fragment } = call.body
    const findings = acceptFiles(files, fragment)
    return store.transaction(async (tx) => {
      const before = await findConfig(tx, configs, call.params.name)
      requireMatch(call.ifMatch, `the config ${before.name}`, etagOf(before), await showConfig(tx, configs, before, []))
      const author = call.caller.name
      const row = await configs.addVersion(tx, before, { files, message, author, findings })
      await events.append(tx, {
        kind: 'config.versioned',
        actor: author,
        subject: row.name,
        summary: `${author} added version ${row.latest_version} to the config ${row.name}`,
        data: { version: row.latest_version, message },
      })
      const version = await findVersion(tx, configs, row.name, row.latest_version)
      return call.answer(tx, { data: showVersion(version, await configs.readFiles(tx, version)), etag: etagOf(row) })
    })
  })
}

function bindDeleting(bind: BindRoute, { store, events, configs, readUses }: ConfigRoutesOptions): void {
  bind(configRoutes.deleteConfig, ({ params, caller }) =>
    store.transaction(async (tx) => {
      const { name } = await findConfig(tx, configs, params.name)
      const uses = (await readUses(tx)).get(name) ?? []
      if (uses.length > 0)
        throw new ConflictError('config-in-use', `the config ${name} is used by ${uses.map((use) => use.group).join(', ')}: take it out of there first`)
      await configs.delete(tx, name)
      await events.append(tx, { kind: 'config.deleted', actor: caller.name, subject: name, summary: `${caller.name} deleted the config ${name}` })
      return { data: undefined }
    }),
  )
}

function bindChecking(bind: BindRoute, { componentsOf }: ConfigRoutesOptions): void {
  bind(configRoutes.validateConfig, async ({ body }) => {
    const { files, fragment, target } = body
    const chosen = target?.group !== undefined || target?.selector !== undefined
    if (target?.group !== undefined && target.selector !== undefined)
      throw new InvalidInputError('choose a group or a selector, not both', [{ field: 'body.target', message: 'has a group and a selector' }])
    return { data: checkFiles({ files, fragment, ...(chosen && target ? { target: await componentsOf(target) } : {}) }) }
  })
}

/** @throws {InvalidInputError} naming every error; warnings are returned. */
function acceptFiles(files: readonly ConfigFile[], fragment: boolean | undefined): readonly Finding[] {
  const names = new Set(files.map((file) => file.name))
  if (names.size < files.length)
    throw new InvalidInputError('two files have the same name', [{ field: 'body.files', message: 'every file needs a name of its own' }])
  const { valid, findings } = checkFiles({ files, fragment })
  if (valid) return findings
  const errors = toFieldErrors(files, findings)
  throw new InvalidInputError(
    `the configuration has ${errors.length === 1 ? 'an error' : `${errors.length} errors`}, so nothing was stored: ${errors[0]?.message}`,
    errors,
    'invalid-configuration',
  )
}

async function findConfig(from: ReadStore, configs: ConfigStore, name: string): Promise<ConfigRow> {
  const row = await configs.find(from, name)
  if (row === undefined) throw new NotFoundError('config', name)
  return row
}

async function findVersion(from: ReadStore, configs: ConfigStore, name: string, version: number): Promise<VersionRow> {
  const config = await findConfig(from, configs, name)
  const row = version >= config.first_version ? await configs.findVersion(from, name, version) : undefined
  if (row === undefined) throw new NotFoundError('version', `${name}@${version}`)
  return row
}

async function showConfig(from: ReadStore, configs: ConfigStore, row: ConfigRow, uses: readonly ConfigUse[]): Promise<Config> {
  const latest = await configs.findVersion(from, row.name, row.latest_version)
  if (latest === undefined) throw new Error(`the latest version of config ${row.name} is missing`)
  return {
    name: row.name,
    description: row.description,
    latest: showVersionInfo(latest),
    usedBy: uses.map(({ group, version }) => ({ group, version })),
    createdAt: new Date(row.created_at).toISOString(),
    updatedAt: new Date(row.updated_at).toISOString(),
  }
}

function showVersionInfo(row: VersionRow): Config['latest'] {
  return {
    version: row.version,
    hash: row.content_hash,
    message: row.message,
    author: row.author,
    createdAt: new Date(row.created_at).toISOString(),
    bytes: row.bytes,
  }
}

function showVersion(row: VersionRow, files: ConfigFile[]): ConfigVersion {
  return { ...showVersionInfo(row), config: row.config, files, findings: JSON.parse(row.findings_json) as Finding[] } // as: only the store writes it
}

/** A config that was deleted and made again is another one. */
function etagOf(row: ConfigRow): string {
  return `c${row.first_version}-${row.latest_version}`
}
