/** The supervisor as a whole: puts its parts together in the order in which they start, and stops them in reverse. */
import { folderStore } from '@drover/client'
import { createInstanceUid, type InstanceUid, parseInstanceUid } from '@drover/protocol'
import { type Clock, systemClock } from '@drover/server'
import { AgentBootstrapError, type AgentFacts, type SupervisedAgent } from './agent/agent.ts'
import { createAgent } from './agent/create-agent.ts'
import { type OpenedApply, openApply } from './apply/open-apply.ts'
import { bootstrapAgent } from './bootstrap-agent.ts'
import type { LoadedConfig } from './config/load-config.ts'
import type { SupervisorConfig } from './config/supervisor-config.ts'
import { openControlSocket } from './control/control-socket.ts'
import { startHealthServer } from './control/health-server.ts'
import type { SupervisorStatus } from './control/status.ts'
import { Course } from './course.ts'
import { type Log, openLog } from './log.ts'
import { decodeOwnTelemetry, type Signal } from './own-telemetry/offer.ts'
import { createSelfExport } from './own-telemetry/self-export.ts'
import type { OwnTelemetry } from './own-telemetry/settings.ts'
import { openStateFolder, type StateFolder } from './state/state-folder.ts'
import { supervisorVersion } from './supervisor-status.ts'
import { notifySystemd } from './systemd/notify.ts'
import { openUpstream } from './upstream/upstream.ts'

export interface SupervisorOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Ends a start that is under way. Afterwards it is `stop` that ends the supervisor. */
  readonly signal?: AbortSignal
  readonly clock?: Clock
}

export interface Supervisor extends AsyncDisposable {
  readonly status: SupervisorStatus
  /** Stops the agent, says goodbye to the Server, and lets go of the storage directory. Once only. */
  stop(): Promise<void>
}

/** Larger than any message of the Server: an offer is stored as it came. */
const maxStoredBytes = 128 * 1024 * 1024

/**
 * Settles when the agent is being started, whether a Server can be reached or not. Rejects when there is nothing to supervise: another supervisor has
 * the storage directory, the agent cannot be started or does not say who it is, a port is taken.
 */
export async function startSupervisor(loaded: LoadedConfig, options: SupervisorOptions): Promise<Supervisor> {
  const { config } = loaded
  const { env, signal = new AbortController().signal, clock = systemClock } = options
  await using stack = new AsyncDisposableStack()

  const opened = stack.use(openLog({ level: config.telemetry.logLevel, outputPaths: config.telemetry.logOutputPaths, now: () => clock.now() }))
  const { log } = opened
  const course = new Course(config, clock, log)
  log('info', 'Supervisor is starting', { version: supervisorVersion, storage: config.storageDirectory, file: loaded.file })

  const onTrouble = (reason: string): void => log('warn', 'Something of the supervisor does not work', { reason })
  stack.use(await openControlSocket(config.storageDirectory, () => course.status, { onTrouble }))
  const systemd = stack.use(notifySystemd({ env, clock, onTrouble }))
  if (config.healthcheck !== undefined) stack.use(await startHealthServer(config.healthcheck, () => course.isRunning))

  const folder = await openStateFolder({
    files: folderStore(config.storageDirectory, { maxValueBytes: maxStoredBytes }),
    log,
    newInstanceUid: () => configuredUid(config) ?? createInstanceUid(clock.now(), (bytes) => crypto.getRandomValues(bytes)),
  })
  const agent = stack.use(createAgent(config, { clock, log }))
  const bootstrapAt = clock.now()
  const facts = await whoItIs(agent, { config, folder, clock, log, signal, env })

  const ownTelemetry = storedTelemetry(config, folder, log)
  const upstream = await openUpstream({ config, folder, facts, env, clock, log, handler: course })
  stack.defer(async () => upstream.stop())
  const selfExport = stack.use(createSelfExport({ ...course.telemetry(facts), clock, log, scope: { name: 'drover.supervisor', version: supervisorVersion } }))
  selfExport.setDestinations([config.telemetry.export, ownTelemetry])
  opened.tap = (record) => selfExport.addLog(record)
  selfExport.addSpan({ name: 'GetBootstrapInfo', startTime: bootstrapAt, attributes: {}, error: undefined })

  const apply: OpenedApply = await openApply({
    agent,
    folder,
    clock,
    random: Math.random,
    log,
    fallbackPaths: config.agent.startupFallbackConfigs,
    applyTimeoutMs: config.agent.configApplyTimeoutMs,
    acceptsRemoteConfig: config.capabilities.has('AcceptsRemoteConfig'),
    ownTelemetry,
    onStatus: (status) => course.onStatus(status),
    onHealth: (healthy, message) => course.onHealth(healthy, message),
  })
  stack.defer(async () => apply.driver.stop())
  course.begin({ agent, folder, facts, upstream, driver: apply.driver, selfExport, systemd, ownTelemetry, reported: reportedSignals(config) })

  // The agent first: it runs whether there is a Server or not.
  apply.start()
  signal.throwIfAborted()
  upstream.start()
  systemd.ready()
  stack.defer(() => systemd.stopping())

  const running = stack.move()
  const stop = async (): Promise<void> => {
    log('info', 'Supervisor is stopping')
    await running.disposeAsync()
  }
  return {
    get status() {
      return course.status ?? failStatus()
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function failStatus(): never {
  throw new Error('the supervisor is starting')
}

function configuredUid({ agent }: SupervisorConfig): InstanceUid | undefined {
  return agent.instanceId === undefined ? undefined : parseInstanceUid(agent.instanceId)
}

interface WhoItIsDeps {
  readonly config: SupervisorConfig
  readonly folder: StateFolder
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
  readonly env: SupervisorOptions['env']
}

/** A Collector with another instance uid in its own configuration cannot be supervised; the Server at least hears of it. */
async function whoItIs(agent: SupervisedAgent, deps: WhoItIsDeps): Promise<AgentFacts> {
  try {
    return await bootstrapAgent(agent, deps.folder.found.instanceUid, deps)
  } catch (error) {
    if (error instanceof AgentBootstrapError) {
      deps.log('error', 'The agent does not say who it is', { reason: error.message, logTail: error.logTail })
      if (error.facts !== undefined) await tellOnce(deps, error.facts, error.message)
    }
    throw error
  }
}

const tellLimitMs = 5_000

async function tellOnce({ config, folder, env, clock, log }: WhoItIsDeps, facts: AgentFacts, message: string): Promise<void> {
  const connected = Promise.withResolvers<void>()
  const nothing = (): void => undefined
  const handler = {
    onOffer: nothing,
    onOwnTelemetry: async () => nothing(),
    onRestart: nothing,
    onInstanceUid: nothing,
    onCustomMessage: nothing,
    onServerCustomCapabilities: nothing,
    onConnection: ({ state }: { readonly state: string }) => (state === 'connecting' ? undefined : connected.resolve()),
  }
  const upstream = await openUpstream({ config, folder, facts, env, clock, log, handler })
  upstream.tellHealth(false, message)
  upstream.start()
  const limit = clock.setTimeout(() => connected.resolve(), tellLimitMs)
  await connected.promise
  clock.clearTimeout(limit)
  await upstream.stop()
}

function storedTelemetry(config: SupervisorConfig, folder: StateFolder, log: Log): OwnTelemetry | undefined {
  const { ownTelemetry } = folder.found
  if (ownTelemetry === undefined) return undefined
  try {
    return decodeOwnTelemetry(ownTelemetry, reportedSignals(config))
  } catch (error) {
    log('warn', 'The stored own-telemetry settings cannot be used', { reason: error instanceof Error ? error.message : String(error) })
    return undefined
  }
}

function reportedSignals({ capabilities }: SupervisorConfig): ReadonlySet<Signal> {
  const signals = new Set<Signal>()
  if (capabilities.has('ReportsOwnMetrics')) signals.add('metrics')
  if (capabilities.has('ReportsOwnLogs')) signals.add('logs')
  if (capabilities.has('ReportsOwnTraces')) signals.add('traces')
  return signals
}
