/** Who may connect: what can be refused unheard, and then what the handler says. Never fails open. */
import type { Clock } from './clock.ts'
import type { Admission, ConnectRequest, OpampHandler } from './handler.ts'
import type { ServerLimits } from './limits.ts'
import type { CauseLog, RefusalCause, ServerObserver } from './log.ts'
import { sourceOf } from './source-address.ts'
import { isSlow, withinTime } from './time-limit.ts'
import type { TimerWheel } from './timer-wheel.ts'
import { TokenBucket } from './token-bucket.ts'

export interface AdmissionTools {
  readonly handler: OpampHandler
  readonly limits: ServerLimits
  readonly clock: Clock
  readonly wheel: TimerWheel
  readonly observer: ServerObserver
  readonly connections: () => number
  readonly log: CauseLog
  readonly retryAfterSeconds: () => number
}

/** Sources with failures that are kept apart; beyond that the oldest are forgiven. */
const maxSources = 10_000

export class AdmissionControl {
  readonly #tools: AdmissionTools
  readonly #failures = new Map<string, TokenBucket>()
  #pending = 0
  #draining = false

  constructor(tools: AdmissionTools) {
    this.#tools = tools
  }

  /** From now on everybody is told to come back later. */
  drain(): void {
    this.#draining = true
  }

  admit(request: ConnectRequest): Admission | Promise<Admission> {
    const early = this.#refuseUnheard(request)
    if (early !== undefined) return early
    const { handler, limits, wheel } = this.#tools
    try {
      const admission = handler.authenticate(request)
      if (!(admission instanceof Promise)) return this.#noted(admission, request)
      this.#pending += 1
      return withinTime(admission, limits.handlerMs, wheel)
        .finally(() => (this.#pending -= 1))
        .then((late) => (this.#draining ? this.#later('draining', request) : this.#noted(late, request)))
        .catch((error: unknown) => this.#failed(error, request))
    } catch (error) {
      return this.#failed(error, request)
    }
  }

  #refuseUnheard(request: ConnectRequest): Admission | undefined {
    const { limits, clock } = this.#tools
    if (this.#draining) return this.#later('draining', request)
    // Agents are not browsers. A page that a person opened must not speak to us in that person's network.
    if (request.headers['origin'] !== undefined)
      return this.#reject('browser-origin', request, { kind: 'reject', status: 403, message: 'requests from web pages are not accepted' })
    if (this.#tools.connections() >= limits.maxConnections || this.#pending >= limits.maxPendingAdmissions) return this.#later('overload', request)
    const failures = this.#failures.get(sourceOf(request.remoteAddress))
    if (failures?.isEmpty(clock.monotonic()))
      return this.#reject('source-rate', request, {
        kind: 'reject',
        status: 429,
        message: 'too many failed attempts',
        retryAfterSeconds: this.#tools.retryAfterSeconds(),
      })
    return undefined
  }

  #noted(admission: Admission, request: ConnectRequest): Admission {
    if (admission.kind === 'accept') return admission
    if (admission.status === 401 || admission.status === 403) this.#countFailure(request)
    return this.#reject('authentication', request, admission)
  }

  #failed(error: unknown, request: ConnectRequest): Admission {
    this.#tools.log('handler-failed', 'error', 'authenticate failed', { error: error instanceof Error ? error.message : 'unknown' })
    return this.#later(isSlow(error) ? 'slow' : 'handler-failed', request)
  }

  #later(cause: RefusalCause, request: ConnectRequest): Admission {
    return this.#reject(cause, request, { kind: 'reject', status: 503, message: 'try again later', retryAfterSeconds: this.#tools.retryAfterSeconds() })
  }

  #reject(cause: RefusalCause, request: ConnectRequest, admission: Admission & { kind: 'reject' }): Admission {
    this.#tools.observer.refused?.(cause)
    this.#tools.log(cause, 'warn', 'A connection was refused', { transport: request.transport, remoteAddress: request.remoteAddress, status: admission.status })
    return admission
  }

  #countFailure(request: ConnectRequest): void {
    const { limits, clock } = this.#tools
    const source = sourceOf(request.remoteAddress)
    const nowMs = clock.monotonic()
    let failures = this.#failures.get(source)
    if (failures === undefined) {
      failures = new TokenBucket({ perSecond: limits.failedConnectsPerSecond, burst: limits.failedConnectsPerSecond }, nowMs)
      this.#failures.set(source, failures)
      if (this.#failures.size > maxSources) for (const oldest of this.#failures.keys()) return void this.#failures.delete(oldest)
    }
    failures.take(1, nowMs)
  }
}
