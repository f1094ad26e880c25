/** Repeated creates: the first answer is kept in the transaction that did the work, and given again for 24 hours. */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import type { Store, Tx } from '../storage/store.ts'
import { InvalidInputError } from './errors.ts'
import { consoleLimits } from './limits.ts'

export interface KeptAnswer {
  readonly data: unknown
  readonly etag?: string
}

export interface IdempotentCall {
  /** Caller and route: keys of one never meet those of another. */
  readonly scope: string
  readonly key: string
  /** Parameters and body. */
  readonly input: unknown
}

export interface Idempotency {
  /**
   * Runs `work` unless its answer is kept already. `keep` has to be called inside the transaction that does the work.
   * @throws {InvalidInputError} when the key was used with another body.
   */
  once<T extends KeptAnswer>(call: IdempotentCall, work: (keep: (tx: Tx, answer: T) => Promise<T>) => Promise<T>): Promise<T>
  /** Forgets what is older than 24 hours. */
  prune(): Promise<void>
}

export function createIdempotency(store: Store, clock: { now(): number }): Idempotency {
  /** Calls under way, so that a repetition waits for the first instead of racing it. */
  const running = new Map<string, Promise<unknown>>()

  const once: Idempotency['once'] = async (call, work) => {
    const scopeHash = sha256(`${call.scope}\n${call.key}`)
    const bodyHash = sha256(JSON.stringify(call.input))
    while (running.has(scopeHash)) await running.get(scopeHash)?.catch(() => {})
    const attempt = runOnce(call.key, scopeHash, bodyHash, work)
    running.set(scopeHash, attempt)
    try {
      return await attempt
    } finally {
      running.delete(scopeHash)
    }
  }

  async function runOnce<T extends KeptAnswer>(
    key: string,
    scopeHash: string,
    bodyHash: string,
    work: (keep: (tx: Tx, answer: T) => Promise<T>) => Promise<T>,
  ): Promise<T> {
    const oldest = clock.now() - consoleLimits.idempotencyKeepMs
    const kept = await store.read
      .selectFrom('idempotency_keys')
      .selectAll()
      .where('scope_hash', '=', scopeHash)
      .where('created_at', '>', oldest)
      .executeTakeFirst()
    if (kept) {
      if (kept.body_hash !== bodyHash)
        throw new InvalidInputError(
          'this Idempotency-Key was used for another request: use a new key for each request',
          [{ field: 'body', message: 'differs from the first request with this key' }],
          'idempotency-key-reused',
        )
      return open(kept.answer, key, scopeHash) as T // as: what was kept under this scope came from the same route
    }
    return work(async (tx, answer) => {
      const row = { body_hash: bodyHash, answer: seal(answer, key, scopeHash), created_at: clock.now() }
      await tx
        .insertInto('idempotency_keys')
        .values({ scope_hash: scopeHash, ...row })
        .onConflict((conflict) => conflict.column('scope_hash').doUpdateSet(row))
        .execute()
      return answer
    })
  }

  return {
    once,
    prune: async () => {
      const oldest = clock.now() - consoleLimits.idempotencyKeepMs
      await store.transaction((tx) => tx.deleteFrom('idempotency_keys').where('created_at', '<=', oldest).execute())
    },
  }
}

/** An answer may hold a token's value, which the store must not know; so it is encrypted under the caller's own key, which is not stored. */
function seal(answer: KeptAnswer, key: string, scopeHash: string): Uint8Array {
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', cipherKey(key, scopeHash), iv)
  const body = Buffer.concat([cipher.update(JSON.stringify(answer), 'utf8'), cipher.final()])
  return Buffer.concat([iv, cipher.getAuthTag(), body])
}

function open(sealed: Uint8Array, key: string, scopeHash: string): KeptAnswer {
  const decipher = createDecipheriv('aes-256-gcm', cipherKey(key, scopeHash), sealed.subarray(0, 12))
  decipher.setAuthTag(sealed.subarray(12, 28))
  return JSON.parse(Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]).toString('utf8')) as KeptAnswer // as: only seal() writes it, and the tag proves it
}

function cipherKey(key: string, scopeHash: string): Buffer {
  return createHash('sha256').update(`answer\n${scopeHash}\n${key}`).digest()
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
