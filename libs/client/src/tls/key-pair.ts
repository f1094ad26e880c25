/** Certificates and keys as texts: whether they can be read, and whether they belong together. */
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

const certificatePattern = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[\s\S]*?-----END (?:TRUSTED )?CERTIFICATE-----/g

/** The certificates of a PEM text; throws what cannot be read as a sentence. Other text around them is allowed. */
export function parseCertificates(pem: string, what: string): readonly X509Certificate[] {
  const blocks = pem.match(certificatePattern) ?? []
  if (blocks.length === 0) throw new TypeError(`${what} has no PEM certificate: it must have a block that begins with "-----BEGIN CERTIFICATE-----"`)
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block)
    } catch (cause) {
      const which = blocks.length === 1 ? '' : `, block ${index + 1} of ${blocks.length},`
      throw new TypeError(`${what}${which} is damaged: it is no readable certificate; copy it again as a whole`, { cause })
    }
  })
}

/** SubjectPublicKeyInfo; throws a sentence that shows nothing of the key. */
export function publicKeyOf(privateKeyPem: string): Uint8Array {
  if (/^-----BEGIN ENCRYPTED|^Proc-Type: 4,ENCRYPTED/m.test(privateKeyPem))
    throw new TypeError('the private key is encrypted, which is not supported: give it without a passphrase, in a file that only its owner can read')
  const key = readPrivateKey(privateKeyPem)
  if (key === undefined) throw new TypeError('the private key is damaged: it is no readable PEM key; copy it again as a whole')
  return createPublicKey(key).export({ type: 'spki', format: 'der' })
}

/** The cause is left out: texts of OpenSSL may show parts of what it read. */
function readPrivateKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem)
  } catch {
    return undefined
  }
}

/** Whether the first certificate of `certPem` is over the key. */
export function isPair(certPem: string, privateKeyPem: string): boolean {
  const [leaf] = parseCertificates(certPem, 'the client certificate')
  return leaf !== undefined && Buffer.compare(leaf.publicKey.export({ type: 'spki', format: 'der' }), publicKeyOf(privateKeyPem)) === 0
}

/** Says why the first certificate of a PEM text is not valid at `now` (ms since 1970). */
export function validityProblem(certPem: string, now: number): string | undefined {
  const [leaf] = parseCertificates(certPem, 'the client certificate')
  if (leaf === undefined) return undefined
  if (Date.parse(leaf.validTo) < now) return `the client certificate expired on ${leaf.validTo}: it must be renewed, or this machine's clock is wrong`
  if (Date.parse(leaf.validFrom) > now) return `the client certificate is valid only from ${leaf.validFrom}: wait, or set this machine's clock right`
  return undefined
}
