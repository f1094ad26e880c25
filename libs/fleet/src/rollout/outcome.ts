/**
 * What became of a revision at one Agent. A revision has parts of several kinds, and each kind has its own words on the
 * wire; the engine knows only outcomes, so a further kind is one more function here.
 */
import { type Ledger, latestAttempt } from '../ledger.ts'

/**
 * `none`: not offered yet. `silent`: offered to an Agent that cannot say what became of it. `ineligible`: it does not take
 * offers of this kind.
 */
export type Outcome = 'none' | 'offered' | 'applying' | 'applied' | 'failed' | 'timedOut' | 'silent' | 'ineligible'

/** What a revision consists of. `null` in a part: the revision says nothing about it. */
export type RevisionPartKind = 'configuration' | 'ownTelemetry'

export interface ConfigurationSight {
  /** Hash of what this Agent should have; null: nothing. */
  readonly desired: string | null
  readonly accepts: boolean
  readonly reports: boolean
  readonly ledger: Ledger
  /** For Agents that report no status: whether the effective config has all of the desired one; undefined: it is not known. */
  readonly effectiveMatches?: boolean
}

/**
 * From the ledger of attempts. A status that nobody's offer asked for (an unknown or an empty hash) is in no attempt and so
 * changes nothing; a late one counts; FAILED(B) followed by APPLIED(A) is a failure of B; what another offer superseded
 * is to be offered again; what was applied and is not what the Agent runs now waits until it is, or the time is up.
 */
export function configurationOutcome({ desired, accepts, reports, ledger, effectiveMatches }: ConfigurationSight): Outcome {
  if (desired === null) return 'applied'
  if (!accepts) return 'ineligible'
  if (!reports && effectiveMatches === true) return 'applied'
  if (ledger.retry === desired) return 'none'
  const attempt = latestAttempt(ledger, desired)
  const { reported } = ledger
  if (attempt === undefined) {
    // From before there was a ledger: what the Agent says of it is all that is known.
    if (reported?.hash !== desired || reported.status === 'unset') return 'none'
    return reported.status
  }
  switch (attempt.state) {
    case 'offered':
    case 'applying':
      return !reports && effectiveMatches === undefined ? 'silent' : attempt.state
    case 'applied':
      return reported === null || reported.hash === desired ? 'applied' : 'offered'
    case 'failed':
    case 'rolledBack':
      return 'failed'
    case 'timedOut':
      return 'timedOut'
    case 'superseded':
      return 'none'
    default:
      return attempt satisfies never
  }
}

export interface SettingsSight {
  /** Hash of the settings this Agent should have; null: none. */
  readonly desired: string | null
  readonly accepts: boolean
  /** It reports connection settings statuses. */
  readonly reports: boolean
  /** Hash of the settings that were offered last. */
  readonly offered: string | null
  /** The latest status it reported. */
  readonly status: { readonly hash: string; readonly status: 'unset' | 'applying' | 'applied' | 'failed' } | null
  /** It failed the desired ones at some time, whatever it said since, and nobody asked to try them again. */
  readonly refused?: boolean
}

/**
 * From the connection settings status. A status for other settings than the desired ones says nothing: an Agent that failed
 * these and then reports its earlier ones as applied has failed these.
 */
export function settingsOutcome({ desired, accepts, reports, offered, status, refused = false }: SettingsSight): Outcome {
  if (desired === null) return 'applied'
  if (!accepts) return 'ineligible'
  if (refused && !(status?.hash === desired && status.status === 'applied')) return 'failed'
  if (status !== null && status.hash === desired && status.status !== 'unset') return status.status
  if (offered !== desired) return 'none'
  return reports ? 'offered' : 'silent'
}

/** Worst first: a revision is as far as the part that is least far. */
const order: readonly Outcome[] = ['failed', 'timedOut', 'none', 'offered', 'applying', 'silent', 'ineligible', 'applied']

/** Of a revision with several parts. Applied: every part is; those that the Agent cannot take are no obstacle to the others. */
export function combineOutcomes(parts: Readonly<Partial<Record<RevisionPartKind, Outcome>>>): Outcome {
  const outcomes = Object.values(parts)
  const worst = order.find((outcome) => outcomes.includes(outcome)) ?? 'applied'
  return worst === 'ineligible' && outcomes.includes('applied') ? 'applied' : worst
}
