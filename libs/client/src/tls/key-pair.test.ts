import { execFileSync } from 'node:child_process'
import { verify, X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createCertificateRequest } from './certificate-request.ts'
import { isPair, parseCertificates, publicKeyOf, validityProblem } from './key-pair.ts'
import { createAuthority, createCertificate } from './test-certificates.ts'

const authority = createAuthority('authority')
const agent = createCertificate('agent', { issuer: authority })
const hasOpenSsl = (() => {
  try {
    execFileSync('openssl', ['version'])
    return true
  } catch {
    return false
  }
})()

describe('a certificate request', () => {
  const { csr, privateKey } = createCertificateRequest('0192d3a4-0000-7000-8000-000000000001')
  const der = Buffer.from(new TextDecoder().decode(csr).replaceAll(/-----.*-----|\n/g, ''), 'base64')

  it('is PEM, signed by a key of its own that is not in it [CSR-04] [CSR-06]', () => {
    expect(new TextDecoder().decode(csr)).toMatch(/^-----BEGIN CERTIFICATE REQUEST-----\n[A-Za-z0-9+/=\n]+\n-----END CERTIFICATE REQUEST-----\n$/)
    // SEQUENCE, then the part that is signed: a SEQUENCE with its length in the fourth and fifth byte.
    const signed = der.subarray(3, 3 + 3 + (der[5] ?? 0))
    const signature = der.subarray(der.indexOf(Buffer.from('2a8648ce3d040302', 'hex')) + 8 + 3)
    expect(verify('sha256', signed, privateKey, signature)).toBe(true)
    const secret = Buffer.from(privateKey.replaceAll(/-----.*-----|\n/g, ''), 'base64').subarray(36, 68)
    expect(der.includes(secret)).toBe(false)
  })

  it('carries the name that it was made for [CSR-17]', () => {
    expect(der.includes('0192d3a4-0000-7000-8000-000000000001')).toBe(true)
  })

  it('has another key each time [CSR-16]', () => {
    expect(createCertificateRequest('a').privateKey).not.toBe(createCertificateRequest('a').privateKey)
  })

  it.skipIf(!hasOpenSsl)('is what OpenSSL takes for one', () => {
    const output = execFileSync('openssl', ['req', '-verify', '-noout', '-subject'], { input: csr, stdio: ['pipe', 'pipe', 'pipe'] })
    expect(output.toString()).toContain('0192d3a4-0000-7000-8000-000000000001')
  })
})

describe('certificates and keys', () => {
  it('are read one by one, with other text around them', () => {
    expect(parseCertificates(`text\n${agent.cert}\nmore\n${authority.cert}`, 'it')).toHaveLength(2)
    expect(() => parseCertificates('', 'the text')).toThrow('the text has no PEM certificate')
    expect(() => parseCertificates(`${agent.cert}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----`, 'the text')).toThrow('block 2 of 2')
  })

  it('belong together or not', () => {
    expect(isPair(agent.cert, agent.key)).toBe(true)
    expect(isPair(`${agent.cert}${authority.cert}`, agent.key)).toBe(true)
    expect(isPair(agent.cert, authority.key)).toBe(false)
    expect(Buffer.compare(publicKeyOf(agent.key), new X509Certificate(agent.cert).publicKey.export({ type: 'spki', format: 'der' }))).toBe(0)
  })

  it('are valid for a time', () => {
    expect(validityProblem(agent.cert, Date.now())).toBeUndefined()
    expect(validityProblem(agent.cert, Date.now() + 40 * 86_400_000)).toContain('expired on')
    expect(validityProblem(agent.cert, Date.now() - 40 * 86_400_000)).toContain('valid only from')
  })
})
