/** The Collector's client TLS keys, as the client's TLS settings. Files are read here, so that what is wrong with them is said at the start. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { resolve } from 'node:path'
import type { TlsSettings, TlsVersion } from '@drover/client'
import { FileProblem } from './host.ts'
import type { Host } from './host.ts'
import type { ReadKeys } from './read-keys.ts'
import { pathOf } from './read-keys.ts'
import type { Report } from './read-keys.ts'
import { isRawMap, plain } from './raw-value.ts'
import type { keys } from './keys.ts'

type Values = ReadKeys<typeof keys>['values']
type Pem = { readonly text: string; readonly key: string }

const versions: Readonly<Record<'1.0' | '1.1' | '1.2' | '1.3', TlsVersion>> = { '1.0': 'TLSv1', '1.1': 'TLSv1.1', '1.2': 'TLSv1.2', '1.3': 'TLSv1.3' }

/** Go's names for what it holds for safe, as OpenSSL calls them. */
const cipherNames: Readonly<Record<string, string>> = {
  TLS_AES_128_GCM_SHA256: 'TLS_AES_128_GCM_SHA256',
  TLS_AES_256_GCM_SHA384: 'TLS_AES_256_GCM_SHA384',
  TLS_CHACHA20_POLY1305_SHA256: 'TLS_CHACHA20_POLY1305_SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: 'ECDHE-ECDSA-AES128-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: 'ECDHE-ECDSA-AES256-SHA',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 'ECDHE-RSA-AES128-SHA',
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: 'ECDHE-RSA-AES256-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
}
/** Go does not let these be chosen: they are always there. */
const tls13Suites = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']

export function readTls(values: Values, host: Host, report: Report): TlsSettings {
  const pem = (part: 'ca' | 'cert' | 'key') => readPem(values, part, host, report)
  const [ca, cert, key] = [pem('ca'), pem('cert'), pem('key')]
  if (ca !== undefined) checkCertificates(ca, report)
  if (cert !== undefined || key !== undefined) checkPair(cert, key, values, report)
  const tpm = plain(values['server.tls.tpm'] ?? null)
  if (isRawMap(tpm) && plain(tpm['enabled'] ?? null) === true)
    report('error', pathOf('server.tls.tpm.enabled'), 'keys in a trusted platform module are not supported: give the key with key_file')
  return {
    ...(ca === undefined ? {} : { ca: ca.text }),
    ...(values['server.tls.include_system_ca_certs_pool'] ? { includeSystemCa: true } : {}),
    ...(cert === undefined ? {} : { cert: cert.text }),
    ...(key === undefined ? {} : { key: key.text }),
    ...(values['server.tls.insecure_skip_verify'] ? { insecureSkipVerify: true } : {}),
    ...(isGiven(values['server.tls.server_name_override']) ? { serverName: values['server.tls.server_name_override'] } : {}),
    ...readVersions(values, report),
    ...readCiphers(values['server.tls.cipher_suites'], report),
  }
}

const isGiven = (text: string | undefined): text is string => text !== undefined && text !== ''

function readPem(values: Values, part: 'ca' | 'cert' | 'key', host: Host, report: Report): Pem | undefined {
  const file = values[`server.tls.${part}_file`]
  const pem = values[`server.tls.${part}_pem`]
  const key = `server.tls.${part}_file`
  if (isGiven(file) && isGiven(pem)) return report('error', pathOf(key), `give either ${part}_file or ${part}_pem`)
  if (isGiven(pem)) return { text: pem, key: `server.tls.${part}_pem` }
  if (!isGiven(file)) return undefined
  const path = resolve(host.cwd, file)
  try {
    const text = host.readText(path)
    if (part === 'key') checkMode(path, host, report)
    return { text, key }
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error
    report('error', pathOf(key), error.message)
    return undefined
  }
}

function checkMode(path: string, host: Host, report: Report): void {
  const look = host.look(path)
  if (look.kind === 'file' && (look.mode & 0o004) !== 0)
    report('warning', pathOf('server.tls.key_file'), `everybody on this machine can read ${path}: chmod 600 it`)
}

/** The first certificate; says what is wrong with any of them. */
function checkCertificates({ text, key }: Pem, report: Report): X509Certificate | undefined {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0) return report('error', pathOf(key), 'has no certificate in PEM')
  const certificates = blocks.map((block, index) => {
    try {
      return new X509Certificate(block)
    } catch {
      report('error', pathOf(key), blocks.length === 1 ? 'has a certificate that cannot be read' : `certificate ${index + 1} of it cannot be read`)
      return undefined
    }
  })
  return certificates[0]
}

function checkPair(cert: Pem | undefined, key: Pem | undefined, values: Values, report: Report): void {
  const wanted = (part: 'cert' | 'key') => isGiven(values[`server.tls.${part}_file`]) || isGiven(values[`server.tls.${part}_pem`])
  if (!wanted('cert')) report('error', pathOf(key?.key ?? 'server.tls'), 'a private key needs its certificate: give cert_file or cert_pem as well')
  if (!wanted('key')) report('error', pathOf(cert?.key ?? 'server.tls'), 'a certificate needs its private key: give key_file or key_pem as well')
  const certificate = cert === undefined ? undefined : checkCertificates(cert, report)
  const privateKey = key === undefined ? undefined : readPrivateKey(key, report)
  if (key !== undefined && certificate !== undefined && privateKey !== undefined && !certificate.checkPrivateKey(privateKey))
    report('error', pathOf(key.key), 'is not the key of the certificate')
}

function readPrivateKey({ text, key }: Pem, report: Report): KeyObject | undefined {
  try {
    return createPrivateKey(text)
  } catch {
    return report('error', pathOf(key), /ENCRYPTED/.test(text) ? 'is encrypted: give one without a passphrase' : 'has no private key in PEM')
  }
}

function readVersions(values: Values, report: Report): Pick<TlsSettings, 'minVersion' | 'maxVersion'> {
  const min = values['server.tls.min_version']
  const max = values['server.tls.max_version']
  if (max !== undefined && max < (min ?? '1.2')) report('error', pathOf('server.tls.max_version'), `is older than min_version, which is ${min ?? '1.2'}`)
  return { ...(min === undefined ? {} : { minVersion: versions[min] }), ...(max === undefined ? {} : { maxVersion: versions[max] }) }
}

function readCiphers(names: readonly string[], report: Report): Pick<TlsSettings, 'cipherSuites'> {
  if (names.length === 0) return {}
  const suites = names.flatMap((name, index) => {
    const known = Object.hasOwn(cipherNames, name) ? cipherNames[name] : undefined
    if (known === undefined) report('error', pathOf('server.tls.cipher_suites', index), `is none of ${Object.keys(cipherNames).join(', ')}`)
    return known ?? []
  })
  return { cipherSuites: [...new Set([...suites, ...tls13Suites])] }
}
