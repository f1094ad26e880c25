/** Where a process takes up connection settings that an earlier one left. */
import type { ConnectionSettings } from '../client.ts'
import type { ClientStore } from '../store.ts'
import { advance, type SettingsStep } from './machine.ts'
import { beginOffer, type OfferStatus } from './offer-status.ts'
import { decodeSettings, decodeStatus, encodeSettings, encodeStatus, settingsNames, type SettledStatus, type StoredSettings } from './record.ts'
import { fingerprint } from './same-connection.ts'
import type { Candidate } from './candidate.ts'

export interface LeftBehind {
  readonly valid: StoredSettings | undefined
  readonly candidate: StoredSettings | undefined
  readonly status: SettledStatus | undefined
  /** Names of what cannot be read. */
  readonly unreadable: readonly string[]
}

/** Effects are to be carried out once the client has started. */
export interface Start extends SettingsStep {
  /** Stored settings are out of date, because other ones were configured since. */
  readonly isReset: boolean
  /** Names under which there was something that cannot be read: it is as good as nothing. */
  readonly unreadable: readonly string[]
}

/**
 * Reads the store, and clears it of what is out of date. Settings that are configured by hand win over stored ones, unless the same were
 * configured when those were offered.
 */
export async function openSettings(store: ClientStore, configured: ConnectionSettings): Promise<Start> {
  const left = await readLeftBehind(store)
  const start = resumeSettings(configured, left)
  if (start.isReset) for (const name of Object.values(settingsNames)) await store.remove(name)
  else if (left.candidate !== undefined && start.state.candidate.kind === 'idle') await dropCandidate(store)
  return { ...start, unreadable: left.unreadable }
}

async function readLeftBehind(store: ClientStore): Promise<LeftBehind> {
  const [valid, candidate, status] = await Promise.all([store.read(settingsNames.valid), store.read(settingsNames.candidate), store.read(settingsNames.status)])
  const left = { valid: valid && decodeSettings(valid), candidate: candidate && decodeSettings(candidate), status: status && decodeStatus(status) }
  const isUnreadable = [
    valid !== undefined && left.valid === undefined,
    candidate !== undefined && left.candidate === undefined,
    status !== undefined && left.status === undefined,
  ]
  return { ...left, unreadable: Object.values(settingsNames).filter((_, index) => isUnreadable[index]) }
}

/** Pure. */
export function resumeSettings(configured: ConnectionSettings, left: LeftBehind): Omit<Start, 'unreadable'> {
  const mark = fingerprint(configured)
  const valid = left.valid?.configured === mark ? left.valid.candidate : undefined
  const candidate = left.candidate?.configured === mark ? left.candidate.candidate : undefined
  const isReset = (left.valid !== undefined && valid === undefined) || (left.candidate !== undefined && candidate === undefined)
  const current = valid?.settings ?? configured
  const idle = { kind: 'idle', current } as const
  // Adopted and not yet removed: the process ended between the two.
  const isAdopted = candidate !== undefined && candidate.hash === valid?.hash && fingerprint(candidate.settings) === fingerprint(valid.settings)
  if (candidate === undefined || isAdopted) {
    const status: OfferStatus = isAdopted ? outcomeOf(candidate) : isReset ? { kind: 'none' } : (left.status ?? { kind: 'none' })
    return { state: { candidate: idle, status }, effects: [], isReset }
  }
  const status = beginOffer(candidate.hash, { kind: 'pending' }, candidate.hasRest ? { kind: 'lost' } : { kind: 'absent' })
  return { ...advance({ candidate: idle, status }, { kind: 'restarted', candidate }), isReset }
}

/** Applied as far as OpAMP settings go; of others it is not known. */
function outcomeOf({ hash, hasRest }: Candidate): OfferStatus {
  return beginOffer(hash, { kind: 'done' }, hasRest ? { kind: 'lost' } : { kind: 'absent' })
}

export async function storeCandidate(store: ClientStore, candidate: Candidate, configured: ConnectionSettings): Promise<void> {
  await store.write(settingsNames.candidate, encodeSettings({ candidate, configured: fingerprint(configured) }))
}

/** The former settings, certificate and key included, are gone afterwards. */
export async function storeAdopted(store: ClientStore, candidate: Candidate, configured: ConnectionSettings): Promise<void> {
  await store.write(settingsNames.valid, encodeSettings({ candidate, configured: fingerprint(configured) }))
  // What stays behind is recognised by its hash at the next start.
  await store.remove(settingsNames.candidate).catch(() => undefined)
}

export async function dropCandidate(store: ClientStore): Promise<void> {
  await store.remove(settingsNames.candidate)
}

/** What is still going on is not stored: after a restart it follows from the candidate. */
export async function storeStatus(store: ClientStore, status: OfferStatus): Promise<void> {
  if (status.kind === 'applied' || status.kind === 'failed') await store.write(settingsNames.status, encodeStatus(status))
  else if (status.kind === 'none') await store.remove(settingsNames.status)
}
