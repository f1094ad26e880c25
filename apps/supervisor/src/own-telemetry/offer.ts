/** Own-telemetry settings: taken from offers, and kept on disk in the protocol's own form. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import {
  type ConnectionSettingsOffers,
  ConnectionSettingsOffersSchema,
  HeaderSchema,
  HeadersSchema,
  type TelemetryConnectionSettings,
  TelemetryConnectionSettingsSchema,
  TLSCertificateSchema,
  TLSConnectionSettingsSchema,
} from '@drover/protocol'
import type { OwnTelemetry, TelemetryDestination } from './settings.ts'

export type Signal = keyof OwnTelemetry

export type OwnTelemetryOffer = Partial<Pick<ConnectionSettingsOffers, 'ownMetrics' | 'ownLogs' | 'ownTraces'>>

const fields = { metrics: 'ownMetrics', logs: 'ownLogs', traces: 'ownTraces' } as const satisfies Record<Signal, keyof OwnTelemetryOffer>
const signals = Object.keys(fields) as Signal[] // as: the keys of the literal above

/** The offer cannot be used as it is. The message is for the Server. */
export class OwnTelemetryError extends Error {
  override readonly name = 'OwnTelemetryError'
}

/**
 * What is to be, after an offer: a signal that is left out stays as it is, one without an endpoint is switched off. Signals that are not in
 * `reported` were not promised to the Server and stay as they are, too. Throws when a part cannot be honoured.
 */
export function takeOwnTelemetry(present: OwnTelemetry | undefined, offer: OwnTelemetryOffer, reported: ReadonlySet<Signal>): OwnTelemetry | undefined {
  const next: { -readonly [Name in Signal]?: TelemetryDestination } = { ...present }
  for (const signal of signals) {
    const offered = offer[fields[signal]]
    if (offered === undefined || !reported.has(signal)) continue
    if (offered.destinationEndpoint === '') delete next[signal]
    else next[signal] = destination(offered, signal, present?.[signal])
  }
  return Object.keys(next).length === 0 ? undefined : next
}

function destination(offered: TelemetryConnectionSettings, signal: Signal, present: TelemetryDestination | undefined): TelemetryDestination {
  const endpoint = URL.parse(offered.destinationEndpoint)
  if (endpoint === null || (endpoint.protocol !== 'http:' && endpoint.protocol !== 'https:')) {
    throw new OwnTelemetryError(`the endpoint for own ${signal} is no http or https URL`)
  }
  if (offered.proxy !== undefined && offered.proxy.url !== '') throw new OwnTelemetryError(`own ${signal} cannot be sent through a proxy`)
  const tls = tlsOf(offered, signal, present)
  return {
    endpoint: offered.destinationEndpoint,
    headers: (offered.headers?.headers ?? []).map(({ key, value }) => [key, value] as const),
    ...(Object.keys(tls).length === 0 ? {} : { tls }),
  }
}

/** TLS settings that are left out stay as they are; a client certificate that is left out is no longer used. */
function tlsOf(
  { tls, certificate }: TelemetryConnectionSettings,
  signal: Signal,
  present: TelemetryDestination | undefined,
): NonNullable<TelemetryDestination['tls']> {
  if (tls !== undefined && (tls.cipherSuites.length > 0 || tls.maxVersion !== '' || !['', '1.2', 'TLSv1.2'].includes(tls.minVersion))) {
    throw new OwnTelemetryError(`TLS versions and cipher suites for own ${signal} cannot be chosen: 1.2 and newer are used`)
  }
  if (tls?.includeSystemCaCertsPool === true && tls.caPemContents !== '') {
    throw new OwnTelemetryError(`for own ${signal} either the given authorities or the system's can be trusted, not both`)
  }
  const trust =
    tls === undefined
      ? kept(present)
      : { ...(tls.caPemContents === '' ? {} : { ca: tls.caPemContents }), ...(tls.insecureSkipVerify ? { insecureSkipVerify: true } : {}) }
  if (certificate === undefined || certificate.cert.length === 0) return trust
  if (certificate.privateKey.length === 0) throw new OwnTelemetryError(`the certificate for own ${signal} has no private key`)
  const decoder = new TextDecoder()
  return { ...trust, cert: decoder.decode(certificate.cert), key: decoder.decode(certificate.privateKey) }
}

function kept(present: TelemetryDestination | undefined): NonNullable<TelemetryDestination['tls']> {
  const { ca, insecureSkipVerify } = present?.tls ?? {}
  return { ...(ca === undefined ? {} : { ca }), ...(insecureSkipVerify === true ? { insecureSkipVerify } : {}) }
}

/** With all signals, as they are to be: a reader that takes a missing one for "off", as the stock supervisor does, reads the same. */
export function encodeOwnTelemetry(ownTelemetry: OwnTelemetry | undefined): Uint8Array {
  const encoder = new TextEncoder()
  const message = create(ConnectionSettingsOffersSchema)
  for (const signal of signals) {
    const { endpoint, headers, tls } = ownTelemetry?.[signal] ?? { endpoint: '', headers: [] }
    message[fields[signal]] = create(TelemetryConnectionSettingsSchema, {
      destinationEndpoint: endpoint,
      ...(headers.length === 0 ? {} : { headers: create(HeadersSchema, { headers: headers.map(([key, value]) => create(HeaderSchema, { key, value })) }) }),
      ...(tls?.cert === undefined || tls.key === undefined
        ? {}
        : { certificate: create(TLSCertificateSchema, { cert: encoder.encode(tls.cert), privateKey: encoder.encode(tls.key) }) }),
      ...(tls?.ca === undefined && tls?.insecureSkipVerify !== true
        ? {}
        : { tls: create(TLSConnectionSettingsSchema, { caPemContents: tls.ca ?? '', insecureSkipVerify: tls.insecureSkipVerify === true }) }),
    })
  }
  return toBinary(ConnectionSettingsOffersSchema, message)
}

/** Throws when the bytes are no such message, or have what `takeOwnTelemetry` refuses. */
export function decodeOwnTelemetry(encoded: Uint8Array, reported: ReadonlySet<Signal>): OwnTelemetry | undefined {
  return takeOwnTelemetry(undefined, fromBinary(ConnectionSettingsOffersSchema, encoded), reported)
}
