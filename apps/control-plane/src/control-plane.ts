/** The composition root: every part in start order, stopped in reverse. */
import { rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { createOpampServer } from '@drover/server'
import type { OpampServer } from '@drover/server'
import type { Logger } from 'pino'
import { createAccess } from './access/index.ts'
import type { Access } from './access/index.ts'
import { createMessageMetrics } from './agents/metrics.ts'
import type { HostPort } from './config/host-port.ts'
import type { ControlPlaneConfig } from './config/options.ts'
import { OPAMP_PATH, agentsEndpoint, agentsOrigin, consoleOrigin, signInUrl } from './endpoints.ts'
import { openEventLog } from './events/event-log.ts'
import { createConsole } from './console.ts'
import { createFleetParts } from './fleet-parts.ts'
import { createIdempotency } from './http/idempotency.ts'
import { startHousekeeping } from './housekeeping.ts'
import { listen } from './listen.ts'
import { createLog, toServerLog } from './log.ts'
import { writeReadyFile } from './ready-file.ts'
import type { AgentsPart, Clock, DemoOptions, Foundation } from './seams.ts'
import { createBlobStore } from './storage/blob-store.ts'
import { openDataFolder } from './storage/data-folder.ts'
import { StoreUnavailableError, StoreUnusableError, isDamage } from './storage/errors.ts'
import { openSealedDatabase } from './storage/server-secret.ts'
import type { SecretSources } from './storage/server-secret.ts'
import { createStore } from './storage/store.ts'
import { createSystemMetrics } from './system/metrics.ts'
import type { SystemMetrics } from './system/metrics.ts'
import { programVersion } from './system/version.ts'
import type { Telemetry } from './telemetry/index.ts'

export interface ControlPlane extends AsyncDisposable {
  /** Where agents connect, e.g. `ws://127.0.0.1:4320/v1/opamp`. */
  readonly agentsUrl: string
  /** E.g. `http://127.0.0.1:4321`. */
  readonly consoleUrl: string
  /** One-time sign-in link, ten minutes long; null while the store cannot write. */
  readonly signInUrl: string | null
  readonly dataDir: string
  /** File with an API token, made at first start. */
  readonly adminTokenPath: string
  /** Drains and stops within 30 seconds; what was acknowledged is on disk. The same as disposing, once. */
  stop(): Promise<void>
}

export interface ControlPlaneParts {
  /** The server secret, as `DROVER_SECRET` has it. Default: from the file that the configuration names, else one in the data folder. */
  readonly secret?: string | undefined
  readonly clock?: Clock
  readonly log?: Logger
  /** Checks every answer of the API against its schema; for tests. */
  readonly checkAnswers?: boolean
}

/** Together less than the 30 seconds that a supervisor of processes gives us. */
const AGENTS_DRAIN_MS = 15_000
const CONSOLE_DRAIN_MS = 5_000

/** Resolves when both listeners accept. Rejects with a sentence for a person, and nothing left running. */
export async function startControlPlane(config: ControlPlaneConfig, parts: ControlPlaneParts = {}): Promise<ControlPlane> {
  const started = new AsyncDisposableStack()
  try {
    return await start(config, parts, started)
  } catch (error) {
    // What cannot be stopped in order either must not hide why.
    await started.disposeAsync().catch(() => {})
    if (!isDamage(error)) throw error
    throw new StoreUnusableError(`the database in ${config.dataDir} is damaged: restore a backup, or choose another folder with --data`, { cause: error })
  }
}

async function start(config: ControlPlaneConfig, parts: ControlPlaneParts, started: AsyncDisposableStack): Promise<ControlPlane> {
  const clock = parts.clock ?? { now: () => Date.now() }
  const log = parts.log ?? createLog(config.logLevel)
  const listening: Listening = { agents: config.agentsListen, console: config.consoleListen }

  const folder = started.use(openDataFolder(config.dataDir))
  const systemMetrics = started.use(createSystemMetrics())
  const foundation = await openFoundation(
    { path: folder.secretPath, databasePath: folder.databasePath, file: config.secretFile, value: parts.secret },
    systemMetrics,
    { clock, log },
    started,
  )
  const { store } = foundation

  const fleetParts = await createFleetParts({ foundation, config, dir: folder.path, telemetryEndpoint: () => agentsOrigin(config, listening.agents) }, started)
  const { agents, rollouts, telemetry, webhooks } = fleetParts
  const access = await openAccess(config, foundation, listening, agents, (principal, why) => void opamp.disconnectPrincipal(principal, why))
  started.defer(async () => void (await unlessReadOnly(access.flush())))
  await unlessReadOnly(access.createAdminToken(folder.adminTokenPath))

  const opamp: OpampServer = started.use(createOpamp(foundation, agents, access))
  await agents.start(opamp)

  const idempotency = createIdempotency(store, clock)
  const consoleParts = { ...foundation, ...fleetParts, idempotency, access, agentsEndpoint: () => agentsEndpoint(config, listening.agents) }
  const consoleServer = await createConsole(config, consoleParts, parts.checkAnswers ?? false)
  started.use(startHousekeeping({ ...foundation, access, idempotency, agents, rollouts, webhooks }))

  listening.agents = await startAgentsListener(config, opamp, telemetry, started)
  // What agents should have names the address of the listener, so that there is nothing to compare before.
  await rollouts.start()
  await webhooks.start()
  started.defer(() => consoleServer.stop(CONSOLE_DRAIN_MS))
  listening.console = await listen(consoleServer.app.server, config.consoleListen, 'console-listen')

  if (config.demoAgents > 0) await startDemoAgents(config.demoAgents, access, { server: opamp, log, recall: (uid) => agents.recall(uid) }, started)
  const stop = onceOnly(() => started.disposeAsync())
  const running: ControlPlane = {
    agentsUrl: agentsEndpoint(config, listening.agents),
    consoleUrl: consoleOrigin(config, listening.console),
    dataDir: folder.path,
    adminTokenPath: folder.adminTokenPath,
    signInUrl: await unlessReadOnly(access.createSignInUrl('administrator')),
    stop,
    [Symbol.asyncDispose]: stop,
  }
  await announce(config, running, foundation, started)
  return running
}

/** Where the listeners are; the ports are real only once both are open, and nobody asks before. */
interface Listening {
  agents: HostPort
  console: HostPort
}

async function openFoundation(
  secrets: SecretSources,
  metrics: SystemMetrics,
  { clock, log }: { clock: Clock; log: Logger },
  started: AsyncDisposableStack,
): Promise<Foundation> {
  const { database, sealer } = openSealedDatabase(secrets, { count: metrics.countOperation })
  const store = createStore({ database, log })
  started.defer(() => store.close())
  metrics.watchStore(store)
  const events = await openEventLog({ store, clock })
  return { store, events, blobs: createBlobStore(clock), log, clock, metrics: metrics.registry, sealer }
}

function openAccess(
  config: ControlPlaneConfig,
  { store, events, clock, log }: Foundation,
  listening: Listening,
  agents: AgentsPart,
  disconnectPrincipal: (principal: string, why: string) => void,
): Promise<Access> {
  return createAccess({
    store,
    events,
    clock,
    log,
    agentsEndpoint: () => agentsEndpoint(config, listening.agents),
    signInUrl: (code) => signInUrl(consoleOrigin(config, listening.console), code),
    secureCookie: config.consoleUrl?.protocol === 'https:',
    connectedByPrincipal: () => agents.connectedByPrincipal(),
    disconnectPrincipal,
  })
}

function createOpamp({ log, metrics }: Foundation, { handler }: AgentsPart, { authenticateAgent }: Access): OpampServer {
  return createOpampServer({
    handler: {
      authenticate: authenticateAgent,
      onReport: (report) => handler.onReport(report),
      onDisconnect: (gone) => handler.onDisconnect(gone),
      onDuplicate: (duplicate) => handler.onDuplicate(duplicate),
    },
    capabilities: ['AcceptsStatus', 'OffersRemoteConfig', 'AcceptsEffectiveConfig', 'OffersConnectionSettings'],
    path: OPAMP_PATH,
    // Who sends wrong tokens is held back by `access`, where right ones always pass: a token is looked up in memory, so nobody need be refused unheard.
    limits: { failedConnectsPerSecond: 1_000 },
    log: toServerLog(log),
    observe: createMessageMetrics(metrics),
  })
}

/** Agents have a listener of their own: a browser never meets it, and it never serves a page. */
async function startAgentsListener(
  config: ControlPlaneConfig,
  opamp: OpampServer,
  { intake }: Telemetry,
  started: AsyncDisposableStack,
): Promise<ControlPlaneConfig['agentsListen']> {
  const server = createServer()
  opamp.attach(server)
  server.on('request', (request, response) => {
    if (pathOf(request) === OPAMP_PATH || intake.handle(request, response)) return
    response.writeHead(404, { connection: 'close' }).end()
  })
  started.defer(async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    await opamp.drain(AGENTS_DRAIN_MS)
    server.closeAllConnections()
    if (server.listening) await closed
  })
  return listen(server, config.agentsListen, 'agents-listen')
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? ''
}

async function startDemoAgents(count: number, access: Access, options: Omit<DemoOptions, 'agents' | 'token'>, started: AsyncDisposableStack): Promise<void> {
  const { id, value } = await access.createEnrolmentToken({ name: 'demo agents', createdBy: 'system' })
  started.defer(() => access.revokeEnrolmentToken(id).catch(() => {}))
  // Loaded only when asked for: it brings the scripted agents of the tests with it.
  const { startDemo } = await import('./demo/index.ts')
  started.use(await startDemo({ ...options, agents: count, token: value }))
}

/** Tells the log of events, scripts and the log that the server runs, and later that it stops. */
async function announce(config: ControlPlaneConfig, running: ControlPlane, { store, events, log }: Foundation, started: AsyncDisposableStack): Promise<void> {
  const server = { actor: 'system', subject: 'server' }
  const start = { ...server, kind: 'server.started', summary: `Drover ${programVersion} started`, data: { version: programVersion } } as const
  await unlessReadOnly(store.transaction((tx) => events.append(tx, start)))
  started.defer(async () => {
    log.info({}, 'server stopping')
    await unlessReadOnly(store.transaction((tx) => events.append(tx, { ...server, kind: 'server.stopping', summary: 'Drover is stopping' })))
  })
  const { readyFile } = config
  if (readyFile !== null) {
    started.defer(() => rmSync(readyFile, { force: true }))
    writeReadyFile(readyFile, { agents: running.agentsUrl, console: running.consoleUrl, pid: process.pid })
  }
  log.info({ agents: running.agentsUrl, console: running.consoleUrl, dataDir: running.dataDir }, 'server started')
}

/** With a full disk the server still starts, shows what there is, and stops; null says that this step was left out. */
async function unlessReadOnly<T>(step: Promise<T>): Promise<T | null> {
  try {
    return await step
  } catch (error) {
    if (error instanceof StoreUnavailableError) return null
    throw error
  }
}

function onceOnly(action: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  return () => (running ??= action())
}
