/** Carries out what the apply machine decides: effects one after another, and what comes of them back as events. */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { ConfigFile } from '@drover/agent-config'
import type { InstanceUid } from '@drover/protocol'
import type { Clock } from '@drover/server'
import { type AgentEvent, type ComposedConfig, ConfigRejectedError, type Rejection, type SupervisedAgent } from '../agent/agent.ts'
import type { Log } from '../log.ts'
import { encodeOwnTelemetry } from '../own-telemetry/offer.ts'
import type { OwnTelemetry } from '../own-telemetry/settings.ts'
import type { OfferedConfig } from '../state/offered-config.ts'
import { type StateFolder, storedStatuses } from '../state/state-folder.ts'
import type { ApplyEffect, ApplyEvent, ApplyState, OfferStatus, RunWhat, StateWrite, Wish } from './apply-state.ts'
import { complaintOf } from './complaint.ts'
import { nextDeadline, step } from './step.ts'

export interface ApplyDeps {
  readonly agent: SupervisedAgent
  readonly folder: StateFolder
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  readonly log: Log
  /** Complete configurations for a first start without a Server. */
  readonly fallbackPaths: readonly string[]
  readonly onStatus: (status: OfferStatus) => void
  /** What the agent cannot say itself: it is gone, or deliberately not running. */
  readonly onHealth: (healthy: boolean, message: string) => void
  /** After each step. */
  readonly onState?: (state: ApplyState) => void
}

export interface ApplyDriver {
  readonly state: ApplyState
  start(options: { readonly pending: OfferedConfig | undefined; readonly mayFallBack: boolean }): void
  offer(offer: OfferedConfig): void
  /** Settles when the agent runs with it; rejects when it could not, and runs as before. */
  setOwnTelemetry(ownTelemetry: OwnTelemetry | undefined): Promise<void>
  setInstanceUid(instanceUid: InstanceUid): void
  restartAgent(): void
  hearOfServer(reachable: boolean): void
  hearOfAgent(event: AgentEvent): void
  /** Settles when nothing is being carried out; a watch or a wait for a restart may still go on. */
  whenIdle(): Promise<void>
  /** Stops the agent. Nothing happens afterwards. */
  stop(): Promise<void>
}

export function createApplyDriver(initial: ApplyState, deps: ApplyDeps): ApplyDriver {
  return new Driver(initial, deps)
}

class Driver implements ApplyDriver {
  readonly #deps: ApplyDeps
  readonly #waiting: ApplyEffect[] = []
  readonly #answers = new Map<number, { readonly resolve: () => void; readonly reject: (error: Error) => void }>()
  #state: ApplyState
  #work: Promise<void> | undefined
  #timer: unknown
  #validation: { readonly changeId: number; readonly abort: AbortController } | undefined
  #nextRequest = 1

  constructor(initial: ApplyState, deps: ApplyDeps) {
    this.#state = initial
    this.#deps = deps
  }

  get state(): ApplyState {
    return this.#state
  }

  start(options: { readonly pending: OfferedConfig | undefined; readonly mayFallBack: boolean }): void {
    this.#hear({ kind: 'start', ...options })
  }

  offer(offer: OfferedConfig): void {
    this.#hear({ kind: 'offer', offer })
  }

  async setOwnTelemetry(ownTelemetry: OwnTelemetry | undefined): Promise<void> {
    if (this.#state.phase.kind === 'stopped') throw new Error('the supervisor is stopping')
    const request = this.#nextRequest++
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#answers.set(request, { resolve, reject })
    this.#hear({ kind: 'own-telemetry', request, ownTelemetry })
    return promise
  }

  setInstanceUid(instanceUid: InstanceUid): void {
    this.#hear({ kind: 'instance-uid', instanceUid })
  }

  restartAgent(): void {
    this.#hear({ kind: 'restart-command' })
  }

  hearOfServer(reachable: boolean): void {
    this.#hear({ kind: 'server', reachable })
  }

  hearOfAgent(event: AgentEvent): void {
    if (event.kind === 'started') this.#hear({ kind: 'agent-started' })
    else if (event.kind === 'crashed') {
      const { rejection, ranForMs } = event
      this.#hear({ kind: 'agent-crashed', crash: { rejection, ranForMs, isByItself: isByItself(event), random: this.#deps.random() } })
    } else if (event.kind === 'health') {
      this.#hear({ kind: 'agent-health', healthy: event.health.healthy, complaint: complaintOf(event.health) })
    }
  }

  async whenIdle(): Promise<void> {
    while (this.#work !== undefined) await this.#work
  }

  async stop(): Promise<void> {
    this.#hear({ kind: 'stop' })
    await this.whenIdle()
  }

  #hear(event: ApplyEvent): void {
    const { state, effects } = step(this.#state, event, this.#deps.clock.monotonic())
    this.#state = state
    for (const effect of effects) {
      if (effect.kind === 'cancel-validation') this.#cancelValidation(effect.changeId)
      else this.#waiting.push(effect)
    }
    this.#setTimer()
    this.#deps.onState?.(state)
    if (this.#work === undefined && this.#waiting.length > 0) {
      this.#work = this.#workOff().finally(() => {
        this.#work = undefined
      })
    }
  }

  #setTimer(): void {
    const { clock } = this.#deps
    clock.clearTimeout(this.#timer)
    const deadline = nextDeadline(this.#state)
    this.#timer = deadline === undefined ? undefined : clock.setTimeout(() => this.#hear({ kind: 'time' }), Math.max(0, deadline - clock.monotonic()))
  }

  async #workOff(): Promise<void> {
    for (let effect = this.#waiting.shift(); effect !== undefined; effect = this.#waiting.shift()) {
      try {
        await this.#carryOut(effect)
      } catch (error) {
        this.#deps.log('error', 'A step of applying a configuration failed', { step: effect.kind, error: messageOf(error) })
      }
    }
  }

  async #carryOut(effect: ApplyEffect): Promise<void> {
    switch (effect.kind) {
      case 'write':
        return this.#write(effect.write)
      case 'compose':
        return this.#compose(effect.changeId, effect.wish, effect.instanceUid)
      case 'validate':
        return this.#validate(effect.changeId, effect.config)
      case 'run':
        return this.#run(effect.runId, effect.what)
      case 'stop-agent':
        return this.#deps.agent.stop()
      case 'report-status':
        return this.#deps.onStatus(effect.status)
      case 'report-health':
        return this.#deps.onHealth(effect.healthy, effect.message)
      case 'answer-own-telemetry':
        return this.#answer(effect.request, effect.error)
      case 'note':
        return this.#deps.log(effect.level, effect.message, effect.fields)
      case 'cancel-validation':
        return
      default:
        return effect satisfies never
    }
  }

  async #write(write: StateWrite): Promise<void> {
    try {
      await applyWrite(this.#deps.folder, write)
    } catch (error) {
      this.#deps.log('error', 'The state could not be stored', { what: write.kind, error: messageOf(error) })
      if (write.kind === 'received' && write.offer !== undefined) this.#hear({ kind: 'not-stored', hash: write.offer.hash, message: messageOf(error) })
    }
  }

  #compose(changeId: number, wish: Wish, instanceUid: InstanceUid): void {
    try {
      const config = this.#composed(wish, instanceUid)
      this.#hear({ kind: 'composed', changeId, config })
    } catch (error) {
      this.#hear({ kind: 'compose-failed', changeId, rejection: rejectionOf(error) })
    }
  }

  #composed({ remote, ownTelemetry }: Wish, instanceUid: InstanceUid): ComposedConfig {
    const [garbled] = remote?.garbled ?? []
    if (garbled !== undefined) throw new ConfigRejectedError(`the configuration file ${JSON.stringify(garbled)} is not UTF-8 text`)
    return this.#deps.agent.compose({ remote: remote?.files, ownTelemetry, instanceUid })
  }

  async #validate(changeId: number, config: ComposedConfig): Promise<void> {
    const { phase } = this.#state
    // It was cancelled while it waited for its turn.
    if (phase.kind !== 'validating' || phase.change.id !== changeId) return
    const abort = new AbortController()
    this.#validation = { changeId, abort }
    try {
      const rejection = await this.#deps.agent.validate(config, abort.signal)
      if (!abort.signal.aborted) this.#hear({ kind: 'validated', changeId, rejection })
    } catch (error) {
      if (!abort.signal.aborted) this.#hear({ kind: 'validated', changeId, rejection: rejectionOf(error) })
    } finally {
      this.#validation = undefined
    }
  }

  #cancelValidation(changeId: number): void {
    if (this.#validation?.changeId === changeId) this.#validation.abort.abort()
  }

  async #run(runId: number, what: RunWhat): Promise<void> {
    const { agent } = this.#state
    // Something else is to be run by now, and comes next.
    if (agent.kind !== 'starting' || agent.runId !== runId) return
    try {
      const config = await this.#configOf(what)
      await (what.kind === 'again' ? this.#deps.agent.restart() : this.#deps.agent.run(config))
      this.#hear({ kind: 'ran', runId, config })
    } catch (error) {
      this.#deps.log('error', 'The agent could not be started', { error: messageOf(error) })
      this.#hear({ kind: 'run-failed', runId, rejection: rejectionOf(error), random: this.#deps.random() })
    }
  }

  async #configOf(what: RunWhat): Promise<ComposedConfig> {
    switch (what.kind) {
      case 'composed':
      case 'again':
        return what.config
      case 'wish':
        return this.#composed(what.wish, what.instanceUid)
      case 'fallback':
        return this.#deps.agent.compose({
          remote: undefined,
          ownTelemetry: undefined,
          instanceUid: what.instanceUid,
          fallback: await readFallbacks(this.#deps.fallbackPaths),
        })
      default:
        return what satisfies never
    }
  }

  #answer(request: number, error: string | undefined): void {
    const waiting = this.#answers.get(request)
    this.#answers.delete(request)
    if (error === undefined) waiting?.resolve()
    else waiting?.reject(new Error(error))
  }
}

const outerSignals: ReadonlySet<string> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP'])

/** A program that is asked to end does so with exit code 0. */
function isByItself({ exitCode, signal }: Extract<AgentEvent, { kind: 'crashed' }>): boolean {
  return signal === null ? exitCode !== 0 : !outerSignals.has(signal)
}

/** One change of what is on disk. */
export async function applyWrite(folder: StateFolder, write: StateWrite): Promise<void> {
  switch (write.kind) {
    case 'received':
      return folder.writeReceived(write.offer)
    case 'working':
      return folder.writeWorking(write.offer)
    case 'previous':
      return folder.writePrevious(write.previous)
    case 'own-telemetry':
      return folder.writeOwnTelemetry(encodeOwnTelemetry(write.ownTelemetry))
    case 'memory':
      return folder.writeMemory({ failures: write.failures, unfinished: write.unfinished })
    case 'status': {
      const { status } = write
      const errorMessage = status.status === 'failed' ? status.message : ''
      return folder.writeStatus({ status: storedStatuses[status.status], hash: status.hash, errorMessage })
    }
    default:
      return write satisfies never
  }
}

async function readFallbacks(paths: readonly string[]): Promise<readonly ConfigFile[]> {
  return Promise.all(paths.map(async (path) => ({ name: basename(path), contentType: 'text/yaml', body: await readFile(path, 'utf8') })))
}

function rejectionOf(error: unknown): Rejection {
  if (error instanceof ConfigRejectedError) return { reason: error.message, logTail: '' }
  return { reason: `the agent could not be started: ${messageOf(error)}`, logTail: '' }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
