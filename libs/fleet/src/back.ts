/** Where an Agent goes when a change is taken back and its groups give it nothing any more. */
import { lastGoodHash, type Ledger } from './ledger.ts'

export interface BackInput {
  /** Hash of what it should have had until now; null: nothing. */
  readonly desired: string | null
  /** Hashes of what was taken back. */
  readonly refused: ReadonlySet<string>
  readonly ledger: Ledger
  /** Hash of what works on it and does nothing; null: nothing fits it. */
  readonly baseline: string | null
}

/**
 * Only who was to have the change goes back: to its own last good configuration, else to the baseline. Everybody else keeps
 * what it has, and so does one that the change never reached.
 *
 * Call it with its own answer as `desired` as often as you like: it stays.
 */
export function backTarget({ desired, refused, ledger, baseline }: BackInput): string | null {
  if (desired === null) return null
  if (!refused.has(desired)) return ledger.attempts.some(({ hash }) => refused.has(hash)) ? desired : null
  const isTouched = ledger.reported?.hash === desired || ledger.attempts.some(({ hash }) => hash === desired)
  return isTouched ? (lastGoodHash(ledger, refused) ?? baseline) : null
}
