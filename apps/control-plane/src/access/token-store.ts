/** Enrolment and API tokens. All are held in memory by hash, so that a connecting agent costs no store read. */
import type { ApiToken, EnrolmentToken } from '@drover/api'
import type { EventLog } from '../events/event-log.ts'
import { NotFoundError } from '../http/errors.ts'
import type { Row } from '../storage/schema.ts'
import type { Store, Tx } from '../storage/store.ts'
import { createCredentialId, createSecret, hashSecret } from './secrets.ts'

export type TokenKind = 'enrolment' | 'api'
export type Token = Row<'tokens'>

export interface NewToken {
  readonly kind: TokenKind
  readonly name: string
  readonly access: 'read' | 'write' | null
  readonly createdBy: string
  readonly expiresInSeconds: number | null
}

export type TokenRefusal = 'unknown' | 'expired' | 'revoked'

export interface TokenStore {
  /** The token that has this value, or why it does not count. No store read. */
  find(kind: TokenKind, value: string): Token | TokenRefusal
  /** Returns the value too, which nobody can see again. `value` is given only where it was made before. */
  create(tx: Tx, token: NewToken, value?: string): Promise<{ token: Token; value: string }>
  /** Does nothing when it is revoked already. @throws {NotFoundError} */
  revoke(kind: TokenKind, id: string, actor: string): Promise<void>
  list(kind: TokenKind): readonly Token[]
  stateOf(token: Token): 'active' | 'expired' | 'revoked'
  /** Tokens that stopped counting by time since the last call. */
  takeExpired(): readonly Token[]
  /** Writes when tokens were last used, if that changed. */
  flushUses(): Promise<void>
}

export interface TokenStoreOptions {
  readonly store: Store
  readonly events: EventLog
  readonly clock: { now(): number }
  /** Carries out in the same transaction what a revoked token takes with it. */
  readonly onRevoke: (tx: Tx, token: Token) => Promise<void>
  /** After a token was revoked and that is on disk. */
  readonly onRevoked: (token: Token) => void
}

export async function openTokenStore(options: TokenStoreOptions): Promise<TokenStore> {
  const rows = await options.store.read.selectFrom('tokens').selectAll().execute()
  return new StoredTokens(options, rows)
}

class StoredTokens implements TokenStore {
  readonly #options: TokenStoreOptions
  readonly #byHash: Map<string, Token>
  readonly #used = new Set<Token>()
  #expiredUpTo: number

  constructor(options: TokenStoreOptions, rows: readonly Token[]) {
    this.#options = options
    this.#byHash = new Map(rows.map((row) => [row.hash, row]))
    this.#expiredUpTo = options.clock.now()
  }

  find(kind: TokenKind, value: string): Token | TokenRefusal {
    // Looking up a hash tells nothing about the value by its timing: nobody can choose values whose hashes come closer.
    const token = value.length > 200 ? undefined : this.#byHash.get(hashSecret(value))
    if (token === undefined || token.kind !== kind) return 'unknown'
    const state = this.stateOf(token)
    if (state !== 'active') return state
    token.last_used_at = this.#options.clock.now()
    this.#used.add(token)
    return token
  }

  async create(tx: Tx, { kind, name, access, createdBy, expiresInSeconds }: NewToken, given?: string): Promise<{ token: Token; value: string }> {
    const value = given ?? createSecret(kind === 'api' ? 'drover_api' : 'drover_agent')
    const now = this.#options.clock.now()
    const token: Token = {
      id: createCredentialId(kind === 'api' ? 'api' : 'enr'),
      kind,
      name,
      hash: hashSecret(value),
      access,
      created_at: now,
      created_by: createdBy,
      expires_at: expiresInSeconds === null ? null : now + expiresInSeconds * 1000,
      revoked_at: null,
      last_used_at: null,
    }
    await tx.insertInto('tokens').values(token).execute()
    const what = kind === 'api' ? 'API token' : 'enrolment token'
    await this.#options.events.append(tx, {
      kind: 'token.created',
      actor: createdBy,
      subject: token.id,
      summary: `${createdBy} created the ${what} ${name}`,
      data: { tokenKind: kind, name, access },
    })
    tx.afterCommit(() => this.#byHash.set(token.hash, token))
    return { token, value }
  }

  async revoke(kind: TokenKind, id: string, actor: string): Promise<void> {
    const token = this.list(kind).find((known) => known.id === id)
    const what = kind === 'api' ? 'API token' : 'enrolment token'
    if (token === undefined) throw new NotFoundError(what, id)
    if (token.revoked_at !== null) return
    const now = this.#options.clock.now()
    await this.#options.store.transaction(async (tx) => {
      await tx.updateTable('tokens').set({ revoked_at: now }).where('id', '=', id).execute()
      await this.#options.events.append(tx, {
        kind: 'token.revoked',
        actor,
        subject: id,
        summary: `${actor} revoked the ${what} ${token.name}`,
        data: { tokenKind: kind, name: token.name },
      })
      await this.#options.onRevoke(tx, token)
      tx.afterCommit(() => {
        token.revoked_at = now
        this.#options.onRevoked(token)
      })
    })
  }

  list(kind: TokenKind): readonly Token[] {
    return [...this.#byHash.values()].filter((token) => token.kind === kind).toSorted((a, b) => b.created_at - a.created_at || (a.id < b.id ? 1 : -1))
  }

  stateOf(token: Token): 'active' | 'expired' | 'revoked' {
    if (token.revoked_at !== null) return 'revoked'
    return token.expires_at !== null && token.expires_at <= this.#options.clock.now() ? 'expired' : 'active'
  }

  takeExpired(): readonly Token[] {
    const from = this.#expiredUpTo
    this.#expiredUpTo = this.#options.clock.now()
    return [...this.#byHash.values()].filter(
      ({ expires_at: at, revoked_at: revoked }) => at !== null && revoked === null && at > from && at <= this.#expiredUpTo,
    )
  }

  async flushUses(): Promise<void> {
    if (this.#used.size === 0) return
    const used = [...this.#used]
    this.#used.clear()
    await this.#options.store.transaction(async (tx) => {
      for (const token of used) await tx.updateTable('tokens').set({ last_used_at: token.last_used_at }).where('id', '=', token.id).execute()
    })
  }
}

/** As the API shows it. */
export function toApiToken(token: Token, state: ApiToken['state']): ApiToken {
  return { ...commonFields(token, state), access: token.access ?? 'read' }
}

export function toEnrolmentToken(token: Token, state: EnrolmentToken['state'], connectedAgents: number): EnrolmentToken {
  return { ...commonFields(token, state), connectedAgents }
}

function commonFields<State>(token: Token, state: State) {
  return {
    id: token.id,
    name: token.name,
    createdAt: toIso(token.created_at),
    createdBy: token.created_by,
    expiresAt: token.expires_at === null ? null : toIso(token.expires_at),
    revokedAt: token.revoked_at === null ? null : toIso(token.revoked_at),
    lastUsedAt: token.last_used_at === null ? null : toIso(token.last_used_at),
    state,
  }
}

export function toIso(ms: number): string {
  return new Date(ms).toISOString()
}
