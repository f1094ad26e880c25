/** Access: sessions of people, API tokens of programs, enrolment tokens of agents. */
import { z } from 'zod'
import { PageQuery, Timestamp, pageOf } from '../common.ts'
import { defineRoute } from '../route.ts'

const TokenName = z.string().trim().min(1, 'give the token a name').max(63)
const ExpiresIn = z
  .number()
  .int()
  .min(60)
  .max(10 * 365 * 86_400)
const IdParams = z.object({ id: z.string().max(64) })

export const EnrolmentToken = z
  .object({
    id: z.string(),
    name: z.string(),
    createdAt: Timestamp,
    createdBy: z.string(),
    expiresAt: Timestamp.nullable(),
    revokedAt: Timestamp.nullable(),
    lastUsedAt: Timestamp.nullable(),
    state: z.enum(['active', 'expired', 'revoked']),
    connectedAgents: z.number().int(),
  })
  .meta({ id: 'EnrolmentToken' })
export type EnrolmentToken = z.output<typeof EnrolmentToken>

export const ApiToken = z
  .object({
    id: z.string(),
    name: z.string(),
    access: z.enum(['read', 'write']),
    createdAt: Timestamp,
    createdBy: z.string(),
    expiresAt: Timestamp.nullable(),
    revokedAt: Timestamp.nullable(),
    lastUsedAt: Timestamp.nullable(),
    state: z.enum(['active', 'expired', 'revoked']),
  })
  .meta({ id: 'ApiToken' })
export type ApiToken = z.output<typeof ApiToken>

export const Session = z
  .object({
    name: z.string(),
    access: z.enum(['read', 'write']),
    expiresAt: Timestamp,
    /** Send it as `x-csrf-token` with every change. */ csrfToken: z.string(),
  })
  .meta({ id: 'Session' })
export type Session = z.output<typeof Session>

export const accessRoutes = {
  createSession: defineRoute({
    id: 'createSession',
    method: 'POST',
    path: '/session',
    tag: 'access',
    access: 'public',
    summary: 'Sign in with the code of a one-time link; sets the session cookie',
    body: z.object({ code: z.string().max(128) }),
    status: 201,
    response: Session,
  }),
  getSession: defineRoute({ id: 'getSession', method: 'GET', path: '/session', tag: 'access', access: 'read', summary: 'Who is signed in', response: Session }),
  deleteSession: defineRoute({ id: 'deleteSession', method: 'DELETE', path: '/session', tag: 'access', access: 'read', summary: 'Sign out', status: 204 }),
  createSignInLink: defineRoute({
    id: 'createSignInLink',
    method: 'POST',
    path: '/sign-in-links',
    tag: 'access',
    access: 'write',
    summary: 'Make a one-time sign-in link for the console',
    status: 201,
    response: z.object({ url: z.string(), expiresAt: Timestamp }),
  }),

  listEnrolmentTokens: defineRoute({
    id: 'listEnrolmentTokens',
    method: 'GET',
    path: '/enrolment-tokens',
    tag: 'access',
    access: 'read',
    summary: 'List enrolment tokens (never their values)',
    query: PageQuery,
    response: pageOf(EnrolmentToken),
  }),
  createEnrolmentToken: defineRoute({
    id: 'createEnrolmentToken',
    method: 'POST',
    path: '/enrolment-tokens',
    tag: 'access',
    access: 'write',
    summary: 'Create an enrolment token; its value is shown once',
    body: z.object({ name: TokenName, expiresInSeconds: ExpiresIn.nullable().default(null) }),
    status: 201,
    idempotent: true,
    response: EnrolmentToken.extend({
      token: z.string(),
      /** The URL agents connect to. */
      endpoint: z.string(),
      /** Complete files to paste: a stock supervisor's configuration, and the Collector's `opampextension` alone. */
      snippets: z.object({ supervisor: z.string(), extension: z.string() }),
    }),
  }),
  revokeEnrolmentToken: defineRoute({
    id: 'revokeEnrolmentToken',
    method: 'DELETE',
    path: '/enrolment-tokens/{id}',
    tag: 'access',
    access: 'write',
    summary: 'Revoke an enrolment token; agents that use it are disconnected',
    params: IdParams,
    status: 204,
  }),

  listApiTokens: defineRoute({
    id: 'listApiTokens',
    method: 'GET',
    path: '/api-tokens',
    tag: 'access',
    access: 'read',
    summary: 'List API tokens (never their values)',
    query: PageQuery,
    response: pageOf(ApiToken),
  }),
  createApiToken: defineRoute({
    id: 'createApiToken',
    method: 'POST',
    path: '/api-tokens',
    tag: 'access',
    access: 'write',
    summary: 'Create an API token; its value is shown once',
    body: z.object({ name: TokenName, access: z.enum(['read', 'write']).default('read'), expiresInSeconds: ExpiresIn.nullable().default(null) }),
    status: 201,
    idempotent: true,
    response: ApiToken.extend({ token: z.string() }),
  }),
  revokeApiToken: defineRoute({
    id: 'revokeApiToken',
    method: 'DELETE',
    path: '/api-tokens/{id}',
    tag: 'access',
    access: 'write',
    summary: 'Revoke an API token',
    params: IdParams,
    status: 204,
  }),
}
