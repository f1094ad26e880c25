/** Why a channel could not be opened, or ended. */

export type ChannelErrorCode =
  /** No connection: name, route, port, proxy. */
  | 'connect'
  /** TLS: the certificate of the Server, or the versions and ciphers. */
  | 'tls'
  | 'timeout'
  /** 401 or 403. */
  | 'unauthorized'
  /** 429 or 503. */
  | 'overloaded'
  /** Another HTTP status than is of use. */
  | 'status'
  /** A redirect that is not followed. */
  | 'redirect'
  /** Our message is larger than the Server takes (413, 1009). */
  | 'too-large'
  /** The Server's message is larger than we take. */
  | 'oversized'
  | 'malformed'
  /** The Server closed the WebSocket in order. */
  | 'closed'
  | 'lost'
  | 'aborted'

/** The message is for people and holds no secrets: no header values, no userinfo of a URL, nothing that the Server wrote. */
export class ChannelError extends Error {
  override readonly name = 'ChannelError'
  readonly code: ChannelErrorCode
  /** What the Server asked us to wait. */
  readonly retryAfterMs: number | undefined

  constructor(code: ChannelErrorCode, message: string, options: ErrorOptions & { readonly retryAfterMs?: number | undefined } = {}) {
    super(message, options)
    this.code = code
    this.retryAfterMs = options.retryAfterMs
  }
}

/** An error of Node's network stack as ours. `explain` knows the way that was tried. */
export function asChannelError(error: unknown, fallback: 'connect' | 'lost', explain?: (error: unknown) => string): ChannelError {
  if (error instanceof ChannelError) return error
  const code = systemCode(error)
  const text = explain?.(error) ?? describe(error)
  if (isTlsCode(code)) return new ChannelError('tls', explain === undefined ? `TLS failed: ${text}` : text, { cause: error })
  if (code === 'ETIMEDOUT') return new ChannelError('timeout', text, { cause: error })
  return new ChannelError(fallback, text, { cause: error })
}

/** The last of several attempts to one name (IPv6, IPv4) says it; an AggregateError itself says nothing. */
function describe(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return describe(error.errors.at(-1))
  if (!(error instanceof Error)) return 'the connection failed'
  return error.message === '' ? (systemCode(error) ?? 'the connection failed') : error.message
}

function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** Codes of OpenSSL's certificate verification have no common prefix. */
const verificationCodes: ReadonlySet<string> = new Set([
  'CERT_CHAIN_TOO_LONG',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REJECTED',
  'CERT_REVOKED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'EPROTO',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

function isTlsCode(code: string | undefined): boolean {
  return code !== undefined && (verificationCodes.has(code) || code.startsWith('ERR_TLS_') || code.startsWith('ERR_SSL_') || code.startsWith('ERR_OSSL_'))
}
