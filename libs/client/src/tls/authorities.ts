/** Whom a connection trusts. */
import * as tls from 'node:tls'
import type { TlsSettings } from '../client.ts'

let system: readonly string[] | undefined

/** The host's authorities and those of NODE_EXTRA_CA_CERTS; the ones that came with the program where there are none, or where it cannot look (Node before 22.15). */
function systemAuthorities(): readonly string[] {
  system ??= readSystemAuthorities()
  return system
}

function readSystemAuthorities(): readonly string[] {
  if (typeof tls.getCACertificates !== 'function') return tls.rootCertificates
  const found = tls.getCACertificates('system')
  // On Debian each file is found four times, by its name and its hashes.
  return found.length === 0 ? tls.getCACertificates('default') : [...new Set([...found, ...tls.getCACertificates('extra')])]
}

/** PEM texts; `undefined` when Node or Bun should take their own. */
export function authoritiesFor({ ca, includeSystemCa = false, insecureSkipVerify = false }: TlsSettings): readonly string[] | undefined {
  if (ca !== undefined) return includeSystemCa ? [ca, ...systemAuthorities()] : [ca]
  if (insecureSkipVerify) return undefined // nobody is asked, so nobody needs to be read
  return systemAuthorities()
}
