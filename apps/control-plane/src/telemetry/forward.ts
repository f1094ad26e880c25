/** Copies what agents sent to one more backend, as it came: a short queue in memory, and what does not fit or is not taken is dropped and counted. */
import type { Logger } from 'pino'
import { contentTypes } from './otlp/answers.ts'
import type { Encoding, OtlpSignal } from './otlp/answers.ts'

/** One POST. Rejects when there was no answer. */
export type Post = (request: {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly signal: AbortSignal
}) => Promise<{ readonly status: number }>

export interface ForwardOptions {
  /** As OTLP exporters have it: `/v1/metrics` and so on is added. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly post: Post
  readonly count: (outcome: 'sent' | 'dropped' | 'refused') => void
  readonly log: Pick<Logger, 'warn'>
  readonly maxBytes?: number
  /** After each failure twice as long, up to a minute. */
  readonly firstRetryMs?: number
}

export interface Forward extends AsyncDisposable {
  /** Never waits. The body must not change afterwards. */
  push(signal: OtlpSignal, body: Uint8Array, encoding: Encoding): void
}

interface Waiting {
  readonly signal: OtlpSignal
  readonly body: Uint8Array
  readonly encoding: Encoding
}

const MAX_BYTES = 16 * 1024 * 1024
const FIRST_RETRY_MS = 1_000
const LONGEST_RETRY_MS = 60_000
/** By OTLP, these alone are worth another try. */
const retryable: ReadonlySet<number> = new Set([429, 502, 503, 504])

export function createForward(options: ForwardOptions): Forward {
  const { maxBytes = MAX_BYTES, firstRetryMs = FIRST_RETRY_MS, count, log } = options
  const base = options.url.replace(/\/+$/, '')
  const queue: Waiting[] = []
  const stopped = new AbortController()
  let bytes = 0
  let running: Promise<void> | undefined
  let isFailing = false

  function push(signal: OtlpSignal, body: Uint8Array, encoding: Encoding): void {
    if (stopped.signal.aborted || bytes + body.length > maxBytes) return count('dropped')
    bytes += body.length
    queue.push({ signal, body, encoding })
    running ??= drain().finally(() => {
      running = undefined
    })
  }

  async function drain(): Promise<void> {
    for (let next = queue[0]; next !== undefined && !stopped.signal.aborted; next = queue[0]) {
      count(await deliver(next))
      queue.shift()
      bytes -= next.body.length
    }
  }

  async function deliver(waiting: Waiting): Promise<'sent' | 'dropped' | 'refused'> {
    for (let delayMs = firstRetryMs; ; delayMs = Math.min(LONGEST_RETRY_MS, delayMs * 2)) {
      const outcome = await attempt(waiting)
      if (outcome !== 'retry') return outcome
      await pause(delayMs, stopped.signal)
      if (stopped.signal.aborted) return 'dropped'
    }
  }

  async function attempt({ signal, body, encoding }: Waiting): Promise<'sent' | 'refused' | 'retry'> {
    let status = 0
    try {
      const headers = { ...options.headers, 'content-type': contentTypes[encoding] }
      ;({ status } = await options.post({ url: `${base}/v1/${signal}`, headers, body, signal: stopped.signal }))
    } catch (error) {
      tell({ err: error })
      return 'retry'
    }
    if (status >= 200 && status < 300) {
      isFailing = false
      return 'sent'
    }
    tell({ status })
    return retryable.has(status) ? 'retry' : 'refused'
  }

  /** Once, until it works again. */
  function tell(fields: Record<string, unknown>): void {
    if (!isFailing && !stopped.signal.aborted) log.warn(fields, 'own telemetry could not be copied to the other backend')
    isFailing = true
  }

  return {
    push,
    async [Symbol.asyncDispose]() {
      stopped.abort()
      await running
    },
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms)
    function done(): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    signal.addEventListener('abort', done)
  })
}
