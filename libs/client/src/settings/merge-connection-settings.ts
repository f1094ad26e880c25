/** What holds after an offer: its settings for own telemetry and other connections, laid over those that held before. Pure. */
import { create } from '@bufbuild/protobuf'
import {
  type ConnectionSettingsOffers,
  ConnectionSettingsOffersSchema,
  type OtherConnectionSettings,
  OtherConnectionSettingsSchema,
  type TelemetryConnectionSettings,
  TelemetryConnectionSettingsSchema,
} from '@drover/protocol'
import { offerLimits } from './limits.ts'

type Held = Pick<ConnectionSettingsOffers, 'ownMetrics' | 'ownTraces' | 'ownLogs' | 'otherConnections'>

/** What an offer leaves out stays as it is. Throws a TypeError when more destinations would have to be remembered than are. */
export function mergeConnectionSettings(held: Held, offer: Held): ConnectionSettingsOffers {
  const otherConnections: Record<string, OtherConnectionSettings> = Object.assign(Object.create(null), held.otherConnections)
  for (const [name, settings] of Object.entries(offer.otherConnections)) otherConnections[name] = mergeOther(otherConnections[name], settings)
  if (Object.keys(otherConnections).length > offerLimits.otherConnections)
    throw new TypeError(`more than ${offerLimits.otherConnections} other connections were offered`)
  const ownMetrics = mergeTelemetry(held.ownMetrics, offer.ownMetrics)
  const ownTraces = mergeTelemetry(held.ownTraces, offer.ownTraces)
  const ownLogs = mergeTelemetry(held.ownLogs, offer.ownLogs)
  return create(ConnectionSettingsOffersSchema, {
    ...(ownMetrics !== undefined && { ownMetrics }),
    ...(ownTraces !== undefined && { ownTraces }),
    ...(ownLogs !== undefined && { ownLogs }),
    otherConnections,
  })
}

/** Absent TLS and proxy settings stay, as do absent headers, of which nothing is specified; an absent certificate means that none is used any more. */
function mergeTelemetry(
  held: TelemetryConnectionSettings | undefined,
  offer: TelemetryConnectionSettings | undefined,
): TelemetryConnectionSettings | undefined {
  if (offer === undefined) return held
  const { destinationEndpoint, certificate } = offer
  const [headers, tls, proxy] = [offer.headers ?? held?.headers, offer.tls ?? held?.tls, offer.proxy ?? held?.proxy]
  return create(TelemetryConnectionSettingsSchema, {
    destinationEndpoint,
    ...(headers !== undefined && { headers }),
    ...(certificate !== undefined && { certificate }),
    ...(tls !== undefined && { tls }),
    ...(proxy !== undefined && { proxy }),
  })
}

/** Whatever is unset or empty stays: these offers are partial, so that nothing can be taken back by them. */
function mergeOther(held: OtherConnectionSettings | undefined, offer: OtherConnectionSettings): OtherConnectionSettings {
  const headers = offer.headers ?? held?.headers
  const certificate = offer.certificate ?? held?.certificate
  const tls = offer.tls ?? held?.tls
  const proxy = offer.proxy ?? held?.proxy
  return create(OtherConnectionSettingsSchema, {
    destinationEndpoint: offer.destinationEndpoint === '' ? (held?.destinationEndpoint ?? '') : offer.destinationEndpoint,
    otherSettings: Object.keys(offer.otherSettings).length === 0 ? (held?.otherSettings ?? {}) : offer.otherSettings,
    ...(headers !== undefined && { headers }),
    ...(certificate !== undefined && { certificate }),
    ...(tls !== undefined && { tls }),
    ...(proxy !== undefined && { proxy }),
  })
}
