/** Versions of TLS, in order and by the names that people give them. */
import type { TlsSettings, TlsVersion } from '../client.ts'

const order: readonly TlsVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']

/** What is spoken at least when nothing is said. */
export const defaultMinVersion: TlsVersion = 'TLSv1.2'
const newestVersion: TlsVersion = 'TLSv1.3'

export const minVersionOf = ({ minVersion = defaultMinVersion }: TlsSettings): TlsVersion => minVersion
export const maxVersionOf = ({ maxVersion = newestVersion }: TlsSettings): TlsVersion => maxVersion

export const isOlder = (version: TlsVersion, than: TlsVersion): boolean => order.indexOf(version) < order.indexOf(than)

/** `1.2`, `TLSv1.2`, `TLS1.2` and `TLS 1.2` are the same. `undefined`: there is no such version. */
export function parseTlsVersion(text: string): TlsVersion | undefined {
  const [, digit] = /^(?:tls\s?v?)?1(?:\.([0-3]))?$/i.exec(text.trim()) ?? [undefined, 'none']
  return digit === 'none' ? undefined : order[Number(digit ?? 0)]
}

/** `TLS 1.2`. */
export const versionName = (version: TlsVersion): string => (version === 'TLSv1' ? 'TLS 1.0' : version.replace('v', ' '))
