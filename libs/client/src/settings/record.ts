/** What is stored of connection settings: as JSON, with a version. Pure. */
import type { ConnectionSettings, ProxySettings, TlsSettings, TlsVersion } from '../client.ts'
import type { Candidate } from './candidate.ts'
import type { OfferStatus } from './offer-status.ts'

/** Names in the store. The first two hold secrets. */
export const settingsNames = { valid: 'connection-settings', candidate: 'connection-settings-candidate', status: 'connection-settings-status' } as const

/** `configured`: fingerprint of the settings that were configured by hand at the time; once others are, the record is out of date. */
export interface StoredSettings {
  readonly candidate: Candidate
  readonly configured: string
}

export type SettledStatus = Extract<OfferStatus, { kind: 'applied' | 'failed' }>

const version = 1

export function encodeSettings({ candidate, configured }: StoredSettings): Uint8Array {
  return encode({ version, configured, ...candidate })
}

export function encodeStatus(status: SettledStatus): Uint8Array {
  return encode({ version, ...status })
}

/** `undefined` for anything but what `encodeSettings` of this version makes: damaged, or of a newer program. */
export function decodeSettings(bytes: Uint8Array): StoredSettings | undefined {
  const record = decode(bytes)
  if (record === undefined) return undefined
  const { hash, configured, hasRest } = record
  const settings = readSettings(record['settings'])
  if (!isHex(hash) || typeof configured !== 'string' || typeof hasRest !== 'boolean' || settings === undefined) return undefined
  return { candidate: { hash, settings, hasRest }, configured }
}

export function decodeStatus(bytes: Uint8Array): SettledStatus | undefined {
  const record = decode(bytes)
  if (record === undefined) return undefined
  const { kind, hash, reason } = record
  if (!isHex(hash)) return undefined
  if (kind === 'applied') return { kind, hash }
  return kind === 'failed' && typeof reason === 'string' ? { kind, hash, reason } : undefined
}

type Json = { readonly [key: string]: unknown }

const encode = (record: Json) => new TextEncoder().encode(JSON.stringify(record))

function decode(bytes: Uint8Array): Json | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return isObject(value) && value['version'] === version ? value : undefined
  } catch {
    return undefined
  }
}

function readSettings(value: unknown): ConnectionSettings | undefined {
  if (!isObject(value)) return undefined
  const { endpoint, headers, heartbeatIntervalSeconds } = value
  const [tls, proxy] = [readTls(value['tls']), readProxy(value['proxy'])]
  if (typeof endpoint !== 'string' || !URL.canParse(endpoint) || !isHeaderList(headers) || tls === undefined || proxy === undefined) return undefined
  return Number.isSafeInteger(heartbeatIntervalSeconds)
    ? { endpoint, headers, tls, proxy, heartbeatIntervalSeconds: Number(heartbeatIntervalSeconds) }
    : undefined
}

const tlsReaders: Readonly<Record<keyof TlsSettings, (value: unknown) => boolean>> = {
  ca: isText,
  includeSystemCa: isBoolean,
  cert: isText,
  key: isText,
  insecureSkipVerify: isBoolean,
  serverName: isText,
  minVersion: isVersion,
  maxVersion: isVersion,
  cipherSuites: (value) => Array.isArray(value) && value.every(isText),
}

/** Not one unknown or wrong field is passed over: a lost one might make the connection weaker. */
function readTls(value: unknown): TlsSettings | undefined {
  if (!isObject(value)) return undefined
  const isRight = Object.entries(value).every(([name, field]) => Object.hasOwn(tlsReaders, name) && tlsReaders[name as keyof TlsSettings](field)) // as: an own key
  return isRight ? (value as TlsSettings) : undefined // as: every field was looked at
}

function readProxy(value: unknown): ProxySettings | undefined {
  if (!isObject(value)) return undefined
  const { kind, url, connectHeaders } = value
  if (kind === 'environment' || kind === 'none') return { kind }
  return kind === 'url' && isText(url) && isHeaderList(connectHeaders) ? { kind, url, connectHeaders } : undefined
}

function isHeaderList(value: unknown): value is readonly (readonly [name: string, value: string])[] {
  return Array.isArray(value) && value.every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every(isText))
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean'
}

function isHex(value: unknown): value is string {
  return isText(value) && /^([0-9a-f]{2})*$/.test(value)
}

function isVersion(value: unknown): value is TlsVersion {
  return isText(value) && /^TLSv1(\.[123])?$/.test(value)
}
