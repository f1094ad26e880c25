/** Secrets over REST. Values go in and never come out: not in answers, events or logs. */
import { secretRoutes } from '@drover/api'
import type { Secret } from '@drover/api'
import type { EventLog } from '../events/event-log.ts'
import type { BindRoute } from '../http/bind-route.ts'
import { ConflictError, NotFoundError } from '../http/errors.ts'
import { decodeCursor, encodeCursor, toPage } from '../http/paging.ts'
import type { ReadStore, Store } from '../storage/store.ts'
import type { SecretRow, SecretStore } from './store.ts'

export interface SecretUse {
  readonly group: string
  readonly version: number
}

export interface SecretRoutesOptions {
  readonly store: Store
  readonly events: EventLog
  readonly secrets: SecretStore
  /** Which groups use which secret, in any revision that agents have or may get. */
  readonly readUses: (from: ReadStore) => Promise<ReadonlyMap<string, readonly SecretUse[]>>
}

export function bindSecretRoutes(bind: BindRoute, options: SecretRoutesOptions): void {
  bindReading(bind, options)
  bindWriting(bind, options)
}

function bindReading(bind: BindRoute, { store, secrets, readUses }: SecretRoutesOptions): void {
  bind(secretRoutes.listSecrets, async ({ query }) => {
    const [afterName] = decodeCursor(query.cursor, 1) ?? []
    const { rows, total } = await secrets.list(store.read, { limit: query.limit, ...(afterName === undefined ? {} : { afterName }) })
    const uses = await readUses(store.read)
    const show = (row: SecretRow): Secret => showSecret(row, uses.get(row.name))
    return { data: toPage(rows, query.limit, total, show, ({ name }) => encodeCursor(name)) }
  })

  bind(secretRoutes.getSecret, async ({ params }) => {
    const row = await findSecret(secrets, store.read, params.name)
    return { data: showSecret(row, (await readUses(store.read)).get(row.name)) }
  })
}

function bindWriting(bind: BindRoute, { store, events, secrets, readUses }: SecretRoutesOptions): void {
  bind(secretRoutes.setSecret, ({ params, body, caller }) =>
    store.transaction(async (tx) => {
      const before = await secrets.find(tx, params.name)
      const description = body.description ?? before?.description ?? ''
      const row = await secrets.set(tx, params.name, { value: body.value, description, by: caller.name })
      const uses = (await readUses(tx)).get(row.name)
      await events.append(tx, {
        kind: 'secret.set',
        actor: caller.name,
        subject: row.name,
        summary: `${caller.name} ${before === undefined ? 'made the secret' : 'gave a new value to the secret'} ${row.name}`,
        data: { version: row.version, groups: (uses ?? []).map(({ group }) => group) },
      })
      return { data: showSecret(row, uses) }
    }),
  )

  bind(secretRoutes.deleteSecret, ({ params, caller }) =>
    store.transaction(async (tx) => {
      const { name, version } = await findSecret(secrets, tx, params.name)
      const groups = new Set((await readUses(tx)).get(name)?.map(({ group }) => group))
      if (groups.size > 0)
        throw new ConflictError('secret-in-use', `the secret ${name} is used by ${[...groups].join(', ')}: roll out configurations without it first`)
      await secrets.delete(tx, name)
      await events.append(tx, {
        kind: 'secret.deleted',
        actor: caller.name,
        subject: name,
        summary: `${caller.name} deleted the secret ${name}`,
        data: { version },
      })
      return { data: undefined }
    }),
  )
}

async function findSecret(secrets: SecretStore, from: ReadStore, name: string): Promise<SecretRow> {
  const row = await secrets.find(from, name)
  if (row === undefined) throw new NotFoundError('secret', name)
  return row
}

function showSecret(row: SecretRow, uses: readonly SecretUse[] = []): Secret {
  return {
    name: row.name,
    description: row.description,
    version: row.version,
    usedBy: uses.map(({ group, version }) => ({ group, version })),
    createdAt: new Date(row.created_at).toISOString(),
    updatedAt: new Date(row.updated_at).toISOString(),
    updatedBy: row.updated_by,
  }
}
