/** Signing in and out, and the tokens of programs and agents. */
import { accessRoutes } from '@drover/api'
import type { AnyRoute, Session } from '@drover/api'
import type { BindRoute, Call, Caller } from '../http/bind-route.ts'
import { InvalidInputError, NotFoundError, ThrottledError, UnauthenticatedError } from '../http/errors.ts'
import type { Store } from '../storage/store.ts'
import { SESSION_COOKIE, cookieValue } from './authenticate.ts'
import type { RefusalRecorder } from './authenticate.ts'
import { csrfTokenOf } from './secrets.ts'
import type { PersonSession, SessionStore } from './session-store.ts'
import { extensionSnippet, supervisorSnippet } from './snippets.ts'
import type { Throttle } from './throttle.ts'
import { toApiToken, toEnrolmentToken, toIso } from './token-store.ts'
import type { Token, TokenKind, TokenStore } from './token-store.ts'

export interface AccessRoutesOptions {
  readonly store: Store
  readonly tokens: TokenStore
  readonly sessions: SessionStore
  readonly throttle: Throttle
  readonly refusals: RefusalRecorder
  /** Where agents connect, e.g. `ws://127.0.0.1:4320/v1/opamp`. */
  readonly agentsEndpoint: () => string
  readonly signInUrl: (code: string) => string
  /** The console is reached over TLS, so the cookie may insist on it. */
  readonly secureCookie: boolean
  readonly connectedByPrincipal: () => ReadonlyMap<string, number>
}

export function bindAccessRoutes(bind: BindRoute, options: AccessRoutesOptions): void {
  bindSessionRoutes(bind, options)
  bindEnrolmentRoutes(bind, options)
  bindApiTokenRoutes(bind, options)
}

function bindSessionRoutes(bind: BindRoute, { sessions, throttle, refusals, signInUrl, secureCookie }: AccessRoutesOptions): void {
  bind(accessRoutes.createSession, async ({ body, remoteAddress }) => {
    try {
      const { value, session } = await sessions.signIn(body.code.trim())
      return { data: toSession(session, value), headers: { 'set-cookie': sessionCookie(value, session.expiresAt, secureCookie) } }
    } catch (error) {
      if (!(error instanceof UnauthenticatedError)) throw error
      refusals.record(remoteAddress, 'the sign-in link is not valid')
      const waitSeconds = throttle.wrong(remoteAddress)
      throw waitSeconds === undefined
        ? error
        : new ThrottledError('too many wrong sign-in codes came from this address: wait, then use a new link', waitSeconds)
    }
  })

  bind(accessRoutes.getSession, async (call) => {
    const value = cookieValue(call.header('cookie'), SESSION_COOKIE)
    const session = call.caller.kind === 'session' && value !== undefined ? await sessions.find(value) : undefined
    if (session === undefined || value === undefined) throw new NotFoundError('session of', call.caller.name)
    return { data: toSession(session, value) }
  })

  bind(accessRoutes.deleteSession, async (call) => {
    const value = cookieValue(call.header('cookie'), SESSION_COOKIE)
    if (call.caller.kind === 'session' && value !== undefined) await sessions.end(value)
    return { data: undefined, headers: { 'set-cookie': sessionCookie('', 0, secureCookie) } }
  })

  bind(accessRoutes.createSignInLink, async (call) => {
    const { code, expiresAt } = await sessions.createLink(call.caller.name, await tokenBehind(sessions, call))
    return { data: { url: signInUrl(code), expiresAt: toIso(expiresAt) } }
  })
}

/** The API token that a call goes back to: its own, or the one that let this person in. */
async function tokenBehind(sessions: SessionStore, { caller, header }: Pick<Call<AnyRoute>, 'caller' | 'header'>): Promise<string | null> {
  if (caller.kind === 'token') return caller.id
  const value = cookieValue(header('cookie'), SESSION_COOKIE)
  return (value === undefined ? undefined : await sessions.find(value))?.tokenId ?? null
}

function bindEnrolmentRoutes(bind: BindRoute, { store, tokens, agentsEndpoint, connectedByPrincipal }: AccessRoutesOptions): void {
  bind(accessRoutes.listEnrolmentTokens, ({ query }) => {
    const connected = connectedByPrincipal()
    return { data: pageOfTokens(tokens.list('enrolment'), query, (token) => toEnrolmentToken(token, tokens.stateOf(token), connected.get(token.id) ?? 0)) }
  })
  bind(accessRoutes.createEnrolmentToken, (call) =>
    store.transaction(async (tx) => {
      const { token, value } = await tokens.create(tx, {
        kind: 'enrolment',
        name: call.body.name,
        access: null,
        createdBy: call.caller.name,
        expiresInSeconds: call.body.expiresInSeconds,
      })
      const endpoint = agentsEndpoint()
      const input = { endpoint, token: value, name: token.name }
      const snippets = { supervisor: supervisorSnippet(input), extension: extensionSnippet(input) }
      return call.answer(tx, { data: { ...toEnrolmentToken(token, 'active', 0), token: value, endpoint, snippets } })
    }),
  )
  bind(accessRoutes.revokeEnrolmentToken, (call) => revoke(tokens, 'enrolment', call))
}

function bindApiTokenRoutes(bind: BindRoute, { store, tokens }: AccessRoutesOptions): void {
  bind(accessRoutes.listApiTokens, ({ query }) => ({ data: pageOfTokens(tokens.list('api'), query, (token) => toApiToken(token, tokens.stateOf(token))) }))
  bind(accessRoutes.createApiToken, (call) =>
    store.transaction(async (tx) => {
      const { name, access, expiresInSeconds } = call.body
      const { token, value } = await tokens.create(tx, { kind: 'api', name, access, createdBy: call.caller.name, expiresInSeconds })
      return call.answer(tx, { data: { ...toApiToken(token, 'active'), token: value } })
    }),
  )
  bind(accessRoutes.revokeApiToken, (call) => revoke(tokens, 'api', call))
}

async function revoke(tokens: TokenStore, kind: TokenKind, { params, caller }: { params: { id: string }; caller: Caller }): Promise<{ data: undefined }> {
  await tokens.revoke(kind, params.id, caller.name)
  return { data: undefined }
}

/** Newest first; the cursor is the id of the last one shown. */
function pageOfTokens<T>(
  tokens: readonly Token[],
  query: { cursor?: string | undefined; limit: number },
  show: (token: Token) => T,
): { items: T[]; nextCursor: string | null; total: number } {
  const start = query.cursor === undefined ? 0 : tokens.findIndex((token) => token.id === query.cursor) + 1
  if (query.cursor !== undefined && start === 0)
    throw new InvalidInputError('this page does not exist any more: begin again without cursor', [{ field: 'query.cursor', message: 'is not known' }])
  const page = tokens.slice(start, start + query.limit)
  return { items: page.map(show), nextCursor: start + page.length < tokens.length ? (page.at(-1)?.id ?? null) : null, total: tokens.length }
}

function toSession(session: PersonSession, value: string): Session {
  return { name: session.name, access: session.access, expiresAt: toIso(session.expiresAt), csrfToken: csrfTokenOf(value) }
}

function sessionCookie(value: string, expiresAt: number, secure: boolean): string {
  return `${SESSION_COOKIE}=${value}; Path=/; HttpOnly; SameSite=Strict; Expires=${new Date(expiresAt).toUTCString()}${secure ? '; Secure' : ''}`
}
