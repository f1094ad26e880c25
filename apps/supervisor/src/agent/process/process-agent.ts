/** Any program that a small description covers, as a supervised agent: one configuration file, and commands to check, reload and ask it. */
import { access, constants, copyFile, rm, stat } from 'node:fs/promises'
import { dirname, extname, join } from 'node:path'
import { redactText } from '@drover/agent-config'
import { create } from '@bufbuild/protobuf'
import { EffectiveConfigSchema } from '@drover/protocol'
import type { AgentDescription, InstanceUid } from '@drover/protocol'
import type { ProcessAgentSettings, SupervisorConfig } from '../../config/supervisor-config.ts'
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
import { describeProcess, versionIn } from './describe-process.ts'
import { HealthCheck } from './health-check.ts'
import { composeForProcess } from './process-composer.ts'
import type { ProcessConfig } from './process-composer.ts'

export function createProcessAgent(config: SupervisorConfig, settings: ProcessAgentSettings, deps: AgentDeps): SupervisedAgent {
  return new ProcessAgent(config, settings, deps)
}

const validateTimeoutMs = 10_000
const reloadTimeoutMs = 10_000
const maxTailChars = 4_096
const maxReasonChars = 1_000
/** Configurations that may still be run. */
const maxRemembered = 64

class ProcessAgent implements SupervisedAgent {
  onEvent: (event: AgentEvent) => void = () => undefined
  readonly #config: SupervisorConfig
  readonly #settings: ProcessAgentSettings
  readonly #deps: AgentDeps
  readonly #output: AgentOutput
  readonly #process: AgentProcess
  readonly #health: HealthCheck
  /** The file as it was before the first offered configuration took its place. */
  readonly #originalFile: string
  /** Beside the file that runs, so that what it includes is found; with the same end of the name, by which some programs go. */
  readonly #candidateFile: string
  #version: string | undefined
  #uid: InstanceUid | undefined
  readonly #composed = new Map<string, ProcessConfig>()
  /** What was started or reloaded last. */
  #running: ComposedConfig | undefined
  /** The process that runs was well at least once: before that it may not know what a signal means. */
  #isReady = false

  constructor(config: SupervisorConfig, settings: ProcessAgentSettings, deps: AgentDeps) {
    const { agent, storageDirectory, drover } = config
    const { clock, log } = deps
    this.#config = config
    this.#settings = settings
    this.#deps = deps
    this.#originalFile = join(storageDirectory, `original${extname(settings.configFile)}`)
    this.#candidateFile = join(dirname(settings.configFile), `.drover-candidate${extname(settings.configFile)}`)
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
    this.#health = new HealthCheck({
      settings: settings.health,
      clock,
      run: (command, timeoutMs, signal) => this.#runCommand(command, settings.configFile, timeoutMs, signal),
      onHealth: (health) => {
        this.#isReady ||= health.healthy
        this.onEvent({ kind: 'health', health })
      },
    })
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  async bootstrap(uid: InstanceUid, signal: AbortSignal): Promise<AgentFacts> {
    const { agent, storageDirectory, drover } = this.#config
    await endLeftovers({ storageDirectory, stopTimeoutMs: drover.stopTimeoutMs, log: this.#deps.log, signal })
    await rm(this.#candidateFile, { force: true })
    await access(agent.executable, constants.X_OK).catch((error: unknown) => {
      throw new AgentBootstrapError('cannot-start', startReason(agent.executable, error), { cause: error })
    })
    this.#version = this.#settings.version ?? (await this.#askVersion(signal))
    this.#uid = uid
    return { description: this.#describe(uid) }
  }

  compose(sources: ConfigSources): ComposedConfig {
    const composed = composeForProcess(this.#settings.name, sources, [this.#originalFile, this.#settings.configFile])
    this.#composed.delete(composed.fingerprint)
    this.#composed.set(composed.fingerprint, composed)
    for (const oldest of this.#composed.keys()) if (this.#composed.size > maxRemembered) this.#composed.delete(oldest)
    if (this.#uid !== undefined && this.#uid !== sources.instanceUid) {
      // The program knows nothing of its uid, so nothing needs to be restarted.
      this.#uid = sources.instanceUid
      this.onEvent({ kind: 'description', description: this.#describe(sources.instanceUid) })
    }
    const { text, fingerprint, runsNothing } = composed
    return { text, fingerprint, runsNothing }
  }

  async validate(config: ComposedConfig, signal: AbortSignal): Promise<Rejection | undefined> {
    const { validateCommand } = this.#settings
    if (config.runsNothing || validateCommand === undefined) return undefined
    const file = this.#candidateFile
    try {
      await writeWholeFile(file, config.text)
      const result = await this.#runCommand(validateCommand, file, validateTimeoutMs, signal)
      if (result.outcome === 'timeout') this.#deps.log('warn', 'The program did not check a configuration in time', { timeoutMs: validateTimeoutMs })
      return this.#rejectionOf(result, 'refuses the configuration')
    } catch (error) {
      return { reason: `the configuration could not be checked: ${startReason(validateCommand[0] ?? '', error)}`, logTail: '' }
    } finally {
      await rm(file, { force: true })
    }
  }

  async run(config: ComposedConfig): Promise<void> {
    if (config.runsNothing) {
      await this.stop()
      this.#running = config
      return this.#reportConfig(config)
    }
    await this.#writeConfig(config)
    const before = (this.#running ??= config)
    await this.#reloadOrStart(before)
    this.#running = config
    this.#reportConfig(config)
  }

  async restart(): Promise<void> {
    if (this.#running === undefined || this.#running.runsNothing) return
    // A configuration that could not be started may have been written since.
    await this.#writeConfig(this.#running)
    await this.#start()
  }

  async stop(): Promise<void> {
    this.#health.stop()
    await this.#process.stop()
  }

  /** Such a program speaks no OpAMP. */
  sendCustomMessage(): void {}

  setServerCustomCapabilities(): void {}

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    await this.#output.close()
  }

  async #start(): Promise<void> {
    const { agent } = this.#config
    this.#health.stop()
    this.#isReady = false
    const args = withConfig(agent.args, this.#settings.configFile)
    const pid = await this.#process.start(args).catch((error: unknown) => {
      throw new AgentStartError(startReason(agent.executable, error), { cause: error })
    })
    this.onEvent({ kind: 'started', pid })
    this.#health.start(this.#deps.clock.now())
  }

  async #reloadOrStart(before: ComposedConfig): Promise<void> {
    try {
      if (await this.#reload()) return
    } catch (error) {
      // It goes on with the configuration before, which is therefore to be found on disk.
      await this.#writeConfig(before)
      this.#health.start(this.#deps.clock.now())
      throw error
    }
    await this.#start()
  }

  /** False: it has to be started instead. */
  async #reload(): Promise<boolean> {
    const { reload, configFile } = this.#settings
    if (reload === undefined || this.#process.pid === undefined || !this.#isReady) return false
    this.#health.stop()
    if (reload.kind === 'signal') {
      if (!this.#process.signal(reload.signal)) return false
    } else {
      const result = await this.#runCommand(reload.command, configFile, reloadTimeoutMs).catch((error: unknown) => {
        throw new AgentStartError(startReason(reload.command[0] ?? '', error), { cause: error })
      })
      const rejection = this.#rejectionOf(result, 'did not reload its configuration')
      if (rejection !== undefined) throw new AgentStartError(rejection.reason)
    }
    this.#health.start(this.#deps.clock.now())
    return true
  }

  /** The mode that the file has is kept: others may have to read it. */
  async #writeConfig({ text, fingerprint }: ComposedConfig): Promise<void> {
    const { configFile } = this.#settings
    const isLocal = this.#composed.get(fingerprint)?.isLocal === true
    try {
      const present = await stat(configFile).catch(() => undefined)
      if (present !== undefined && !isLocal) await this.#keepOriginal()
      await writeWholeFile(configFile, text, present === undefined ? 0o600 : present.mode & 0o777)
    } catch (error) {
      throw new AgentStartError(`cannot write ${configFile}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    }
  }

  async #keepOriginal(): Promise<void> {
    await copyFile(this.#settings.configFile, this.#originalFile, constants.COPYFILE_EXCL).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    })
  }

  async #askVersion(signal: AbortSignal): Promise<string | undefined> {
    const { versionCommand, configFile } = this.#settings
    if (versionCommand === undefined) return undefined
    const { log } = this.#deps
    try {
      const { output, outcome } = await this.#runCommand(versionCommand, configFile, this.#config.agent.bootstrapTimeoutMs, signal)
      signal.throwIfAborted()
      const version = versionIn(output)
      if (version === undefined) log('warn', 'The version of the program is not known: its version command did not print one', { outcome })
      return version
    } catch (error) {
      signal.throwIfAborted()
      log('warn', 'The version of the program is not known: its version command cannot be run', { reason: startReason(versionCommand[0] ?? '', error) })
      return undefined
    }
  }

  #runCommand(command: readonly string[], configFile: string, timeoutMs: number, signal?: AbortSignal): Promise<CommandResult> {
    const { agent, storageDirectory } = this.#config
    const [program = '', ...args] = withConfig(command, configFile)
    const env = childEnvironment(agent.env, storageDirectory)
    return runCommand({
      command: program,
      args,
      env,
      timeoutMs,
      clock: this.#deps.clock,
      ...(signal === undefined ? {} : { signal }),
    })
  }

  #rejectionOf({ outcome, exitCode, output }: CommandResult, what: string): Rejection | undefined {
    if (outcome !== 'exited' || exitCode === 0) return undefined
    const said = failureText(output, maxReasonChars)
    return { reason: `${this.#settings.name} ${what} (exit code ${exitCode})${said === '' ? '' : `: ${said}`}`, logTail: reportText(output, maxTailChars) }
  }

  #onUnexpectedEnd({ exitCode, signal, ranForMs, ...end }: ProcessEnd): void {
    this.#health.stop()
    const reason = endReason(this.#settings.name, { exitCode, signal, ...end }, this.#output.rawTail())
    this.onEvent({ kind: 'crashed', rejection: { reason, logTail: this.#output.reportTail() }, exitCode, signal, ranForMs })
  }

  #describe(uid: InstanceUid): AgentDescription {
    return describeAgent(describeProcess(this.#settings.name, this.#version, uid), this.#config.agent.description)
  }

  /** What the Server did not send may hold what it should not know. */
  #reportConfig({ text, fingerprint }: ComposedConfig): void {
    const known = this.#composed.get(fingerprint)
    const body = new TextEncoder().encode(known?.isLocal === true ? redactText(text) : text)
    const configMap = text === '' ? {} : { '': { body, contentType: known?.contentType ?? '' } }
    this.onEvent({ kind: 'effective-config', config: create(EffectiveConfigSchema, { configMap: { configMap } }) })
  }
}

/** `{config}` anywhere in an argument stands for the path. */
function withConfig(args: readonly string[], configFile: string): readonly string[] {
  return args.map((arg) => arg.replaceAll('{config}', configFile))
}
