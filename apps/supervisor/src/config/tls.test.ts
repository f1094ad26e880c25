/** TLS keys, with certificates that OpenSSL makes. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { load, said } from './test-host.ts'
import type { TestMachine } from './test-host.ts'

let folder: string
let files: Record<string, string>
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'drover-tls-'))
  const make = (name: string) => {
    const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)]
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${name}`, '-days', '2', '-keyout', key, '-out', cert],
      { stdio: 'pipe' },
    )
    return [readFileSync(cert, 'utf8'), readFileSync(key, 'utf8')] as const
  }
  const [ca, agent] = [make('ca'), make('agent')]
  files = {
    '/tls/ca.pem': ca[0],
    '/tls/two.pem': ca[0] + agent[0],
    '/tls/agent.pem': agent[0],
    '/tls/agent.key': agent[1],
    '/tls/other.key': ca[1],
    '/tls/nothing.pem': 'canary',
    '/tls/broken.pem': '-----BEGIN CERTIFICATE-----\ncanary\n-----END CERTIFICATE-----\n',
    '/tls/half.pem': `${ca[0]}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
    '/tls/locked.key': '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n',
  }
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const withTls = (lines: string) =>
  `server:\n  endpoint: wss://drover.example.com/v1/opamp\n  tls:\n    ${lines.replaceAll('\n', '\n    ')}\nagent: {executable: /otelcol}\ncapabilities: {accepts_remote_config: true, reports_remote_config: true}\n`
const tlsOf = (lines: string) => load(withTls(lines), { files }).config.server.tls
const saidOf = (lines: string, machine: TestMachine = { files }) => said(withTls(lines), machine)

describe('server.tls', () => {
  it('reads what its files hold', () => {
    expect(
      tlsOf(
        'ca_file: /tls/two.pem\ninclude_system_ca_certs_pool: true\ncert_file: /tls/agent.pem\nkey_file: /tls/agent.key\nserver_name_override: drover.internal',
      ),
    ).toEqual({
      ca: files['/tls/two.pem'],
      includeSystemCa: true,
      cert: files['/tls/agent.pem'],
      key: files['/tls/agent.key'],
      serverName: 'drover.internal',
    })
  })

  it('takes texts in place of files, also from the environment', () => {
    const { config } = load(withTls('ca_pem: ${env:CA}\ninsecure_skip_verify: true'), { env: { CA: files['/tls/ca.pem'] ?? '' } })
    expect(config.server.tls).toEqual({ ca: files['/tls/ca.pem'], insecureSkipVerify: true })
  })

  it('knows versions and cipher suites by the names that Go has for them', () => {
    expect(tlsOf('min_version: "1.0"\nmax_version: "1.2"\ncipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256]')).toEqual({
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.2',
      cipherSuites: ['ECDHE-RSA-AES128-GCM-SHA256', 'TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'],
    })
  })

  it.each([
    ['ca_file: /tls/none.pem', '4:5: error: server.tls.ca_file: cannot read /tls/none.pem: there is no such file'],
    ['ca_file: /tls/nothing.pem', '4:5: error: server.tls.ca_file: has no certificate in PEM'],
    ['ca_file: /tls/broken.pem', '4:5: error: server.tls.ca_file: has a certificate that cannot be read'],
    ['ca_file: /tls/half.pem', '4:5: error: server.tls.ca_file: certificate 2 of it cannot be read'],
    ['ca_pem: canary', '4:5: error: server.tls.ca_pem: has no certificate in PEM'],
    ['ca_file: /tls/ca.pem\nca_pem: x', '4:5: error: server.tls.ca_file: give either ca_file or ca_pem'],
    ['cert_file: /tls/agent.pem', '4:5: error: server.tls.cert_file: a certificate needs its private key: give key_file or key_pem as well'],
    ['key_file: /tls/agent.key', '4:5: error: server.tls.key_file: a private key needs its certificate: give cert_file or cert_pem as well'],
    ['cert_file: /tls/agent.pem\nkey_file: /tls/other.key', '5:5: error: server.tls.key_file: is not the key of the certificate'],
    ['cert_file: /tls/agent.pem\nkey_file: /tls/locked.key', '5:5: error: server.tls.key_file: is encrypted: give one without a passphrase'],
    ['cert_file: /tls/agent.pem\nkey_file: /tls/nothing.pem', '5:5: error: server.tls.key_file: has no private key in PEM'],
    ['min_version: 1.2', '4:5: error: server.tls.min_version: takes a text, and this is the number 1.2: put it in quotes'],
    ['min_version: "1.4"', '4:5: error: server.tls.min_version: takes one of 1.0, 1.1, 1.2, 1.3'],
    ['max_version: "1.1"', '4:5: error: server.tls.max_version: is older than min_version, which is 1.2'],
    ['cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]', expect.stringMatching(/^4:21: error: server\.tls\.cipher_suites\[0\]: is none of TLS_AES_128_GCM_SHA256, /)],
    ['tpm: {enabled: true}', '4:11: error: server.tls.tpm.enabled: keys in a trusted platform module are not supported: give the key with key_file'],
    [
      'reload_interval: 1h',
      '4:5: note: server.tls.reload_interval: has no effect: certificate files are read when the supervisor starts; restart it when they have changed',
    ],
    ['curve_preferences: [X25519]', '4:5: note: server.tls.curve_preferences: has no effect: the default curves are used'],
  ])('%j is remarked on', (lines, sentence) => {
    const all = saidOf(lines)
    expect(all).toEqual([sentence])
    expect(all.join('\n')).not.toContain('canary')
  })

  it('warns of a private key that everybody can read', () => {
    expect(saidOf('cert_file: /tls/agent.pem\nkey_file: /tls/agent.key', { files, mode: 0o644 })).toEqual([
      '5:5: warning: server.tls.key_file: everybody on this machine can read /tls/agent.key: chmod 600 it',
    ])
  })
})
