/** Follows a stream of server-sent events, and connects again when it breaks. */
import { ApiError, ApiUnreachableError, Problem } from '@drover/api'
import type { Connection } from '../connection.ts'

export interface StreamOptions {
  readonly connection: Connection
  readonly signal: AbortSignal
  /** Called once each time the connection is lost. */
  readonly onLost: (reason: string) => void
  readonly onBack: () => void
  /** Ends early when the signal is aborted. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>
}

const firstRetryMs = 500
const longestRetryMs = 10_000

/**
 * The `data` of each message. `pathOf` is asked at each connection, so that one can begin where the last one ended. Ends when the signal
 * is aborted; throws what trying again cannot put right, e.g. a revoked token.
 */
export async function* followStream(options: StreamOptions, pathOf: () => string): AsyncGenerator<string> {
  let retryMs = firstRetryMs
  let isLost = false
  while (!options.signal.aborted) {
    try {
      for await (const message of connectOnce(options, pathOf())) {
        if (isLost) options.onBack()
        isLost = false
        retryMs = firstRetryMs
        if (message !== undefined) yield message
      }
      throw new ApiUnreachableError('the server ended the stream', { retryable: true })
    } catch (error) {
      if (options.signal.aborted) return
      if (!isTransient(error)) throw error
      if (!isLost) options.onLost(error instanceof Error ? error.message : String(error))
      isLost = true
      await (options.wait ?? waitFor)(retryMs, options.signal)
      retryMs = Math.min(retryMs * 2, longestRetryMs)
    }
  }
}

function isTransient(error: unknown): boolean {
  if (error instanceof ApiError) return error.problem.status >= 500 || error.problem.status === 429
  if (error instanceof ApiUnreachableError) return error.retryable
  // What fetch throws while reading a body that breaks off.
  return error instanceof TypeError
}

/** One connection: undefined when the server accepted, then its messages. */
async function* connectOnce({ connection, signal }: StreamOptions, path: string): AsyncGenerator<string | undefined> {
  const response = await request(connection.url + path, { headers: { ...connection.headers(), accept: 'text/event-stream' }, signal }, connection.url)
  if (!response.ok || response.body === null) throw await refusal(response)
  yield undefined
  yield* readMessages(response.body)
}

async function request(url: string, init: RequestInit, server: string): Promise<Response> {
  try {
    return await fetch(url, init)
  } catch (cause) {
    throw new ApiUnreachableError(`cannot reach ${server}`, { cause, retryable: true })
  }
}

async function refusal(response: Response): Promise<Error> {
  const problem = Problem.safeParse(await response.json().catch(() => undefined))
  return problem.success
    ? new ApiError(problem.data)
    : new ApiUnreachableError(`the answer (HTTP ${response.status}) is not from a Drover server`, { retryable: response.status >= 500 })
}

/** Comments keep the connection alive and are dropped. */
async function* readMessages(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = ''
  let data: string[] = []
  const decoder = new TextDecoder()
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines.map((text) => text.replace(/\r$/, ''))) {
      if (line === '' && data.length > 0) {
        yield data.join('\n')
        data = []
      }
      if (line.startsWith('data:')) data.push(line.slice(5).trimStart())
    }
  }
}

function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })
}
