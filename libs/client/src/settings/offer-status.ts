/** What the Agent says about an offer as a whole: OpAMP settings and all others have one hash and one status. Pure. */
import { create } from '@bufbuild/protobuf'
import { type ConnectionSettingsStatus, ConnectionSettingsStatuses, ConnectionSettingsStatusSchema, fromHex } from '@drover/protocol'
import { offerLimits } from './limits.ts'

export type Part =
  /** Not in the offer, or not for us. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'pending' }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly reason: string }
  /** A process that was to do it has ended, and nobody knows how far it came. */
  | { readonly kind: 'lost' }

/** `hash` in hex. */
export type OfferStatus =
  | { readonly kind: 'none' }
  | { readonly kind: 'applying'; readonly hash: string; readonly opamp: Part; readonly rest: Part }
  | { readonly kind: 'applied'; readonly hash: string }
  | { readonly kind: 'failed'; readonly hash: string; readonly reason: string }

/** Another state follows when all parts are done already. */
export function beginOffer(hash: string, opamp: Part, rest: Part): OfferStatus {
  return conclude({ kind: 'applying', hash, opamp, rest })
}

/** The outcome of a part; one of an older offer changes nothing. */
export function settlePart(status: OfferStatus, hash: string, part: 'opamp' | 'rest', failure: string | undefined): OfferStatus {
  if (status.kind !== 'applying' || status.hash !== hash || status[part].kind !== 'pending') return status
  return conclude({ ...status, [part]: failure === undefined ? { kind: 'done' } : { kind: 'failed', reason: failure } })
}

/** applying -> applied, failed, when nothing is pending; -> none, when a part was lost: without a status the Server offers it again */
function conclude(status: Extract<OfferStatus, { kind: 'applying' }>): OfferStatus {
  const parts = [status.opamp, status.rest]
  if (parts.some(({ kind }) => kind === 'pending')) return status
  if (parts.some(({ kind }) => kind === 'lost')) return { kind: 'none' }
  const reasons = parts.flatMap((part) => (part.kind === 'failed' ? [part.reason] : []))
  if (reasons.length === 0) return { kind: 'applied', hash: status.hash }
  return { kind: 'failed', hash: status.hash, reason: reasons.join('; ').slice(0, offerLimits.reasonChars) }
}

/** As it is reported. */
export function statusMessage(status: OfferStatus): ConnectionSettingsStatus {
  switch (status.kind) {
    case 'none':
      return create(ConnectionSettingsStatusSchema, { status: ConnectionSettingsStatuses.ConnectionSettingsStatuses_UNSET })
    case 'applying':
      return create(ConnectionSettingsStatusSchema, {
        lastConnectionSettingsHash: fromHex(status.hash),
        status: ConnectionSettingsStatuses.ConnectionSettingsStatuses_APPLYING,
      })
    case 'applied':
      return create(ConnectionSettingsStatusSchema, {
        lastConnectionSettingsHash: fromHex(status.hash),
        status: ConnectionSettingsStatuses.ConnectionSettingsStatuses_APPLIED,
      })
    case 'failed':
      return create(ConnectionSettingsStatusSchema, {
        lastConnectionSettingsHash: fromHex(status.hash),
        status: ConnectionSettingsStatuses.ConnectionSettingsStatuses_FAILED,
        errorMessage: status.reason,
      })
    default:
      return status satisfies never
  }
}
