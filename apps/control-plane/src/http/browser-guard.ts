/** Keeps other web sites from using a browser that is signed in here: Host, Origin and CSRF checks, and the headers that bind the browser. */
import { timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { ForbiddenError } from './errors.ts'

/** No inline script; styles may be inline because the component library sets them on elements. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

export const securityHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
}

/**
 * Against DNS rebinding: on a loopback address the name in `Host` must be one of this machine, so that a page of `evil.example`, pointed at
 * 127.0.0.1, is turned away. `publicHost` is the name under which a proxy publishes the console.
 */
export function assertOwnHost(host: string | undefined, publicHost: string | undefined): void {
  const name = hostNameOf(host)
  if (name !== undefined && (isLoopbackName(name) || name === publicHost)) return
  throw new ForbiddenError(
    `this server is not ${JSON.stringify(host ?? '')}: use its own address, or start it with --console-url when a proxy gives it another name`,
    'wrong-host',
  )
}

/** Is it an address or name that never leaves this machine? */
export function isLoopbackName(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost') || name === '[::1]' || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name)
}

export function hostNameOf(host: string | undefined): string | undefined {
  if (host === undefined || host.length > 300) return undefined
  try {
    const url = new URL(`http://${host}`)
    return url.host === host.toLowerCase() || `${url.host}:80` === host.toLowerCase() ? url.hostname : undefined
  } catch {
    return undefined
  }
}

/** A change that a browser sends must come from our own pages. `required`: the browser has to say where it comes from. */
export function assertSameOrigin(headers: IncomingHttpHeaders, publicOrigin: string | undefined, required: boolean): void {
  const site = headers['sec-fetch-site']
  if (typeof site === 'string' && site !== 'same-origin') throw foreign(`Sec-Fetch-Site is ${site}`)
  const origin = headers.origin
  if (origin !== undefined) {
    if (origin !== publicOrigin && hostOfOrigin(origin) !== headers.host?.toLowerCase()) throw foreign(`Origin is ${origin.slice(0, 200)}`)
  } else if (required && site === undefined) {
    throw foreign('the request names no Origin')
  }
}

function hostOfOrigin(origin: string): string | undefined {
  try {
    const url = new URL(origin)
    return url.protocol === 'http:' || url.protocol === 'https:' ? url.host : undefined
  } catch {
    return undefined
  }
}

function foreign(why: string): ForbiddenError {
  return new ForbiddenError(
    `changes with a session cookie are accepted only from the console's own pages (${why}); programs use an API token`,
    'foreign-origin',
  )
}

export function assertCsrfToken(sent: string | string[] | undefined, expected: string): void {
  if (typeof sent === 'string' && equalInConstantTime(sent, expected)) return
  throw new ForbiddenError('the header x-csrf-token is missing or wrong: take csrfToken from GET /api/v1/session', 'csrf')
}

export function equalInConstantTime(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}
