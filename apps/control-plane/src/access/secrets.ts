/** Secret values and what is stored of them. All are 256 random bits, so a plain SHA-256 is as good as a slow hash. */
import { createHash, randomBytes } from 'node:crypto'

/** The prefix lets people and secret scanners see what a value is for. */
export type SecretKind = 'drover_agent' | 'drover_api' | 'drover_session' | 'drover_signin'

export function createSecret(kind: SecretKind): string {
  return `${kind}_${randomBytes(32).toString('base64url')}`
}

export function hashSecret(value: string): string {
  return createHash('sha256').update(value).digest('hex')
}

/** Public id of a credential; appears in lists and events. */
export function createCredentialId(prefix: 'enr' | 'api'): string {
  return `${prefix}_${randomBytes(10).toString('hex')}`
}

/** Belongs to one session: who has the cookie can compute it, a foreign page that only makes the browser send the cookie cannot. */
export function csrfTokenOf(sessionValue: string): string {
  return createHash('sha256').update(`csrf\n${sessionValue}`).digest('base64url')
}
