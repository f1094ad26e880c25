/** Seals values under the server secret: AES-256-GCM and HMAC-SHA-256 under keys that HKDF makes, one for each purpose and context. */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import type { Sealer } from '../seams.ts'
import { StoreUnusableError } from './errors.ts'

/** Of a sealed value: 1 byte format, 12 bytes nonce, 16 bytes tag, then the text. */
const FORMAT = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16
const HEAD_BYTES = 1 + NONCE_BYTES + TAG_BYTES
const KEY_BYTES = 32
/** Contexts name single secrets, so their number grows with what people make. */
const MAX_CACHED_KEYS = 1_000

export function createSealer(secret: string): Sealer {
  const keys = new Map<string, Buffer>()
  const keyFor = (purpose: 'seal' | 'mac', context: string): Buffer => {
    const info = `drover ${purpose}: ${context}`
    const known = keys.get(info)
    if (known !== undefined) return known
    const key = Buffer.from(hkdfSync('sha256', secret, '', info, KEY_BYTES))
    if (keys.size >= MAX_CACHED_KEYS) keys.clear()
    keys.set(info, key)
    return key
  }
  return {
    seal: (plain, context) => {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', keyFor('seal', context), nonce, { authTagLength: TAG_BYTES })
      const text = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
      return new Uint8Array(Buffer.concat([Buffer.of(FORMAT), nonce, cipher.getAuthTag(), text]))
    },
    open: (sealed, context) => {
      try {
        return unseal(sealed, keyFor('seal', context))
      } catch (error) {
        throw new StoreUnusableError(`what is stored as ${context} cannot be opened with this server secret: it is damaged, or was sealed under another one`, {
          cause: error,
        })
      }
    },
    mac: (text, context) => createHmac('sha256', keyFor('mac', context)).update(text).digest('hex'),
  }
}

function unseal(sealed: Uint8Array, key: Buffer): string {
  if (sealed.length < HEAD_BYTES || sealed[0] !== FORMAT) throw new Error('not a sealed value')
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, 1 + NONCE_BYTES), { authTagLength: TAG_BYTES })
  decipher.setAuthTag(sealed.subarray(1 + NONCE_BYTES, HEAD_BYTES))
  return Buffer.concat([decipher.update(sealed.subarray(HEAD_BYTES)), decipher.final()]).toString('utf8')
}
