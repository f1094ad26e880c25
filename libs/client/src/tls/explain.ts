/** Says in a sentence why a connection could not be made, and what to do. */
import type { TlsSettings } from '../client.ts'

interface Target {
  readonly endpoint: string
  readonly tls: TlsSettings
}

type Explanation = (target: { readonly host: string; readonly expected: string }, error: Problem) => string

/** What Node's errors carry, as far as it is looked at. */
interface Problem {
  readonly code: string
  readonly message: string
  readonly cert?: { readonly subjectaltname?: unknown }
}

const unknownAuthority: Explanation = ({ host }) =>
  `the certificate of ${host} is signed by an authority that is not trusted: add that authority to the trusted ones (\`ca\`), or give the Server a certificate of a known one`

/** By Node's code; OpenSSL's are ERR_SSL_ with OpenSSL's own words, which change between versions, so patterns. */
const explanations: readonly (readonly [pattern: RegExp, explanation: Explanation])[] = [
  [/^CERT_HAS_EXPIRED$/, ({ host }) => `the certificate of ${host} expired: renew it on the Server, or set this machine's clock right`],
  [/^CERT_NOT_YET_VALID$/, ({ host }) => `the certificate of ${host} is not valid yet: set this machine's clock right`],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    ({ host, expected }, { cert }) =>
      `the certificate of ${host} is for ${quoted(cert?.subjectaltname) || 'another name'} and not for ${expected}: connect by a name that it has, or set the name to verify (\`serverName\`)`,
  ],
  [
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|INVALID_CA|CERT_UNTRUSTED)$/,
    unknownAuthority,
  ],
  [
    /^CERT_SIGNATURE_FAILURE$/,
    ({ host }) =>
      `the certificate of ${host} is not signed by the authority that it names: somebody may be in between, or the trusted authority was made anew under its old name`,
  ],
  [/^CERT_REVOKED$/, ({ host }) => `the certificate of ${host} is revoked: give the Server a new one`],
  [
    /WRONG_VERSION_NUMBER$|PACKET_LENGTH_TOO_LONG$|HTTP_REQUEST$/,
    ({ host }) => `${host} does not speak TLS: use the port for TLS, or ws:// or http:// where that is meant`,
  ],
  [
    /ALERT_PROTOCOL_VERSION$|UNSUPPORTED_PROTOCOL$|NO_PROTOCOLS_AVAILABLE$/,
    ({ host }) => `${host} speaks no TLS version that is allowed here: allow one that it has, or update the Server`,
  ],
  [/CERTIFICATE_REQUIRED$/, ({ host }) => `${host} asks for a client certificate and there is none: enrol the agent or set a certificate and key`],
  [/ALERT_UNKNOWN_CA$/, ({ host }) => `${host} does not trust the authority of our client certificate: get a certificate from an authority that it trusts`],
  [/ALERT_CERTIFICATE_EXPIRED$/, ({ host }) => `${host} says that our client certificate expired: renew it, or set the clocks right`],
  [/ALERT_CERTIFICATE_REVOKED$/, ({ host }) => `${host} says that our client certificate is revoked: enrol the agent anew`],
  [
    /ALERT_(BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_UNKNOWN|ACCESS_DENIED|DECRYPT_ERROR)$/,
    ({ host }) => `${host} refuses our client certificate: see the Server's log, or get a new one`,
  ],
  [
    /ALERT_HANDSHAKE_FAILURE$|NO_SHARED_CIPHER$/,
    ({ host }) => `${host} and we have no cipher suite in common, or it asks for a client certificate that there is not`,
  ],
  [/^ECONNREFUSED$/, ({ host }) => `nothing accepts connections at ${host}: is the Server running, and is the port right?`],
  [/^ENOTFOUND$/, ({ host }) => `the name of ${host} is not known: check the endpoint and this machine's DNS`],
  [/^EAI_AGAIN$/, ({ host }) => `the name of ${host} could not be looked up: DNS does not answer`],
  [/^(ETIMEDOUT|ERR_SOCKET_CONNECTION_TIMEOUT)$/, ({ host }) => `${host} does not answer: check the network and firewalls`],
  [/^(EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL)$/, ({ host }) => `there is no way to ${host} in the network`],
  [/^(ECONNRESET|EPIPE)$/, ({ host }) => `${host} closed the connection: is the port right, and does the Server take connections of this kind?`],
]

/** Never shows header values, keys or credentials; text of the peer is shortened and quoted. */
export function explainConnectError(error: unknown, { endpoint, tls }: Target): string {
  const host = URL.canParse(endpoint) ? new URL(endpoint).host : 'the endpoint'
  const expected = tls.serverName ?? (URL.canParse(endpoint) ? new URL(endpoint).hostname : host)
  for (const problem of problems(error)) {
    const explanation = explanations.find(([pattern]) => pattern.test(problem.code))?.[1]
    if (explanation !== undefined) return explanation({ host, expected }, problem)
  }
  const [first] = problems(error)
  return first === undefined ? `the connection to ${host} failed` : `the connection to ${host} failed: ${plain(first.message, 200) || first.code}`
}

/** The error, what it consists of (one for each address that was tried), and what caused it. */
function problems(error: unknown, depth = 0): readonly Problem[] {
  if (!(error instanceof Error) || depth > 4) return []
  const { code, errors, cert } = error as Error & { code?: unknown; errors?: unknown } & Pick<Problem, 'cert'> // as: what Node adds to its errors
  const own: Problem = { code: typeof code === 'string' ? reasonOf(code, error.message) : '', message: error.message, ...(cert !== undefined && { cert }) }
  const parts: readonly unknown[] = Array.isArray(errors) ? errors : []
  return [own, ...parts.slice(0, 8).flatMap((part) => problems(part, depth + 1)), ...problems(error.cause, depth + 1)]
}

/** OpenSSL's alerts come as EPROTO, with the reason only in the text: `…:SSL routines:function:reason:file:…`. */
function reasonOf(code: string, message: string): string {
  const [, reason] = code === 'EPROTO' ? (/:SSL routines:[^:]*:([^:]+):/.exec(message) ?? []) : []
  return reason === undefined ? code : `ERR_SSL_${reason.toUpperCase().replaceAll(' ', '_')}`
}

const quoted = (text: unknown) => (typeof text === 'string' && text !== '' ? `"${plain(text, 200)}"` : '')

/** In one line, shortened. */
function plain(text: string, maxLength: number): string {
  const line = text.replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]+/gu, ' ').trim()
  return line.length > maxLength ? `${line.slice(0, maxLength)}…` : line
}
