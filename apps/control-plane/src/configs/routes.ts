/** Configs over REST: create, add versions, compare, check, delete. */
import { configRoutes } from '@drover/api'
import type { ConfigFile } from '@drover/api'
import { diffValues, mergeFiles, unifiedDiff } from '@drover/agent-config'
import type { EventLog } from '../events/event-log.ts'
import type { BindRoute } from '../http/bind-route.ts'
import { ConflictError, InvalidInputError, requireMatch } from '../http/errors.ts'
import { cursorNumber, decodeCursor, encodeCursor, toPage } from '../http/paging.ts'
import type { ReadStore, Store } from '../storage/store.ts'
import { acceptFiles } from './accept-files.ts'
import { etagOf, findConfig, findVersion, showConfig, showVersion, showVersionInfo } from './show.ts'
import type { ConfigUse } from './show.ts'
import type { ConfigStore } from './store.ts'
import { checkFiles } from './validation.ts'
import type { TargetComponents } from './validation.ts'

export interface ConfigRoutesOptions {
  readonly store: Store
  readonly events: EventLog
  readonly configs: ConfigStore
  /** Which groups use which config, in any revision that agents have or may get. */
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
