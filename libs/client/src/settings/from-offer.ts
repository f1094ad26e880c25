/** Makes whole connection settings of an offer and the present ones, or says why the offer is not for us. Pure but for reading certificates. */
import type { OpAMPConnectionSettings, TLSCertificate, TLSConnectionSettings } from '@drover/protocol'
import type { ConnectionSettings, ProxySettings, TlsSettings, TlsVersion } from '../client.ts'
import { proxyProblem } from '../proxy/proxy-for.ts'
import { isPair, validityProblem } from '../tls/key-pair.ts'
import { tlsProblem } from '../tls/tls-options.ts'
import { parseTlsVersion } from '../tls/tls-version.ts'
import { isWeaker } from '../tls/weaker.ts'
import { offeredHeaders } from './headers.ts'
import { offerLimits } from './limits.ts'
import { Refusal } from './refusal.ts'

export interface OfferRules {
  /** Take also settings that protect less than the present ones. */
  readonly allowWeakerTls: boolean
  /** Whether what is stored outlives the process. */
  readonly isDurable: boolean
  /** PEM keys besides the present one that a certificate without key may belong to: those of pending certificate requests. */
  readonly pendingKeys: readonly string[]
  /** Ms since 1970. */
  readonly now: number
}

export type ReadOffer = { readonly candidate: ConnectionSettings } | { readonly refused: string }

/**
 * Absent headers, TLS and proxy settings stay as they are; present ones replace all former ones. An absent certificate means that none is used
 * any more. A certificate without key keeps the key that it belongs to. The CA that comes with a certificate is never trusted.
 */
export function settingsFromOffer(offer: OpAMPConnectionSettings, current: ConnectionSettings, rules: OfferRules): ReadOffer {
  try {
    const endpoint = readEndpoint(offer.destinationEndpoint)
    const candidate: ConnectionSettings = {
      endpoint: offer.destinationEndpoint,
      headers: offer.headers === undefined ? current.headers : offeredHeaders(offer.headers, 'the offered headers'),
      tls: { ...readTls(offer.tls, endpoint, current), ...readCertificate(offer.certificate, current.tls, rules) },
      proxy: readProxy(offer, current.proxy),
      heartbeatIntervalSeconds: readHeartbeat(offer.heartbeatIntervalSeconds, endpoint, current),
    }
    const problem = tlsProblem(candidate.tls) ?? proxyProblem(candidate.proxy) ?? (rules.allowWeakerTls ? undefined : isWeaker(candidate, current))
    return problem === undefined ? { candidate } : { refused: problem }
  } catch (error) {
    if (error instanceof Refusal) return { refused: error.message }
    throw error
  }
}

/**
 * The interval alone, for Agents that promise heartbeats but take no OpAMP settings. `undefined`: it stays as it is. Plain HTTP always has to
 * poll, so there an interval of 0 says nothing.
 */
export function heartbeatFromOffer(offer: OpAMPConnectionSettings, current: ConnectionSettings): number | undefined {
  const offered = offer.heartbeatIntervalSeconds
  if (offered > BigInt(offerLimits.heartbeatSeconds) || (offered === 0n && isPlainHttp(new URL(current.endpoint)))) return undefined
  return Number(offered)
}

function readEndpoint(text: string): URL {
  if (text === '') throw new Refusal('the offer has no endpoint')
  if (text.length > offerLimits.endpointChars) throw new Refusal('the offered endpoint is too long')
  const url = URL.parse(text)
  if (url === null || url.hostname === '') throw new Refusal('the offered endpoint is no URL')
  if (!/^(ws|wss|http|https):$/.test(url.protocol)) throw new Refusal('the offered endpoint has another scheme than ws, wss, http and https')
  if (url.username !== '' || url.password !== '')
    throw new Refusal('the offered endpoint has credentials in it: they belong into headers, because endpoints are shown')
  if (url.hash !== '') throw new Refusal('the offered endpoint has a fragment (#…)')
  return url
}

const isPlainHttp = ({ protocol }: URL) => protocol === 'http:' || protocol === 'https:'
const usualHeartbeatSeconds = 30

function readHeartbeat(offered: bigint, endpoint: URL, current: ConnectionSettings): number {
  if (offered > BigInt(offerLimits.heartbeatSeconds)) throw new Refusal(`the offered heartbeat interval is longer than ${offerLimits.heartbeatSeconds} seconds`)
  if (offered > 0n || !isPlainHttp(endpoint)) return Number(offered)
  return current.heartbeatIntervalSeconds > 0 ? current.heartbeatIntervalSeconds : usualHeartbeatSeconds
}

/** Without certificate and key: these are offered elsewhere. A name to verify belongs to the host for which it was set. */
function readTls(offered: TLSConnectionSettings | undefined, endpoint: URL, current: ConnectionSettings): TlsSettings {
  const { cert: _cert, key: _key, serverName, ...kept } = current.tls
  const staysAtHost = endpoint.hostname === URL.parse(current.endpoint)?.hostname
  return { ...(offered === undefined ? kept : readOfferedTls(offered)), ...(staysAtHost && serverName !== undefined && { serverName }) }
}

function readOfferedTls(offered: TLSConnectionSettings): TlsSettings {
  if (offered.caPemContents.length > offerLimits.authoritiesBytes) throw new Refusal('the offered authorities are too large')
  if (offered.cipherSuites.length > offerLimits.cipherSuites) throw new Refusal('the offer has too many cipher suites')
  const minVersion = readVersion(offered.minVersion)
  const maxVersion = readVersion(offered.maxVersion)
  return {
    ...(offered.caPemContents !== '' && { ca: offered.caPemContents }),
    ...(offered.includeSystemCaCertsPool && { includeSystemCa: true }),
    ...(offered.insecureSkipVerify && { insecureSkipVerify: true }),
    ...(minVersion !== undefined && { minVersion }),
    ...(maxVersion !== undefined && { maxVersion }),
    ...(offered.cipherSuites.length > 0 && { cipherSuites: [...offered.cipherSuites] }),
  }
}

function readVersion(text: string): TlsVersion | undefined {
  if (text === '') return undefined
  const version = parseTlsVersion(text)
  if (version === undefined) throw new Refusal('the offer names a TLS version that is not one of 1.0, 1.1, 1.2 and 1.3')
  return version
}

function readCertificate(
  offered: TLSCertificate | undefined,
  current: TlsSettings,
  { isDurable, pendingKeys, now }: OfferRules,
): Pick<TlsSettings, 'cert' | 'key'> {
  if (offered === undefined || (offered.cert.length === 0 && offered.privateKey.length === 0)) return {}
  if (offered.cert.length === 0) throw new Refusal('the offer has a private key without certificate')
  if (!isDurable) throw new Refusal('a certificate cannot be kept: nothing that is stored here outlives the process')
  if (offered.cert.length > offerLimits.certificateBytes) throw new Refusal('the offered certificate is too large')
  if (offered.privateKey.length > offerLimits.privateKeyBytes) throw new Refusal('the offered private key is too large')
  const cert = new TextDecoder().decode(offered.cert)
  try {
    const invalid = validityProblem(cert, now)
    if (invalid !== undefined) throw new Refusal(invalid)
    if (offered.privateKey.length > 0) return { cert, key: new TextDecoder().decode(offered.privateKey) }
    const key = [...pendingKeys, ...(current.key === undefined ? [] : [current.key])].find((known) => belongs(cert, known))
    if (key === undefined) throw new Refusal('the offered certificate came without key, and belongs to none that we have')
    return { cert, key }
  } catch (error) {
    if (error instanceof TypeError) throw new Refusal(error.message, { cause: error })
    throw error
  }
}

/** A key that cannot be read belongs to nothing. */
function belongs(cert: string, key: string): boolean {
  try {
    return isPair(cert, key)
  } catch {
    return false
  }
}

function readProxy({ proxy }: OpAMPConnectionSettings, current: ProxySettings): ProxySettings {
  if (proxy === undefined) return current
  if (proxy.url === '') throw new Refusal('the offered proxy has no URL')
  if (proxy.url.length > offerLimits.proxyUrlChars) throw new Refusal('the URL of the offered proxy is too long')
  const connectHeaders = proxy.connectHeaders === undefined ? [] : offeredHeaders(proxy.connectHeaders, "the offered proxy's headers")
  return { kind: 'url', url: proxy.url, connectHeaders }
}
