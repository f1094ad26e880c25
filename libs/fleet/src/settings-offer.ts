/** Decides whether to offer an Agent its connection settings: complete, and only when they are others than it has. */

export interface SettingsInput {
  /** Hash of the settings that the Agent should have, of the parts that it takes; null: none. */
  readonly desired: string | null
  /** Its latest ReportsConnectionSettingsStatus bit. */
  readonly reports: boolean
  readonly connected: boolean
  /** Everything the Agent's capabilities promise is known since it connected. */
  readonly complete: boolean
  /** Hash of the last offer on this connection; null: none yet. */
  readonly lastOffered: string | null
  /** Hash of the last offer that it got, on whatever connection; null: none. */
  readonly offered: string | null
  /** What it reported last. */
  readonly status: { readonly hash: string; readonly status: 'unset' | 'applying' | 'applied' | 'failed' } | null
  /** Somebody asked to try settings again that it failed. */
  readonly retry: boolean
}

export type SettingsDecision = { readonly kind: 'none' } | { readonly kind: 'offer'; readonly hash: string }

const none: SettingsDecision = { kind: 'none' }

/**
 * An Agent that reports a status has the settings whose hash it reports, whatever was offered: with other ones it came back
 * with old settings. For one that does not, the last offer counts. Settings that it failed are not repeated by themselves.
 */
export function settingsDecision({ desired, reports, connected, complete, lastOffered, offered, status, retry }: SettingsInput): SettingsDecision {
  if (desired === null || !connected || !complete) return none
  if (retry) return { kind: 'offer', hash: desired }
  if (lastOffered === desired) return none
  const has = reports ? (status !== null && status.status !== 'unset' ? status.hash : null) : offered
  return has === desired ? none : { kind: 'offer', hash: desired }
}
