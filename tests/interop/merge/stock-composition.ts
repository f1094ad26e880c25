/** The stock supervisor as a calculator: sources go in, the configuration that its Collector would run comes out. */
import { createOpampServer, prepareRemoteConfig } from '@drover/server'
import type { OpampServer } from '@drover/server'
import { resourceAttributesOf } from '@drover/agent-config'
import type { CollectorConfigInput, CollectorConfigSource, ExportDestination, ExportDestinations } from '@drover/agent-config'
import { ConnectionSettingsOffersSchema, RemoteConfigStatuses } from '@drover/protocol'
import type { AgentToServer, ConnectionSettingsOffers, InstanceUid } from '@drover/protocol'
import { create } from '@bufbuild/protobuf'
import { once } from 'node:events'
import { watch } from 'node:fs'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { Child, createTemporaryFolder, freePort } from '../../harness/index.ts'
import type { TemporaryFolder } from '../../harness/index.ts'

export interface RemoteFile {
  readonly name: string
  readonly body: string
}

/** One question: what the Server offers. */
export interface Offered {
  readonly remote: readonly RemoteFile[]
  readonly ownTelemetry?: ExportDestinations
}

/** A local file; without `body` it does not exist. Special names have no body either. */
export interface LocalEntry {
  readonly name: string
  readonly body?: string
}

export interface StockOptions {
  readonly supervisor: string
  readonly collector: string
  /** `agent.config_files`, in order; special names as they are written there. */
  readonly configFiles: readonly LocalEntry[]
  readonly acceptsRemoteConfig: boolean
  /** Whether the Collector seems to know the feature gate `service.AllowNoPipelines`. */
  readonly allowsNoPipelines: boolean
}

export type StockAnswer = { readonly kind: 'composed'; readonly text: string } | { readonly kind: 'rejected'; readonly errorMessage: string }

/** What our composition needs besides the files: what the supervisor is, and the own telemetry that it was offered last. */
export type StockFacts = Pick<CollectorConfigInput, 'acceptsRemoteConfig' | 'allowsNoPipelines' | 'extension' | 'resourceAttributes' | 'ownTelemetry'>

const waitLimitMs = 30_000
const orphanPollMs = 90_500
/** The last key of every configuration: when it is in the file, the file is complete. */
export const markerKey = 'zzzz_marker'
/** Before all other names but the empty one, which comes last. */
export const markerName = '\u0001marker'

export class StockComposition implements AsyncDisposable {
  readonly #options: StockOptions
  readonly #folder: TemporaryFolder
  readonly #opamp: OpampServer
  readonly #http = createServer()
  readonly #changed = new Set<() => void>()
  readonly #port: number
  #child: Child | undefined
  #uid: InstanceUid | undefined
  #state: Partial<AgentToServer> = {}
  #questions = 0
  #ownTelemetry: ExportDestinations | undefined

  private constructor(options: StockOptions, folder: TemporaryFolder, port: number) {
    this.#options = options
    this.#folder = folder
    this.#port = port
    this.#opamp = createOpampServer({
      capabilities: ['AcceptsStatus', 'OffersRemoteConfig', 'AcceptsEffectiveConfig', 'OffersConnectionSettings'],
      // A question takes milliseconds and several reports.
      limits: { messagesPerSecond: 10_000, messagesBurst: 10_000 },
      handler: {
        authenticate: () => ({ kind: 'accept', principal: 'test' }),
        onReport: ({ uid, message, present }) => {
          this.#uid = uid
          this.#state = { ...this.#state, ...Object.fromEntries(present.map((part) => [part, (message as unknown as Record<string, unknown>)[part]])) } // as: a part is a field of the message
          this.#note()
          return undefined
        },
        onDisconnect: () => undefined,
        onDuplicate: () => undefined,
      },
    })
    this.#opamp.attach(this.#http)
  }

  static async start(options: StockOptions): Promise<StockComposition> {
    const stock = new StockComposition(options, await createTemporaryFolder(), await freePort())
    try {
      await stock.#start()
    } catch (error) {
      await stock[Symbol.asyncDispose]()
      throw error
    }
    return stock
  }

  async #start(): Promise<void> {
    await mkdir(this.#storage, { mode: 0o700 })
    for (const { name, body } of this.#options.configFiles) if (body !== undefined) await writeFile(this.#pathOf(name), body)
    await this.#writeAgent()
    this.#http.listen(0, '127.0.0.1')
    await once(this.#http, 'listening')
    const { port } = this.#http.address() as AddressInfo // as: a TCP listener's address is never text
    const file = join(this.#folder.path, 'supervisor.yaml')
    await writeFile(file, stringify(this.#supervisorFile(port)))
    const watcher = watch(this.#storage, () => this.#note())
    this.#http.once('close', () => watcher.close())
    this.#child = new Child({ title: 'opampsupervisor', command: this.#options.supervisor, args: ['--config', file] })
    await this.#until(() => (this.#state.agentDescription === undefined ? undefined : true), 'to report who its agent is')
    await this.#child.untilOutput(/Effective config found, starting agent/)
  }

  /**
   * The real Collector while the supervisor asks who it is; afterwards something that runs whatever its configuration says, and costs nothing.
   * It names its feature gates a while before it ends: what the supervisor has not read by then is lost to it.
   */
  async #writeAgent(): Promise<void> {
    const gates = this.#options.allowsNoPipelines ? 'echo "service.AllowNoPipelines false Alpha"' : ':'
    const script = `#!/bin/sh
if [ "$1" = featuregate ]; then echo ID Enabled Stage; ${gates}; sleep 1; exit 0; fi
if [ ! -e "$0.bootstrap.yaml" ]; then cp "$2" "$0.bootstrap.yaml"; exec '${this.#options.collector}' "$@"; fi
exec sleep 3600
`
    await writeFile(this.#agent, script)
    await chmod(this.#agent, 0o755)
  }

  #supervisorFile(serverPort: number): unknown {
    const { acceptsRemoteConfig, configFiles } = this.#options
    return {
      server: { endpoint: `ws://127.0.0.1:${serverPort}/v1/opamp` },
      capabilities: {
        accepts_remote_config: acceptsRemoteConfig,
        reports_remote_config: true,
        reports_own_metrics: true,
        reports_own_logs: true,
        reports_own_traces: true,
        reports_available_components: true,
      },
      agent: {
        executable: this.#agent,
        args: ['--set=service.telemetry.metrics.level=none'],
        config_files: configFiles.map(({ name }) => (name.startsWith('$') ? name : this.#pathOf(name))),
        description: { identifying_attributes: { 'service.name': 'merge-test' }, non_identifying_attributes: { 'deployment.environment': 'a: b # c' } },
        opamp_server_port: this.#port,
        orphan_detection_interval: `${orphanPollMs}ms`,
        bootstrap_timeout: '30s',
        config_apply_timeout: '1h',
      },
      storage: { directory: this.#storage },
      telemetry: { logs: { level: 'debug' } },
    }
  }

  get #storage(): string {
    return join(this.#folder.path, 'storage')
  }

  get #agent(): string {
    return join(this.#folder.path, 'agent.sh')
  }

  #pathOf(name: string): string {
    return join(this.#folder.path, name)
  }

  /** The inputs of our own composition that this run of the supervisor has. */
  get facts(): StockFacts {
    const { agentDescription } = this.#state
    if (this.#uid === undefined || agentDescription === undefined || this.#child === undefined) throw new Error('the supervisor was not started')
    return {
      acceptsRemoteConfig: this.#options.acceptsRemoteConfig,
      allowsNoPipelines: this.#options.allowsNoPipelines,
      resourceAttributes: resourceAttributesOf(agentDescription),
      ownTelemetry: this.#ownTelemetry,
      extension: {
        instanceUid: this.#uid,
        port: this.#port,
        supervisorPid: this.#child.pid,
        pollIntervalMs: orphanPollMs,
        reportsAvailableComponents: true,
      },
    }
  }

  get #knownUid(): InstanceUid {
    if (this.#uid === undefined) throw new Error('the supervisor was not started')
    return this.#uid
  }

  /** Entries of `config_files` as our composition takes them. */
  sourceOf(entry: { readonly kind: 'file'; readonly path: string }): CollectorConfigSource {
    return { ...entry, body: this.#options.configFiles.find(({ name }) => name === entry.path)?.body }
  }

  /** What the Collector would run now. */
  async effective(): Promise<string> {
    return readFile(join(this.#storage, 'effective.yaml'), 'utf8')
  }

  /** What the Collector ran to say who it is. */
  async bootstrap(): Promise<string> {
    return readFile(`${this.#agent}.bootstrap.yaml`, 'utf8')
  }

  /** What the supervisor makes of an offer, after the local files. */
  async ask(offered: Offered): Promise<StockAnswer> {
    if (offered.ownTelemetry !== undefined) this.#offerOwnTelemetry(offered.ownTelemetry)
    this.#questions += 1
    const marked = [{ name: markerName, body: `${markerKey}: ${this.#questions}\n` }, ...offered.remote]
    const hash = this.#offerConfig(marked)
    return this.#until(async () => {
      const errorMessage = this.#errorFor(hash)
      if (errorMessage !== undefined) return { kind: 'rejected' as const, errorMessage }
      const written = await this.effective()
      return written.endsWith(`\n${markerKey}: ${this.#questions}\n`) ? { kind: 'composed' as const, text: written } : undefined
    }, `an answer to question ${this.#questions}`)
  }

  /** The offer to run nothing, which has no place for a marker. */
  async askForNothing(): Promise<string> {
    this.#questions += 1
    const hash = this.#offerConfig([])
    await this.#until(() => (this.#hasStatus(hash, RemoteConfigStatuses.RemoteConfigStatuses_APPLIED) ? true : undefined), 'APPLIED for nothing')
    return this.effective()
  }

  /** An offer of own telemetry alone. `part`: what shows that it was written. */
  async askOwnTelemetry(destinations: ExportDestinations, part: string): Promise<string> {
    this.#offerOwnTelemetry(destinations)
    return this.#until(async () => {
      const written = await this.effective()
      return written.includes(part) && written.endsWith('\n') ? written : undefined
    }, part)
  }

  #offerConfig(files: readonly RemoteFile[]): Uint8Array {
    const text = new TextEncoder()
    const hash = text.encode(`question ${this.#questions}`)
    const prepared = files.map(({ name, body }) => ({ name, contentType: '', body: text.encode(body) }))
    this.#opamp.offer(this.#knownUid, { remoteConfig: prepareRemoteConfig(prepared, hash) })
    return hash
  }

  #hasStatus(hash: Uint8Array, status: RemoteConfigStatuses): boolean {
    const reported = this.#state.remoteConfigStatus
    return reported?.status === status && Buffer.compare(reported.lastRemoteConfigHash, hash) === 0
  }

  #errorFor(hash: Uint8Array): string | undefined {
    return this.#hasStatus(hash, RemoteConfigStatuses.RemoteConfigStatuses_FAILED) ? this.#state.remoteConfigStatus?.errorMessage : undefined
  }

  /** Kept in order with what is offered later: the supervisor takes one message after another. */
  #offerOwnTelemetry(destinations: ExportDestinations): void {
    this.#ownTelemetry = destinations
    const { metrics, logs, traces } = destinations
    const settings = (destination: ExportDestination) => ({
      destinationEndpoint: destination.endpoint,
      headers: { headers: destination.headers.map(([key, value]) => ({ key, value })) },
    })
    const connectionSettings: ConnectionSettingsOffers = create(ConnectionSettingsOffersSchema, {
      hash: new TextEncoder().encode(`settings ${this.#questions}`),
      ...(metrics === undefined ? {} : { ownMetrics: settings(metrics) }),
      ...(logs === undefined ? {} : { ownLogs: settings(logs) }),
      ...(traces === undefined ? {} : { ownTraces: settings(traces) }),
    })
    this.#opamp.offer(this.#knownUid, { connectionSettings })
  }

  #note(): void {
    for (const listener of this.#changed) listener()
  }

  async #until<T>(look: () => T | undefined | Promise<T | undefined>, what: string): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const check = async () => {
      const found = await look()
      if (found !== undefined) resolve(found)
    }
    const listener = () => void check().catch(reject)
    const timer = setTimeout(() => reject(new Error(`the supervisor did not get ${what} within ${waitLimitMs} ms\n${this.#child?.tail() ?? ''}`)), waitLimitMs)
    this.#changed.add(listener)
    listener()
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      this.#changed.delete(listener)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child?.end()
    await this.#opamp[Symbol.asyncDispose]()
    this.#http.closeAllConnections()
    this.#http.close()
    await this.#folder[Symbol.asyncDispose]()
  }
}
