/** Runs a Collector just long enough for it to say who it is and what it can do. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { AgentDescription, AvailableComponents, InstanceUid } from '@drover/protocol'
import type { Clock } from '@drover/server'
import type { LocalAgentHandler } from '../../local-server/local-server.ts'
import { failureText, reportText } from '../../process/plain-text.ts'
import type { ProcessEnd } from '../../process/running-process.ts'
import { AgentBootstrapError } from '../agent.ts'
import type { AgentFacts } from '../agent.ts'
import { writeWholeFile } from '../config-on-disk.ts'
import { endReason, startReason } from '../end-reason.ts'

export interface BootstrapTools {
  readonly executable: string
  readonly storageDirectory: string
  readonly timeoutMs: number
  readonly clock: Clock
  /** Starts the Collector with this configuration; stops it. */
  readonly start: (configFile: string) => Promise<unknown>
  readonly stop: () => Promise<void>
  /** What it wrote so far. */
  readonly output: () => string
  /** What the supervisor's file says, over what the Collector says of itself. */
  readonly describe: (reported: AgentDescription) => AgentDescription
}

const maxTailChars = 4_096

/** One attempt. Its `handler` and `onEnd` are to be called while `run` is under way. */
export class Bootstrap {
  readonly #tools: BootstrapTools
  readonly #done = Promise.withResolvers<AgentFacts>()
  #description: AgentDescription | undefined
  #components: AvailableComponents | undefined
  #isConnected = false
  /** They were asked for; until they come it may report other things, such as its health. */
  #awaitsComponents = false

  constructor(tools: BootstrapTools) {
    this.#tools = tools
    // Whoever fails before `run` listens is heard all the same.
    this.#done.promise.catch(() => undefined)
  }

  readonly handler: LocalAgentHandler = {
    onDescription: (description) => (this.#description = description),
    onComponents: (components) => (this.#components = components),
    onReport: (components) => this.#onReport(components),
    onStranger: (uid, description) => this.#onStranger(uid, description),
    onEffectiveConfig: () => undefined,
    onCustomCapabilities: () => undefined,
    onCustomMessage: () => undefined,
    onHealth: () => undefined,
  }

  /** The process ended by itself. */
  onEnd(end: ProcessEnd): void {
    const output = this.#tools.output()
    const hint = /unknown type: "opamp"/.test(output) ? '. It was built without the extension "opamp", which the supervisor needs' : ''
    this.#fail('exited', `${endReason('the Collector', end, output)}${hint}`)
  }

  async run(configText: string, signal: AbortSignal): Promise<AgentFacts> {
    const { storageDirectory, executable, timeoutMs, clock, start, stop } = this.#tools
    const file = join(storageDirectory, 'bootstrap.yaml')
    const abort = () => this.#done.reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    const limit = clock.setTimeout(() => this.#onTimeout(), timeoutMs)
    try {
      signal.throwIfAborted()
      await writeWholeFile(file, configText)
      await start(file).catch((error: unknown) => {
        throw new AgentBootstrapError('cannot-start', startReason(executable, error), { cause: error })
      })
      return await this.#done.promise
    } finally {
      clock.clearTimeout(limit)
      signal.removeEventListener('abort', abort)
      await stop()
      await rm(file, { force: true })
    }
  }

  #onReport(components: 'none' | 'asked' | 'known'): void {
    this.#isConnected = true
    this.#awaitsComponents ||= components === 'asked'
    // A Collector whose extension does not report components says nothing of them in its first report.
    const isComplete = !this.#awaitsComponents || this.#components !== undefined
    if (this.#description !== undefined && isComplete) this.#done.resolve(this.#facts(this.#description))
  }

  #onStranger(uid: InstanceUid, description: AgentDescription | undefined): void {
    const message = `the Collector connected under the instance uid ${uid}, which is not the supervisor's: its arguments or files set "instance_uid" of the extension "opamp"`
    this.#fail('instance-id-mismatch', message, description)
  }

  #onTimeout(): void {
    const waited = `within ${this.#tools.timeoutMs / 1000} s`
    const what = this.#isConnected
      ? `the Collector connected, and did not describe itself ${waited}`
      : `the Collector runs, and did not connect to the supervisor ${waited}. It may have been built without the extension "opamp"`
    const said = failureText(this.#tools.output(), 500)
    this.#fail('timeout', `${what}. ${said === '' ? 'It printed nothing.' : `It printed: ${said}`}`, this.#description)
  }

  #fail(code: AgentBootstrapError['code'], message: string, description?: AgentDescription): void {
    const logTail = reportText(this.#tools.output(), maxTailChars)
    this.#done.reject(new AgentBootstrapError(code, message, { logTail, ...(description === undefined ? {} : { facts: this.#facts(description) }) }))
  }

  #facts(description: AgentDescription): AgentFacts {
    return { description: this.#tools.describe(description), ...(this.#components === undefined ? {} : { components: this.#components }) }
  }
}
