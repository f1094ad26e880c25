/** What a handler of a REST route gets and gives; `route-binder.ts` binds it. */
import type { AnyRoute, BodyOf, ParamsOf, QueryOf, ResponseOf } from '@drover/api'
import type { ServerResponse } from 'node:http'
import type { Tx } from '../storage/store.ts'

/** Who calls: a person's session or an API token. */
export interface Caller {
  readonly kind: 'session' | 'token'
  /** Goes into events as actor and into versions as author. */
  readonly name: string
  readonly access: 'read' | 'write'
  /** Stable per credential, never its value. */
  readonly id: string
}

export interface Call<R extends AnyRoute> {
  readonly params: ParamsOf<R>
  readonly query: QueryOf<R>
  readonly body: BodyOf<R>
  /** Absent only on public routes. */
  readonly caller: Caller
  /** The caller's `If-Match`; give it to `requireMatch` inside the transaction. Always there on routes that ask for it. */
  readonly ifMatch: string
  /** Aborts when the caller goes away. */
  readonly signal: AbortSignal
  readonly requestId: string
  /** IP address the call comes from. */
  readonly remoteAddress: string
  header(name: string): string | undefined
  /**
   * On routes with `idempotent`: keeps the answer together with what the transaction did, for a repeated call. Return its result.
   * Without an `Idempotency-Key` it only returns the answer.
   */
  answer(tx: Tx, answer: Answer<R>): Promise<Answer<R>>
}

export interface Answer<R extends AnyRoute> {
  readonly data: ResponseOf<R>
  /** Without quotes; see `etag` of the route. */
  readonly etag?: string
  /** E.g. `set-cookie`. */
  readonly headers?: Readonly<Record<string, string>>
}

export type Handler<R extends AnyRoute> = (call: Call<R>) => Promise<Answer<R>> | Answer<R>

/** Binds a route of `@drover/api`: checks access, parameters and body, calls the handler, maps errors to problems. */
export type BindRoute = <R extends AnyRoute>(route: R, handler: Handler<R>) => void

/** Writes a whole response by itself, until the call's signal aborts: the caller went away, or the server stops. */
export type Stream = (response: ServerResponse) => Promise<void>

/** Binds a GET route whose answer is a stream. What the handler throws is answered as a problem; after that the stream has the response. */
export type BindStream = <R extends AnyRoute>(route: R, handler: (call: Call<R>) => Stream) => void
