/** Authorities and certificates for tests, made in memory. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { isIP } from 'node:net'
import { bitString, commonNameOf, ecdsaWithSha256, element, integer, objectIdentifier, octetString, sequence, tagged, toPem } from './der.ts'

const dayMs = 86_400_000

export interface TestCertificate {
  readonly name: string
  /** PEM. */
  readonly cert: string
  /** PEM. */
  readonly key: string
  readonly privateKey: KeyObject
}

export interface CertificateWishes {
  /** Absent: signed by its own key. */
  readonly issuer?: TestCertificate
  readonly isAuthority?: boolean
  /** DNS names and IPv4 addresses. */
  readonly hosts?: readonly string[]
  /** PEM. Absent: a new key. */
  readonly privateKey?: string
  /** From now; negative: in the past. Default: 30 days. */
  readonly expiresInDays?: number
  readonly startsInDays?: number
}

export function createAuthority(name: string): TestCertificate {
  return createCertificate(name, { isAuthority: true })
}

export function createCertificate(name: string, wishes: CertificateWishes = {}): TestCertificate {
  const privateKey = wishes.privateKey === undefined ? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey : createPrivateKey(wishes.privateKey)
  const publicKey = createPublicKey(privateKey)
  const expiresInDays = wishes.expiresInDays ?? 30
  const startsInDays = wishes.startsInDays ?? Math.min(0, expiresInDays) - 1 // also valid for a host whose clock is behind
  const body = sequence(
    tagged(0, integer(Uint8Array.of(2))),
    integer(Uint8Array.of(1, ...randomBytes(8))),
    ecdsaWithSha256,
    commonNameOf(wishes.issuer?.name ?? name),
    sequence(time(startsInDays), time(expiresInDays)),
    commonNameOf(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(3, sequence(...extensions(wishes))),
  )
  const signature = sign('sha256', body, wishes.issuer?.privateKey ?? privateKey)
  return {
    name,
    cert: toPem('CERTIFICATE', sequence(body, ecdsaWithSha256, bitString(signature))),
    key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    privateKey,
  }
}

function extensions({ isAuthority = false, hosts = [] }: CertificateWishes): readonly Uint8Array[] {
  const isTrue = element(0x01, Uint8Array.of(0xff))
  const constraints = sequence(objectIdentifier('2.5.29.19'), isTrue, octetString(sequence(...(isAuthority ? [isTrue] : []))))
  if (hosts.length === 0) return [constraints]
  return [constraints, sequence(objectIdentifier('2.5.29.17'), octetString(sequence(...hosts.map(alternativeName))))]
}

function alternativeName(host: string): Uint8Array {
  return isIP(host) === 4 ? element(0x87, Uint8Array.from(host.split('.').map(Number))) : element(0x82, new TextEncoder().encode(host))
}

/** UTCTime, good until 2049. */
function time(inDays: number): Uint8Array {
  const text = new Date(Date.now() + inDays * dayMs).toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return element(0x17, new TextEncoder().encode(text.slice(2)))
}
