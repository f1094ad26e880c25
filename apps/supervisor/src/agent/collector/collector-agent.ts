/** The OpenTelemetry Collector as a supervised agent: configured by a file, observed through its `opamp` extension. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { create } from '@bufbuild/protobuf'
import { ComponentHealthSchema } from '@drover/protocol'
import type { AgentDescription, CustomMessage, InstanceUid } from '@drover/protocol'
import type { SupervisorConfig } from '../../config/supervisor-config.ts'
import type { LocalAgentHandler } from '../../local-server/local-server.ts'
import { LocalServer } from '../../local-server/local-server.ts'
import { AgentOutput } from '../../process/agent-output.ts'
import { AgentProcess } from '../../process/agent-process.ts'
import { childEnvironment } from '../../process/environment.ts'
import { endLeftovers } from '../../process/leftovers.ts'
import { failureText, reportText } from '../../process/plain-text.ts'
import { runCommand } from '../../process/run-command.ts'
import type { CommandResult } from '../../process/run-command.ts'
import type { ProcessEnd } from '../../process/running-process.ts'
import { AgentBootstrapError, AgentStartError } from '../agent.ts'
import type { AgentDeps, AgentEvent, AgentFacts, ComposedConfig, ConfigSources, Rejection, SupervisedAgent } from '../agent.ts'
import { writeWholeFile } from '../config-on-disk.ts'
import { describeAgent } from '../description.ts'
import { endReason, startReason } from '../end-reason.ts'
import { Bootstrap } from './bootstrap.ts'
import { bootstrapConfig, composeForCollector } from './composer.ts'
import type { CollectorFacts } from './composer.ts'
import { allowNoPipelines, knowsFeatureGate } from './feature-gates.ts'
import { TelemetryFiles } from './telemetry-files.ts'

export function createCollectorAgent(config: SupervisorConfig, deps: AgentDeps): SupervisedAgent {
  return new CollectorAgent(config, deps)
}

/** A Collector that takes longer to read a configuration is left to show by running it. */
const validateTimeoutMs = 10_000
const featureGateTimeoutMs = 5_000
const maxTailChars = 4_096
const maxReasonChars = 1_000
/** Configurations that may still be run. */
const maxRememberedUids = 64

interface Runnable {
  readonly config: ComposedConfig
  readonly uid: InstanceUid
}

class CollectorAgent implements SupervisedAgent {
  onEvent: (event: AgentEvent) => void = () => undefined
  readonly #config: SupervisorConfig
  readonly #deps: AgentDeps
  readonly #output: AgentOutput
  readonly #process: AgentProcess
  readonly #server: LocalServer
  readonly #telemetryFiles: TelemetryFiles
  readonly #effectiveFile: string
  #bootstrap: Bootstrap | undefined
  #port: number | undefined
  #facts: CollectorFacts | undefined
  /** Under which uid a composed configuration lets the Collector connect, by fingerprint. */
  readonly #uids = new Map<string, InstanceUid>()
  /** What was started or reloaded last. */
  #running: Runnable | undefined
  /** Resolved when the process is healthy for the first time, or has ended. */
  #ready = Promise.withResolvers<void>()

  constructor(config: SupervisorConfig, deps: AgentDeps) {
    const { agent, storageDirectory, drover } = config
    const { clock, log } = deps
    this.#config = config
    this.#deps = deps
    this.#effectiveFile = join(storageDirectory, 'effective.yaml')
    this.#telemetryFiles = new TelemetryFiles(storageDirectory)
    this.#output = new AgentOutput({ storageDirectory, passthrough: agent.passthroughLogs, ...drover.logs, snippetKib: agent.crashLogSnippetKib, log })
    this.#process = new AgentProcess({
      command: agent.executable,
      env: agent.env,
      storageDirectory,
      stopTimeoutMs: drover.stopTimeoutMs,
      clock,
      output: this.#output,
      onUnexpectedEnd: (end) => this.#onUnexpectedEnd(end),
    })
    this.#server = new LocalServer({ port: agent.opampServerPort, clock, log, handler: this.#handler() })
  }

  get pid(): number | undefined {
    return this.#bootstrap === undefined ? this.#process.pid : undefined
  }

  async bootstrap(uid: InstanceUid, signal: AbortSignal): Promise<AgentFacts> {
    const { agent, storageDirectory, drover } = this.#config
    const { clock, log } = this.#deps
    await endLeftovers({ storageDirectory, stopTimeoutMs: drover.stopTimeoutMs, log, signal })
    this.#port = await this.#server.start()
    const allowsNoPipelines = await this.#allowsNoPipelines(signal)
    this.#bootstrap = new Bootstrap({
      executable: agent.executable,
      storageDirectory,
      timeoutMs: agent.bootstrapTimeoutMs,
      clock,
      start: (file) => this.#startProcess(uid, file, allowsNoPipelines),
      stop: () => this.#stopProcess(),
      output: () => this.#output.rawTail(),
      describe: (reported) => this.#describe(reported),
    })
    try {
      const text = bootstrapConfig({ config: this.#config, port: this.#port }, uid, allowsNoPipelines)
      const found = await this.#bootstrap.run(text, signal)
      this.#facts = { description: found.description, uid, allowsNoPipelines }
      return found
    } finally {
      this.#bootstrap = undefined
    }
  }

  compose(sources: ConfigSources): ComposedConfig {
    const facts = this.#bootstrapped()
    const options = { config: this.#config, port: this.#port ?? 0, telemetryFiles: this.#telemetryFiles, log: this.#deps.log }
    const composed = composeForCollector(options, facts, sources)
    this.#uids.delete(composed.fingerprint)
    this.#uids.set(composed.fingerprint, sources.instanceUid)
    for (const oldest of this.#uids.keys()) if (this.#uids.size > maxRememberedUids) this.#uids.delete(oldest)
    return composed
  }

  async validate(config: ComposedConfig, signal: AbortSignal): Promise<Rejection | undefined> {
    if (config.runsNothing) return undefined
    const file = join(this.#config.storageDirectory, 'candidate.yaml')
    await this.#telemetryFiles.write(config.text)
    await writeWholeFile(file, config.text)
    try {
      const args = ['validate', `--config=${file}`, ...this.#moreArgs(this.#bootstrapped().allowsNoPipelines)]
      const result = await this.#runCollector(args, validateTimeoutMs, signal)
      if (result.outcome === 'timeout') this.#deps.log('warn', 'The Collector did not check a configuration in time', { timeoutMs: validateTimeoutMs })
      return rejectionOf(result)
    } catch (error) {
      return { reason: startReason(this.#config.agent.executable, error), logTail: '' }
    } finally {
      await rm(file, { force: true })
    }
  }

  async run(config: ComposedConfig): Promise<void> {
    const uid = this.#uids.get(config.fingerprint) ?? this.#running?.uid ?? this.#bootstrapped().uid
    if (config.runsNothing) await this.#stopProcess()
    // Before the file is written: a Collector that is just starting would read the new one, and then be told to read it again.
    const takesReload = await this.#takesReload()
    await this.#write(config.text)
    const before = (this.#running ??= { config, uid })
    if (!config.runsNothing && !(takesReload && this.#reload(uid))) await this.#start(uid)
    this.#running = { config, uid }
    // What ran before may be run again at any moment.
    await this.#telemetryFiles.tidy(config.text + before.config.text)
  }

  async restart(): Promise<void> {
    if (this.#running === undefined || this.#running.config.runsNothing) return
    // A configuration that could not be started may have been written since.
    await this.#write(this.#running.config.text)
    await this.#start(this.#running.uid)
  }

  async stop(): Promise<void> {
    await this.#stopProcess()
  }

  sendCustomMessage(message: CustomMessage): void {
    this.#server.sendCustomMessage(message)
  }

  setServerCustomCapabilities(capabilities: readonly string[]): void {
    this.#server.setServerCustomCapabilities(capabilities)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stopProcess()
    await this.#server[Symbol.asyncDispose]()
    await this.#output.close()
  }

  #bootstrapped(): CollectorFacts {
    if (this.#facts === undefined) throw new Error('the Collector was not bootstrapped')
    return this.#facts
  }

  /** While the present Collector still runs: nothing has happened when it fails. */
  async #write(text: string): Promise<void> {
    try {
      await this.#telemetryFiles.write(text)
      await writeWholeFile(this.#effectiveFile, text)
    } catch (error) {
      throw new AgentStartError(`cannot write ${this.#effectiveFile}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    }
  }

  /** What every invocation has after its configuration: the gate, and what the file adds, which wins. */
  #moreArgs(allowsNoPipelines: boolean): readonly string[] {
    return [...(allowsNoPipelines ? [`--feature-gates=${allowNoPipelines}`] : []), ...this.#config.agent.args]
  }

  async #start(uid: InstanceUid): Promise<void> {
    const { executable } = this.#config.agent
    const pid = await this.#startProcess(uid, this.#effectiveFile, this.#bootstrapped().allowsNoPipelines).catch((error: unknown) => {
      throw new AgentStartError(startReason(executable, error), { cause: error })
    })
    this.onEvent({ kind: 'started', pid })
  }

  async #startProcess(uid: InstanceUid, configFile: string, allowsNoPipelines: boolean): Promise<number> {
    await this.#stopProcess()
    this.#expect(uid)
    return this.#process.start(['--config', configFile, ...this.#moreArgs(allowsNoPipelines)])
  }

  async #stopProcess(): Promise<void> {
    await this.#process.stop()
    this.#server.expectNobody()
  }

  #expect(uid: InstanceUid): void {
    this.#server.expect(uid)
    this.#ready = Promise.withResolvers()
  }

  /** Whether the Collector runs and is so far that it takes the signal for what it means. Otherwise it has to be started. */
  async #takesReload(): Promise<boolean> {
    const { useHupConfigReload, bootstrapTimeoutMs } = this.#config.agent
    return useHupConfigReload && this.#process.pid !== undefined && (await this.#isReadyWithin(bootstrapTimeoutMs))
  }

  /** Lets the running Collector read its file again. False when it has ended. */
  #reload(uid: InstanceUid): boolean {
    // What it says on its present connection is of the configuration before.
    this.#expect(uid)
    return this.#process.signal('SIGHUP')
  }

  async #isReadyWithin(limitMs: number): Promise<boolean> {
    const { clock } = this.#deps
    const { promise: late, resolve } = Promise.withResolvers<false>()
    const limit = clock.setTimeout(() => resolve(false), limitMs)
    const isReady = await Promise.race([this.#ready.promise.then(() => true), late])
    clock.clearTimeout(limit)
    return isReady && this.#process.pid !== undefined
  }

  #onUnexpectedEnd(end: ProcessEnd): void {
    this.#server.expectNobody()
    this.#ready.resolve()
    if (this.#bootstrap !== undefined) return this.#bootstrap.onEnd(end)
    const rejection = { reason: endReason('the Collector', end, this.#output.rawTail()), logTail: this.#output.reportTail() }
    const { exitCode, signal, ranForMs } = end
    this.onEvent({ kind: 'crashed', rejection, exitCode, signal, ranForMs })
  }

  async #allowsNoPipelines(signal: AbortSignal): Promise<boolean> {
    try {
      // A Collector without that subcommand has not the gate either.
      const { exitCode, stdout } = await this.#runCollector(['featuregate'], featureGateTimeoutMs, signal)
      signal.throwIfAborted()
      return exitCode === 0 && knowsFeatureGate(stdout, allowNoPipelines)
    } catch (error) {
      signal.throwIfAborted()
      throw new AgentBootstrapError('cannot-start', startReason(this.#config.agent.executable, error), { cause: error })
    }
  }

  #runCollector(args: readonly string[], timeoutMs: number, signal: AbortSignal): Promise<CommandResult> {
    const { agent, storageDirectory } = this.#config
    return runCommand({ command: agent.executable, args, env: childEnvironment(agent.env, storageDirectory), timeoutMs, clock: this.#deps.clock, signal })
  }

  #describe(reported: AgentDescription): AgentDescription {
    return describeAgent(reported, this.#config.agent.description)
  }

  #handler(): LocalAgentHandler {
    const event = (one: AgentEvent): void => this.onEvent(one)
    const running: LocalAgentHandler = {
      onDescription: (description) => event({ kind: 'description', description: this.#describe(description) }),
      onComponents: (components) => event({ kind: 'components', components }),
      onEffectiveConfig: (config) => event({ kind: 'effective-config', config }),
      onCustomCapabilities: (capabilities) => event({ kind: 'custom-capabilities', capabilities }),
      onCustomMessage: (message) => event({ kind: 'custom-message', message }),
      onHealth: (health) => {
        if (health.healthy) this.#ready.resolve()
        event({ kind: 'health', health })
      },
      onReport: () => undefined,
      onStranger: (uid) => event({ kind: 'health', health: strangerHealth(uid) }),
    }
    const present = (): LocalAgentHandler => this.#bootstrap?.handler ?? running
    return {
      onDescription: (description) => present().onDescription(description),
      onComponents: (components) => present().onComponents(components),
      onEffectiveConfig: (config) => present().onEffectiveConfig(config),
      onCustomCapabilities: (capabilities) => present().onCustomCapabilities(capabilities),
      onCustomMessage: (message) => present().onCustomMessage(message),
      onHealth: (health) => present().onHealth(health),
      onReport: (components) => present().onReport(components),
      onStranger: (uid, description) => present().onStranger(uid, description),
    }
  }
}

/** `undefined`: it would run, or this Collector cannot say. */
function rejectionOf({ outcome, exitCode, output }: CommandResult): Rejection | undefined {
  if (outcome !== 'exited' || exitCode === 0 || /unknown command "?validate/.test(output)) return undefined
  const reason = failureText(output, maxReasonChars)
  return { reason: reason === '' ? `the Collector refuses it with exit code ${exitCode}` : reason, logTail: reportText(output, maxTailChars) }
}

/** Nothing that it reports can be told from what somebody else's Collector would. */
function strangerHealth(uid: InstanceUid) {
  const lastError = `the Collector reports under the instance uid ${uid}: its configuration replaces that of the extension "opamp"`
  return create(ComponentHealthSchema, { healthy: false, lastError })
}
