/** Sessions of people: made from a one-time link, held by a cookie, known to the store only as hashes. */
import type { EventLog } from '../events/event-log.ts'
import { UnauthenticatedError } from '../http/errors.ts'
import type { Store } from '../storage/store.ts'
import { createSecret, hashSecret } from './secrets.ts'

const LINK_LIFE_MS = 10 * 60_000
const SESSION_LIFE_MS = 7 * 24 * 60 * 60_000

export interface PersonSession {
  readonly name: string
  readonly access: 'read' | 'write'
  readonly expiresAt: number
  /** First part of the hash: names the session without giving it away. */
  readonly id: string
}

export interface SessionStore {
  createLink(createdBy: string): Promise<{ code: string; expiresAt: number }>
  /** link -> session, once. @throws {UnauthenticatedError} when the code is unknown, used or expired. */
  signIn(code: string): Promise<{ value: string; session: PersonSession }>
  find(value: string): Promise<PersonSession | undefined>
  end(value: string): Promise<void>
  /** Forgets what has expired. */
  prune(): Promise<void>
}

export interface SessionStoreOptions {
  readonly store: Store
  readonly events: EventLog
  readonly clock: { now(): number }
}

export function createSessionStore({ store, events, clock }: SessionStoreOptions): SessionStore {
  const createLink: SessionStore['createLink'] = async (createdBy) => {
    const code = createSecret('drover_signin')
    const now = clock.now()
    const expiresAt = now + LINK_LIFE_MS
    await store.transaction((tx) =>
      tx
        .insertInto('sign_in_links')
        .values({ hash: hashSecret(code), created_by: createdBy, created_at: now, expires_at: expiresAt, used_at: null })
        .execute(),
    )
    return { code, expiresAt }
  }

  const signIn: SessionStore['signIn'] = (code) =>
    store.transaction(async (tx) => {
      const now = clock.now()
      // Marked first and looked at afterwards, so that of two calls with one code only one gets through.
      const link = await tx
        .updateTable('sign_in_links')
        .set({ used_at: now })
        .where('hash', '=', hashSecret(code))
        .where('used_at', 'is', null)
        .where('expires_at', '>', now)
        .returning('created_by')
        .executeTakeFirst()
      if (link === undefined)
        throw new UnauthenticatedError(
          'this sign-in link is not valid: each works once, for ten minutes. Ask for a new one, or restart the server to have one printed',
        )
      const value = createSecret('drover_session')
      const hash = hashSecret(value)
      const session: PersonSession = { name: link.created_by, access: 'write', expiresAt: now + SESSION_LIFE_MS, id: hash.slice(0, 12) }
      await tx.insertInto('sessions').values({ hash, name: session.name, access: session.access, created_at: now, expires_at: session.expiresAt }).execute()
      await events.append(tx, { kind: 'session.created', actor: session.name, subject: session.id, summary: `${session.name} signed in to the console` })
      return { value, session }
    })

  const find: SessionStore['find'] = async (value) => {
    if (value.length > 200) return undefined
    const hash = hashSecret(value)
    const row = await store.read.selectFrom('sessions').selectAll().where('hash', '=', hash).where('expires_at', '>', clock.now()).executeTakeFirst()
    return row && { name: row.name, access: row.access, expiresAt: row.expires_at, id: hash.slice(0, 12) }
  }

  return {
    createLink,
    signIn,
    find,
    end: async (value) => {
      await store.transaction((tx) => tx.deleteFrom('sessions').where('hash', '=', hashSecret(value)).execute())
    },
    prune: async () => {
      const now = clock.now()
      await store.transaction(async (tx) => {
        await tx.deleteFrom('sign_in_links').where('expires_at', '<=', now).execute()
        await tx.deleteFrom('sessions').where('expires_at', '<=', now).execute()
      })
    },
  }
}
