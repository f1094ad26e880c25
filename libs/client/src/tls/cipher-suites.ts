/** Names of cipher suites: the standard's, which Collectors and offers use, and OpenSSL's, which Node uses. */
import { getCiphers } from 'node:tls'

/** They belong to TLS 1.3, which has no weak ones. */
const tls13Suites = ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'] as const

/** As Node takes it: `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256` is `ECDHE-RSA-AES128-GCM-SHA256`. `undefined`: there is none of that name here. */
function openSslName(name: string): string | undefined {
  const upper = name.trim().toUpperCase()
  if (!getCiphers().includes(upper.toLowerCase())) {
    const converted = fromStandardName(upper)
    return converted !== undefined && getCiphers().includes(converted.toLowerCase()) ? converted : undefined
  }
  return upper
}

function fromStandardName(name: string): string | undefined {
  const match = /^TLS_(?:(ECDHE_RSA|ECDHE_ECDSA|DHE_RSA|RSA)_WITH_)(AES_128|AES_256|CHACHA20_POLY1305)(?:_(GCM|CBC))?(?:_(SHA|SHA256|SHA384))?$/.exec(name)
  if (match === null) return undefined
  const [, exchange = '', cipher = '', mode, hash] = match
  const parts = [
    ...(exchange === 'RSA' ? [] : [exchange.replace('_', '-')]),
    cipher.startsWith('AES') ? cipher.replace('_', '') : 'CHACHA20-POLY1305',
    ...(mode === 'GCM' ? ['GCM'] : []),
    ...(hash !== undefined && cipher.startsWith('AES') ? [hash] : []),
  ]
  return parts.join('-')
}

/** Names that stand for no suite of this program's TLS. */
export function unknownCipherSuites(names: readonly string[]): readonly string[] {
  return names.filter((name) => openSslName(name) === undefined)
}

/**
 * Node's list for the suites of that names. As in Collectors the list does not concern TLS 1.3, unless it names a suite of TLS 1.3: a list
 * of older suites would otherwise forbid the newest version.
 */
export function cipherList(names: readonly string[]): string {
  const list = names.flatMap((name) => openSslName(name) ?? [])
  return [...(list.some((name) => name.startsWith('TLS_')) ? [] : tls13Suites), ...list].join(':')
}

/** The same suites by names that can be compared. */
export function comparableCipherSuites(names: readonly string[]): ReadonlySet<string> {
  return new Set(cipherList(names).split(':'))
}
