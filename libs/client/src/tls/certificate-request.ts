/** Makes a key and asks for a certificate over it. */
import { generateKeyPairSync, sign } from 'node:crypto'
import { bitString, commonNameOf, ecdsaWithSha256, integer, sequence, tagged, toPem } from './der.ts'

export interface CertificateRequest {
  /** PEM, signed by the key: what a Server gets. */
  readonly csr: Uint8Array
  /** PEM. Never leaves the host: keep it until the certificate comes. */
  readonly privateKey: string
}

/** A new P-256 key each time. Servers may bind the certificate to the common name, so the instance uid is a good one. */
export function createCertificateRequest(commonName: string): CertificateRequest {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const info = sequence(integer(Uint8Array.of(0)), commonNameOf(commonName), publicKey.export({ type: 'spki', format: 'der' }), tagged(0))
  const signature = sign('sha256', info, privateKey)
  const csr = toPem('CERTIFICATE REQUEST', sequence(info, ecdsaWithSha256, bitString(signature)))
  return { csr: new TextEncoder().encode(csr), privateKey: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) }
}
