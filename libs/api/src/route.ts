/** A REST route as a value: the control plane binds handlers to it, CLI and console call it, OpenAPI is made from it. */
import type { z } from 'zod'

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'DELETE'

/** Who may call a route: anybody, or a signed-in person or API token that may read, or one that may also change things. */
export type RouteAccess = 'public' | 'read' | 'write'

export interface Route<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
  Response extends z.ZodType = z.ZodType,
> {
  /** Unique; becomes OpenAPI's `operationId`. */
  readonly id: string
  readonly method: HttpMethod
  /** Path below `/api/v1`, parameters as `{name}`. */
  readonly path: string
  readonly tag: 'agents' | 'configs' | 'groups' | 'rollouts' | 'secrets' | 'telemetry' | 'webhooks' | 'events' | 'access' | 'system'
  readonly summary: string
  readonly access: RouteAccess
  readonly params?: Params
  readonly query?: Query
  readonly body?: Body
  /** Absent: the answer has no body. */
  readonly response?: Response
  /** HTTP status of success; 200 unless said otherwise. */
  readonly status?: 200 | 201 | 202 | 204
  /** `If-Match` with the resource's ETag is required; 409 carries what changed since. */
  readonly ifMatch?: true
  /** An `Idempotency-Key` header makes a repeated call return the first answer (kept for 24 h). */
  readonly idempotent?: true
  /** The answer carries an `ETag` for a later `If-Match`. */
  readonly etag?: true
}

export type AnyRoute = Route<any, any, any, any> // any: a table of routes with different schemas has no common parameter

export function defineRoute<
  Params extends z.ZodType = z.ZodUndefined,
  Query extends z.ZodType = z.ZodUndefined,
  Body extends z.ZodType = z.ZodUndefined,
  Response extends z.ZodType = z.ZodUndefined,
>(route: Route<Params, Query, Body, Response>): Route<Params, Query, Body, Response> {
  return route
}

type Out<S> = S extends z.ZodType ? z.output<S> : undefined
type In<S> = S extends z.ZodType ? z.input<S> : undefined
export type ParamsOf<R> = R extends Route<infer P, any, any, any> ? Out<P> : never
export type QueryOf<R> = R extends Route<any, infer Q, any, any> ? Out<Q> : never
export type BodyOf<R> = R extends Route<any, any, infer B, any> ? Out<B> : never
export type ResponseOf<R> = R extends Route<any, any, any, infer A> ? Out<A> : never
/** What a caller passes: input types, so that defaults may be left out. */
export type CallOf<R> =
  R extends Route<infer P, infer Q, infer B, any>
    ? (P extends z.ZodUndefined ? { params?: undefined } : { params: In<P> }) &
        (Q extends z.ZodUndefined ? { query?: undefined } : { query?: In<Q> }) &
        (B extends z.ZodUndefined ? { body?: undefined } : { body: In<B> })
    : never
