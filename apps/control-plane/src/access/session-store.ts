/** Sessions of people: made from a one-time link, held by a cookie, known to the store only as hashes. */
import type { EventLog } from '../events/event-log.ts'
import { UnauthenticatedError } from '../http/errors.ts'
import type { Store, Tx } from '../storage/store.ts'
import { createSecret, hashSecret } from './secrets.ts'

const LINK_LIFE_MS = 10 * 60_000
const SESSION_LIFE_MS = 7 * 24 * 60 * 60_000

export interface PersonSession {
  readonly name: string
  /** The API token that let this person in, if one did. */
  readonly tokenId: string | null
  readonly access: 'read' | 'write'
  readonly expiresAt: number
  /** First part of the hash: names the session without giving it away. */
  readonly id: string
}

export interface SessionStore {
  /** `tokenId`: the API token that asks for it; the link and what comes of it end with that token. */
  createLink(createdBy: string, tokenId: string | null): Promise<{ code: string; expiresAt: number }>
  /** link -> session, once. @throws {UnauthenticatedError} when the code is unknown, used or expired. */
  signIn(code: string): Promise<{ value: string; session: PersonSession }>
  find(value: string): Promise<PersonSession | undefined>
  end(value: string): Promise<void>
  /** Ends the links and sessions that came from an API token. */
  endOfToken(tx: Tx, tokenId: string): Promise<void>
  /** Forgets what has expired. */
  prune(): Promise<void>
}

export interface SessionStoreOptions {
  readonly store: Store
  readonly events: EventLog
  readonly clock: { now(): number }
  /** After a session was ended and that is on disk. */
  readonly onEnded: (id: string) => void
}

export function createSessionStore({ store, events, clock, onEnded }: SessionStoreOptions): SessionStore {
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
        .returning(['created_by', 'token_id'])
        .executeTakeFirst()
      if (link === undefined) throw invalidLink()
      const value = createSecret('drover_session')
      const hash = hashSecret(value)
      const { created_by: name, token_id: tokenId } = link
      const expiresAt = Math.min(now + SESSION_LIFE_MS, await endOf(tx, tokenId))
      if (expiresAt <= now) throw invalidLink()
      const session: PersonSession = { name, tokenId, access: 'write', expiresAt, id: idOf(hash) }
      await tx
        .insertInto('sessions')
        .values({ hash, name, access: session.access, created_at: now, expires_at: session.expiresAt, token_id: tokenId })
        .execute()
      await events.append(tx, { kind: 'session.created', actor: session.name, subject: session.id, summary: `${session.name} signed in to the console` })
      return { value, session }
    })

  const find: SessionStore['find'] = async (value) => {
    if (value.length > 200) return undefined
    const hash = hashSecret(value)
    const row = await store.read.selectFrom('sessions').selectAll().where('hash', '=', hash).where('expires_at', '>', clock.now()).executeTakeFirst()
    return row && { name: row.name, tokenId: row.token_id, access: row.access, expiresAt: row.expires_at, id: idOf(hash) }
  }

  return {
    createLink: async (createdBy, tokenId) => {
      const code = createSecret('drover_signin')
      const now = clock.now()
      const link = { hash: hashSecret(code), created_by: createdBy, created_at: now, expires_at: now + LINK_LIFE_MS, used_at: null, token_id: tokenId }
      await store.transaction((tx) => tx.insertInto('sign_in_links').values(link).execute())
      return { code, expiresAt: link.expires_at }
    },
    signIn,
    find,
    end: async (value) => {
      const hash = hashSecret(value)
      await store.transaction((tx) => tx.deleteFrom('sessions').where('hash', '=', hash).execute())
      onEnded(idOf(hash))
    },
    endOfToken: async (tx, tokenId) => {
      await tx.deleteFrom('sign_in_links').where('token_id', '=', tokenId).execute()
      const ended = await tx.deleteFrom('sessions').where('token_id', '=', tokenId).returning('hash').execute()
      tx.afterCommit(() => ended.forEach(({ hash }) => onEnded(idOf(hash))))
    },
    prune: () => store.transaction((tx) => deleteExpired(tx, clock.now())),
  }
}

async function deleteExpired(tx: Tx, now: number): Promise<void> {
  await tx.deleteFrom('sign_in_links').where('expires_at', '<=', now).execute()
  await tx.deleteFrom('sessions').where('expires_at', '<=', now).execute()
}

/** When the API token behind a link expires. */
async function endOf(tx: Tx, tokenId: string | null): Promise<number> {
  if (tokenId === null) return Infinity
  const token = await tx.selectFrom('tokens').select('expires_at').where('id', '=', tokenId).executeTakeFirst()
  return token?.expires_at ?? Infinity
}

function invalidLink(): UnauthenticatedError {
  return new UnauthenticatedError(
    'this sign-in link is not valid: each works once, for ten minutes. Ask for a new one, or restart the server to have one printed',
  )
}

function idOf(hash: string): string {
  return hash.slice(0, 12)
}
