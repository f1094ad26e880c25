/** Access: who may connect as an agent, call the API, or use the console. */
import { chmodSync, closeSync, existsSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs'
import type { Admission } from '@drover/server'
import type { EventLog } from '../events/event-log.ts'
import type { BindRoute } from '../http/bind-route.ts'
import type { Authenticate } from '../http/route-binder.ts'
import type { Store } from '../storage/store.ts'
import { createAgentAuthenticate, createAuthenticate, createRefusalRecorder } from './authenticate.ts'
import type { AgentRequest } from './authenticate.ts'
import { createCredentialWatch } from './credential-watch.ts'
import { bindAccessRoutes } from './routes.ts'
import type { AccessRoutesOptions } from './routes.ts'
import { createSecret } from './secrets.ts'
import { createSessionStore } from './session-store.ts'
import { createThrottle } from './throttle.ts'
import { openTokenStore } from './token-store.ts'
import type { NewToken, TokenStore } from './token-store.ts'

export interface AccessOptions extends Pick<AccessRoutesOptions, 'agentsEndpoint' | 'signInUrl' | 'secureCookie' | 'connectedByPrincipal'> {
  readonly store: Store
  readonly events: EventLog
  readonly clock: { now(): number }
  readonly log: { warn(fields: object, message: string): void }
  /** Cut the agents that came with this principal. */
  readonly disconnectPrincipal: (principal: string, why: string) => void
}

export interface Access {
  readonly authenticate: Authenticate
  readonly authenticateAgent: (request: AgentRequest) => Admission
  bindRoutes(bind: BindRoute): void
  /** First start only: an API token in a file that only its owner can read. */
  createAdminToken(path: string): Promise<void>
  /** A one-time link, e.g. to print at start. */
  createSignInUrl(createdBy: string): Promise<string>
  /** An enrolment token for agents of our own. */
  createEnrolmentToken(token: Pick<NewToken, 'name' | 'createdBy'>): Promise<{ id: string; value: string }>
  revokeEnrolmentToken(id: string): Promise<void>
  /** Every minute: cuts agents and streams whose token or session expired. Costs no store operation. */
  cutExpired(): void
  /** Now and then: writes last uses, forgets what is over. */
  prune(): Promise<void>
  /** Writes what is still in memory only. */
  flush(): Promise<void>
}

export async function createAccess(options: AccessOptions): Promise<Access> {
  const { store, events, clock, log } = options
  const watch = createCredentialWatch()
  const sessions = createSessionStore({ store, events, clock, onEnded: (id) => watch.end(id) })
  const tokens = await openTokenStore({
    store,
    events,
    clock,
    onRevoke: (tx, token) => sessions.endOfToken(tx, token.id),
    onRevoked: (token) => {
      if (token.kind === 'enrolment') options.disconnectPrincipal(token.id, 'the enrolment token was revoked')
      else watch.end(token.id)
    },
  })
  const throttle = createThrottle(clock)
  const refusals = createRefusalRecorder({
    store,
    events,
    clock,
    onError: (error) => log.warn({ err: error }, 'refusal could not be written to the event log'),
  })
  return {
    authenticate: createAuthenticate({ tokens, sessions, throttle, refusals, watch }),
    authenticateAgent: createAgentAuthenticate({ tokens, throttle, refusals }),
    bindRoutes: (bind) => bindAccessRoutes(bind, { ...options, tokens, sessions, throttle, refusals }),
    createAdminToken: (path) => createAdminToken(store, tokens, path),
    createSignInUrl: async (createdBy) => options.signInUrl((await sessions.createLink(createdBy, null)).code),
    createEnrolmentToken: async (token) => {
      const created = await store.transaction((tx) => tokens.create(tx, { ...token, kind: 'enrolment', access: null, expiresInSeconds: null }))
      return { id: created.token.id, value: created.value }
    },
    revokeEnrolmentToken: (id) => tokens.revoke('enrolment', id, 'system'),
    cutExpired: () => {
      watch.endExpired(clock.now())
      for (const token of tokens.takeExpired()) if (token.kind === 'enrolment') options.disconnectPrincipal(token.id, 'the enrolment token expired')
    },
    prune: async () => {
      await tokens.flushUses()
      await sessions.prune()
    },
    flush: () => tokens.flushUses(),
  }
}

/** The file comes first: a token that is in the store but in no file would lock everybody out, the other way round the next start repairs it. */
async function createAdminToken(store: Store, tokens: TokenStore, path: string): Promise<void> {
  if (tokens.list('api').length > 0) return
  const value = createSecret('drover_api')
  writePrivateFile(path, `${value}\n`)
  await store.transaction((tx) => tokens.create(tx, { kind: 'api', name: 'admin', access: 'write', createdBy: 'system', expiresInSeconds: null }, value))
}

function writePrivateFile(path: string, text: string): void {
  const temporary = `${path}.new`
  if (existsSync(temporary)) chmodSync(temporary, 0o600)
  const file = openSync(temporary, 'w', 0o600)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(temporary, path)
}
