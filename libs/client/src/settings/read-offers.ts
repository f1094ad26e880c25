/** Splits a message with connection settings into what the client tries itself and what it hands on. Pure but for reading certificates. */
import { type ConnectionSettingsOffers, toHex } from '@drover/protocol'
import type { ConnectionSettings } from '../client.ts'
import { type OfferRules, type ReadOffer, settingsFromOffer } from './from-offer.ts'
import type { SettingsOffer } from './machine.ts'

export type OtherOffers = Pick<ConnectionSettingsOffers, 'ownMetrics' | 'ownTraces' | 'ownLogs' | 'otherConnections'>

export interface OffersContext extends OfferRules {
  readonly current: ConnectionSettings
  /** Says why settings that could be tried must not be. */
  readonly refuse: (candidate: ConnectionSettings, current: ConnectionSettings) => string | undefined
  readonly isRetry: boolean
}

/** `offers`: only what the Agent has the capabilities for. */
export function readOffers(offers: ConnectionSettingsOffers, context: OffersContext): { readonly offer: SettingsOffer; readonly rest: OtherOffers } {
  const { hash, opamp, ownMetrics, ownTraces, ownLogs, otherConnections } = offers
  const hasRest = ownMetrics !== undefined || ownTraces !== undefined || ownLogs !== undefined || Object.keys(otherConnections).length > 0
  const read = opamp === undefined ? undefined : checked(settingsFromOffer(opamp, context.current, context), context)
  return {
    offer: { hash: toHex(hash), ...(read !== undefined && { opamp: read }), hasRest, isRetry: context.isRetry },
    rest: {
      otherConnections,
      ...(ownMetrics !== undefined && { ownMetrics }),
      ...(ownTraces !== undefined && { ownTraces }),
      ...(ownLogs !== undefined && { ownLogs }),
    },
  }
}

function checked(read: ReadOffer, { current, refuse }: OffersContext): ReadOffer {
  if ('refused' in read) return read
  const refused = refuse(read.candidate, current)
  return refused === undefined ? read : { refused }
}
