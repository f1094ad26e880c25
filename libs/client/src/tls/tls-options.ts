/** Turns the TLS settings of a connection into options for Node's `tls`, `https` and `ws`. */
import { isIP } from 'node:net'
import { checkServerIdentity, createSecureContext, DEFAULT_CIPHERS } from 'node:tls'
import type { ConnectionOptions, SecureContextOptions } from 'node:tls'
import type { TlsSettings } from '../client.ts'
import { authoritiesFor } from './authorities.ts'
import { cipherList, unknownCipherSuites } from './cipher-suites.ts'
import { isPair, parseCertificates } from './key-pair.ts'
import { isOlder, maxVersionOf, minVersionOf, versionName } from './tls-version.ts'

/** Settings with which no connection can be made. The message says what is wrong and what to do, and shows no secret. */
export class TlsSettingsError extends Error {
  override readonly name = 'TlsSettingsError'
}

/**
 * Only what `tls.connect` knows; to be given with each connection. Throws a TlsSettingsError when the settings cannot work. The authorities are
 * read once and shared by all connections that are made with the result.
 */
export function tlsOptions(settings: TlsSettings): ConnectionOptions {
  const problem = tlsProblem(settings)
  if (problem !== undefined) throw new TlsSettingsError(problem)
  return { ...contextOptions(secureContextOptions(settings)), ...identityOptions(settings), rejectUnauthorized: settings.insecureSkipVerify !== true }
}

/** Says why no connection can be made with these settings. */
export function tlsProblem(settings: TlsSettings): string | undefined {
  const { ca, cert, key, cipherSuites = [] } = settings
  const [min, max] = [minVersionOf(settings), maxVersionOf(settings)]
  if (isOlder(max, min))
    return `the newest TLS version allowed (${versionName(max)}) is older than the oldest one (${versionName(min)}): raise the one or lower the other`
  const [unknown] = unknownCipherSuites(cipherSuites)
  if (unknown !== undefined) return `there is no cipher suite "${unknown.slice(0, 80)}" here: use a name such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`
  if (cert === undefined && key !== undefined) return 'there is a private key but no client certificate: give both or none'
  if (cert !== undefined && key === undefined) return 'there is a client certificate but no private key: give both or none'
  try {
    if (ca !== undefined) parseCertificates(ca, 'the text with authorities to trust')
    if (cert !== undefined && key !== undefined && !isPair(cert, key))
      return 'the private key does not belong to the client certificate: give the key that the certificate was made for'
  } catch (error) {
    if (error instanceof TypeError) return error.message
    throw error
  }
  return undefined
}

function secureContextOptions(settings: TlsSettings): SecureContextOptions {
  const { cert, key, cipherSuites = [] } = settings
  const ca = authoritiesFor(settings)
  const ciphers = cipherSuites.length > 0 ? cipherList(cipherSuites) : undefined
  // OpenSSL's usual security level forbids versions before 1.2 altogether; who asks for them gets them.
  const isOld = isOlder(minVersionOf(settings), 'TLSv1.2')
  return {
    minVersion: minVersionOf(settings),
    maxVersion: maxVersionOf(settings),
    ...(ca !== undefined && { ca: [...ca] }),
    ...(cert !== undefined && key !== undefined && { cert, key }),
    ...(isOld ? { ciphers: `${ciphers ?? DEFAULT_CIPHERS}:@SECLEVEL=0` } : ciphers !== undefined && { ciphers }),
  }
}

/** Node reads the authorities, which takes some 15 ms, for every connection unless it is given a context. Bun knows plain options only. */
function contextOptions(options: SecureContextOptions): ConnectionOptions {
  if (process.versions['bun'] !== undefined) return options
  try {
    return { secureContext: createSecureContext(options) }
  } catch (cause) {
    throw new TlsSettingsError('the TLS settings cannot be used: OpenSSL takes the certificate, key or cipher suites not', { cause })
  }
}

/** A name to verify instead of the host is also the name that is asked for (SNI), where it is one: addresses are never asked for. */
function identityOptions({ serverName }: TlsSettings): ConnectionOptions {
  if (serverName === undefined) return {}
  if (isIP(serverName) === 0) return { servername: serverName }
  return { servername: '', checkServerIdentity: (_host, certificate) => checkServerIdentity(serverName, certificate) }
}
