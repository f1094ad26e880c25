/** Asks again and again whether a program is well: by a command, over HTTP, or not at all. */
import { get as httpGet } from 'node:http'
import { get as httpsGet } from 'node:https'
import { create } from '@bufbuild/protobuf'
import { ComponentHealthSchema } from '@drover/protocol'
import type { ComponentHealth } from '@drover/protocol'
import type { Clock } from '@drover/server'
import type { ProcessAgentSettings } from '../../config/supervisor-config.ts'
import { failureText } from '../../process/plain-text.ts'
import type { CommandResult } from '../../process/run-command.ts'
import { startReason } from '../end-reason.ts'

export interface HealthCheckOptions {
  readonly settings: ProcessAgentSettings['health']
  readonly clock: Clock
  readonly run: (command: readonly string[], timeoutMs: number, signal: AbortSignal) => Promise<CommandResult>
  /** The first answer, and each that differs from the one before. */
  readonly onHealth: (health: ComponentHealth) => void
}

const maxTimeoutMs = 10_000
/** A program that has just been started is asked more often until it is well. */
const startingIntervalMs = 250
const maxReasonChars = 500

export class HealthCheck {
  readonly #options: HealthCheckOptions
  #stop: AbortController | undefined
  #startTimeUnixNano = 0n

  constructor(options: HealthCheckOptions) {
    this.#options = options
  }

  /** `startedAt`: of the process, in ms since 1970. What was being asked before no longer counts. */
  start(startedAt: number): void {
    this.stop()
    this.#startTimeUnixNano = nanoseconds(startedAt)
    const { settings } = this.#options
    const { signal } = (this.#stop = new AbortController())
    // Never before the caller has returned: what is said is of what was started.
    setImmediate(() => {
      if (signal.aborted) return
      if (settings === undefined) this.#say('')
      else void this.#watch(settings, signal)
    })
  }

  stop(): void {
    this.#stop?.abort()
    this.#stop = undefined
  }

  async #watch(settings: NonNullable<ProcessAgentSettings['health']>, signal: AbortSignal): Promise<void> {
    let last: string | undefined
    let wasWell = false
    while (!signal.aborted) {
      const problem = await this.#ask(settings, signal)
      if (signal.aborted) return
      if (problem !== last) this.#say(problem)
      last = problem
      wasWell ||= problem === ''
      await this.#wait(wasWell ? settings.intervalMs : Math.min(settings.intervalMs, startingIntervalMs), signal)
    }
  }

  /** Empty: it is well. */
  async #ask(settings: NonNullable<ProcessAgentSettings['health']>, signal: AbortSignal): Promise<string> {
    const timeoutMs = Math.min(Math.max(settings.intervalMs, 1_000), maxTimeoutMs)
    try {
      return settings.kind === 'http' ? await askHttp(settings.url, timeoutMs, signal) : await this.#askCommand(settings.command, timeoutMs, signal)
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  async #askCommand(command: readonly string[], timeoutMs: number, signal: AbortSignal): Promise<string> {
    const result = await this.#options.run(command, timeoutMs, signal).catch((error: unknown) => {
      throw new Error(startReason(command[0] ?? '', error), { cause: error })
    })
    if (result.outcome === 'timeout') return `the health command took longer than ${timeoutMs / 1000} s`
    if (result.exitCode === 0) return ''
    const said = failureText(result.output, maxReasonChars)
    return `the health command ended with exit code ${result.exitCode}${said === '' ? '' : `: ${said}`}`
  }

  async #wait(delayMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = clock.setTimeout(resolve, delayMs)
    const onAbort = () => resolve()
    signal.addEventListener('abort', onAbort, { once: true })
    await promise
    clock.clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }

  #say(problem: string): void {
    const health = create(ComponentHealthSchema, {
      healthy: problem === '',
      lastError: problem,
      status: problem === '' ? 'running' : 'unhealthy',
      startTimeUnixNano: this.#startTimeUnixNano,
      statusTimeUnixNano: nanoseconds(this.#options.clock.now()),
    })
    this.#options.onHealth(health)
  }
}

function askHttp(url: string, timeoutMs: number, signal: AbortSignal): Promise<string> {
  const limit = AbortSignal.timeout(timeoutMs)
  const { promise, resolve } = Promise.withResolvers<string>()
  const request = (url.startsWith('https:') ? httpsGet : httpGet)(url, { signal: AbortSignal.any([signal, limit]), agent: false }, (response) => {
    const { statusCode = 0 } = response
    // What it says is of no interest, and may be without end.
    response.destroy()
    resolve(statusCode < 400 ? '' : `the health check was answered with status ${statusCode}`)
  })
  request.on('error', (error) =>
    resolve(limit.aborted ? `the health check was not answered within ${timeoutMs / 1000} s` : `the health check failed: ${error.message}`),
  )
  return promise
}

function nanoseconds(ms: number): bigint {
  return BigInt(Math.round(ms)) * 1_000_000n
}
