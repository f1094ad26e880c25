/** Who is calling: agents by enrolment token, programs by API token, people by session cookie. Anything else is turned away, and counted. */
import type { Admission } from '@drover/server'
import type { EventLog } from '../events/event-log.ts'
import { ThrottledError, UnauthenticatedError } from '../http/errors.ts'
import type { Authenticate, Identity } from '../http/route-binder.ts'
import type { Store } from '../storage/store.ts'
import type { CredentialWatch } from './credential-watch.ts'
import { csrfTokenOf } from './secrets.ts'
import type { SessionStore } from './session-store.ts'
import type { Throttle } from './throttle.ts'
import type { TokenKind, TokenRefusal, TokenStore } from './token-store.ts'

export const SESSION_COOKIE = 'drover_session'

export interface AuthenticateOptions {
  readonly tokens: TokenStore
  readonly sessions: SessionStore
  readonly throttle: Throttle
  readonly refusals: RefusalRecorder
  readonly watch: CredentialWatch
}

/** For the console listener. */
export function createAuthenticate({ tokens, sessions, throttle, refusals, watch }: AuthenticateOptions): Authenticate {
  const refuse = (remoteAddress: string, why: string): never => {
    refusals.record(remoteAddress, why)
    const waitSeconds = throttle.wrong(remoteAddress)
    if (waitSeconds !== undefined) throw new ThrottledError('too many wrong credentials came from this address: wait, then use a right one', waitSeconds)
    throw new UnauthenticatedError(`${why}: create a new one`)
  }
  return async ({ authorization, cookie, remoteAddress }): Promise<Identity | undefined> => {
    if (authorization !== undefined) {
      const value = bearerValue(authorization)
      const found = value === undefined ? 'unknown' : tokens.find('api', value)
      if (typeof found === 'string') return refuse(remoteAddress, refusalText('api', found))
      return {
        caller: { kind: 'token', name: found.name, access: found.access ?? 'read', id: found.id },
        onEnded: (ended) => watch.watch(found.id, found.expires_at, ended),
      }
    }
    const value = cookieValue(cookie, SESSION_COOKIE)
    if (value === undefined) return undefined
    const session = await sessions.find(value)
    // An old cookie is no attack: the person only has to sign in again.
    if (session === undefined) return undefined
    return {
      caller: { kind: 'session', name: session.name, access: session.access, id: session.id },
      csrfToken: csrfTokenOf(value),
      onEnded: (ended) => watch.watch(session.id, session.expiresAt, ended),
    }
  }
}

export interface AgentRequest {
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly remoteAddress: string
}

/** For the agents listener. No store read: it runs for every poll of every agent. */
export function createAgentAuthenticate({ tokens, throttle, refusals }: Omit<AuthenticateOptions, 'sessions' | 'watch'>): (request: AgentRequest) => Admission {
  const refuse = (remoteAddress: string, why: string): Admission => {
    refusals.record(remoteAddress, why)
    const retryAfterSeconds = throttle.wrong(remoteAddress)
    if (retryAfterSeconds !== undefined) return { kind: 'reject', status: 429, message: 'too many wrong credentials came from this address', retryAfterSeconds }
    return { kind: 'reject', status: 401, message: `${why}; send an enrolment token as Authorization: Bearer …` }
  }
  return ({ headers, remoteAddress }) => {
    // Agents are no browsers; a page that makes one connect here has an Origin.
    if (headers['origin'] !== undefined) return { kind: 'reject', status: 403, message: 'browsers may not connect as agents' }
    const value = bearerValue(headers['authorization'] ?? '')
    if (value === undefined) return refuse(remoteAddress, 'no enrolment token was sent')
    const found = tokens.find('enrolment', value)
    return typeof found === 'string' ? refuse(remoteAddress, refusalText('enrolment', found)) : { kind: 'accept', principal: found.id }
  }
}

function refusalText(kind: TokenKind, refusal: TokenRefusal): string {
  const what = kind === 'api' ? 'API token' : 'enrolment token'
  return refusal === 'unknown' ? `the ${what} is not known` : `the ${what} is ${refusal}`
}

export function bearerValue(authorization: string): string | undefined {
  return /^Bearer +([\w.~+/=-]{1,200})$/i.exec(authorization.trim())?.[1]
}

export function cookieValue(header: string | undefined, name: string): string | undefined {
  for (const pair of (header ?? '').split(';')) {
    const [key, value] = pair.split('=', 2)
    if (key?.trim() === name && value !== undefined) return value.trim()
  }
  return undefined
}

/** Refusals as events, but few: whoever knocks must not be able to fill the log. */
export interface RefusalRecorder {
  record(remoteAddress: string, why: string): void
}

const REFUSAL_EVENTS_PER_MINUTE = 6

export function createRefusalRecorder(options: {
  readonly store: Store
  readonly events: EventLog
  readonly clock: { now(): number }
  readonly onError: (error: unknown) => void
}): RefusalRecorder {
  let minute = 0
  let written = 0
  let left = 0
  return {
    record: (remoteAddress, why) => {
      const now = Math.floor(options.clock.now() / 60_000)
      if (now !== minute) {
        minute = now
        written = 0
      }
      if (++written > REFUSAL_EVENTS_PER_MINUTE) return void left++
      const notWritten = left
      left = 0
      const summary = `refused ${remoteAddress}: ${why}${notWritten > 0 ? ` (and ${notWritten} more since the last such entry)` : ''}`
      options.store
        .transaction((tx) =>
          options.events.append(tx, {
            kind: 'access.refused',
            actor: 'system',
            subject: remoteAddress,
            summary,
            data: { remoteAddress, reason: why, notWritten },
          }),
        )
        .catch(options.onError)
    },
  }
}
