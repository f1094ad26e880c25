/** Compares connection settings. Pure. */
import { createHash } from 'node:crypto'
import type { ConnectionSettings, TlsSettings } from '../client.ts'

/** Whether a connection by `a` proves `b`: they differ in nothing but the heartbeat interval. */
export function isSameConnection(a: ConnectionSettings, b: ConnectionSettings): boolean {
  return canonical(a) === canonical(b)
}

/** Tells whether settings are still the same without keeping them. Hex. */
export function fingerprint(settings: ConnectionSettings): string {
  return createHash('sha256')
    .update(`${settings.heartbeatIntervalSeconds} ${canonical(settings)}`)
    .digest('hex')
}

/** Every field of TlsSettings once, so that a new one cannot be forgotten. */
const tlsFields: Readonly<Record<keyof TlsSettings, true>> = {
  ca: true,
  includeSystemCa: true,
  cert: true,
  key: true,
  insecureSkipVerify: true,
  serverName: true,
  minVersion: true,
  maxVersion: true,
  cipherSuites: true,
}

function canonical({ endpoint, headers, tls, proxy }: ConnectionSettings): string {
  const tlsValues = Object.keys(tlsFields).map((field) => meaning(tls[field as keyof TlsSettings])) // as: keys of a total Record
  return JSON.stringify([endpoint, headers, tlsValues, proxy.kind, ...(proxy.kind === 'url' ? [proxy.url, proxy.connectHeaders] : [])])
}

/** `false` and an empty list say the same as nothing. */
function meaning(value: TlsSettings[keyof TlsSettings]): unknown {
  return value === false || value === undefined || (typeof value === 'object' && value.length === 0) ? null : value
}
