/** One OTLP/HTTP request. */
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { TelemetryDestination } from './settings.ts'

/** `retry`: the same again later may help. The reason names no secret. */
export type SendOutcome = { readonly kind: 'sent' } | { readonly kind: 'retry' | 'refused'; readonly reason: string }

export type Send = (destination: TelemetryDestination, body: Uint8Array, signal: AbortSignal) => Promise<SendOutcome>

const timeoutMs = 10_000
/** What a receiver says in its answer is of no interest. */
const maxAnswerBytes = 64 * 1024
const retryStatuses: ReadonlySet<number> = new Set([408, 429, 502, 503, 504])

/** Never rejects. */
export const sendOtlp: Send = (destination, body, signal) => {
  const { promise, resolve } = Promise.withResolvers<SendOutcome>()
  const fail = (error: NodeJS.ErrnoException): void => resolve({ kind: 'retry', reason: error.code ?? error.name })
  try {
    const request = start(destination, body, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]))
    request.on('error', fail)
    request.on('response', (response) => {
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > maxAnswerBytes) response.destroy()
      })
      response.on('error', () => undefined)
      response.on('close', () => resolve(outcomeOf(response.statusCode ?? 0)))
    })
    request.end(body)
  } catch (error) {
    resolve({ kind: 'refused', reason: (error as NodeJS.ErrnoException).code ?? 'the settings cannot be used' }) // as: what node:http throws
  }
  return promise
}

function start({ endpoint, headers, tls }: TelemetryDestination, body: Uint8Array, signal: AbortSignal) {
  const url = new URL(endpoint)
  const all: Record<string, string | string[]> = {}
  for (const [name, value] of headers) {
    const before = all[name]
    all[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value]
  }
  const options = {
    method: 'POST',
    signal,
    agent: false as const,
    headers: { ...all, 'content-type': 'application/x-protobuf', 'content-length': body.length },
  }
  if (url.protocol !== 'https:') return requestHttp(url, options)
  const { ca, cert, key, insecureSkipVerify } = tls ?? {}
  return requestHttps(url, {
    ...options,
    minVersion: 'TLSv1.2',
    rejectUnauthorized: insecureSkipVerify !== true,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  })
}

function outcomeOf(status: number): SendOutcome {
  if (status >= 200 && status < 300) return { kind: 'sent' }
  return { kind: retryStatuses.has(status) ? 'retry' : 'refused', reason: `HTTP status ${status}` }
}
