/** For tests of a whole supervisor: an OpAMP server on the library, and a supervisor with the stub Collector. */
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AgentStatus, type AgentToServer, type CustomMessage, type InstanceUid, mergeStatus, RemoteConfigStatuses } from '@drover/protocol'
import { createOpampServer, type Offer, prepareRemoteConfig } from '@drover/server'
import { stubCollectorExecutable } from '@drover/testing'
import { stringify } from 'yaml'
import { loadSupervisorConfig, startSupervisor, type Supervisor } from '../src/index.ts'

export interface TestServer extends AsyncDisposable {
  readonly url: string
  /** What is known of the agent by its reports so far. */
  readonly status: AgentStatus
  readonly uid: InstanceUid | undefined
  readonly customMessages: readonly CustomMessage[]
  /** Every remote config status as it came: `hash applying`, `hash failed: why`. */
  readonly statuses: readonly string[]
  readonly disconnects: readonly string[]
  offer(offer: Offer): void
  offerConfig(hash: string, settings: object | undefined): void
  /** Waits until a report makes it true. */
  until(fits: (server: TestServer) => boolean, what: string): Promise<void>
}

const words: Readonly<Record<number, string>> = {
  [RemoteConfigStatuses.RemoteConfigStatuses_APPLYING]: 'applying',
  [RemoteConfigStatuses.RemoteConfigStatuses_APPLIED]: 'applied',
  [RemoteConfigStatuses.RemoteConfigStatuses_FAILED]: 'failed',
}
const limitMs = 20_000

/** What an agent told, and whoever waits for it. */
class Told {
  status: AgentStatus = {}
  uid: InstanceUid | undefined
  readonly customMessages: CustomMessage[] = []
  readonly statuses: string[] = []
  readonly disconnects: string[] = []
  readonly listeners = new Set<() => void>()

  report(uid: InstanceUid, message: AgentToServer): void {
    this.uid = uid
    this.status = mergeStatus(this.status, message)
    if (message.customMessage !== undefined) this.customMessages.push(message.customMessage)
    const config = message.remoteConfigStatus
    const word = config === undefined ? undefined : words[config.status]
    if (config !== undefined && word !== undefined) {
      this.statuses.push(`${Buffer.from(config.lastRemoteConfigHash).toString()} ${word}${config.errorMessage === '' ? '' : `: ${config.errorMessage}`}`)
    }
    this.changed()
  }

  changed(): void {
    for (const listener of this.listeners) listener()
  }

  async until(fits: () => boolean, what: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const look = (): void => (fits() ? resolve() : undefined)
    const timer = setTimeout(() => reject(new Error(`not within ${limitMs} ms: ${what}; statuses: ${this.statuses.join(', ')}`)), limitMs)
    this.listeners.add(look)
    look()
    await promise.finally(() => {
      clearTimeout(timer)
      this.listeners.delete(look)
    })
  }
}

function createOpamp(told: Told) {
  return createOpampServer({
    capabilities: ['AcceptsStatus', 'OffersRemoteConfig', 'AcceptsEffectiveConfig', 'OffersConnectionSettings'],
    customCapabilities: ['io.example.echo'],
    handler: {
      authenticate: () => ({ kind: 'accept', principal: 'test' }),
      onReport: ({ uid, message }) => {
        told.report(uid, message)
        return undefined
      },
      onDisconnect: ({ reason }) => {
        told.disconnects.push(reason)
        told.changed()
      },
      onDuplicate: () => undefined,
    },
  })
}

export async function startTestServer(port = 0): Promise<TestServer> {
  const told = new Told()
  const opamp = createOpamp(told)
  const http = createServer()
  opamp.attach(http)
  http.listen(port, '127.0.0.1')
  await once(http, 'listening')
  const address = http.address() as AddressInfo // as: it listens on a TCP port
  const server: TestServer = {
    url: `ws://127.0.0.1:${address.port}/v1/opamp`,
    get status() {
      return told.status
    },
    get uid() {
      return told.uid
    },
    customMessages: told.customMessages,
    statuses: told.statuses,
    disconnects: told.disconnects,
    offer(offer) {
      if (told.uid === undefined) throw new Error('no agent is connected')
      opamp.offer(told.uid, offer)
    },
    offerConfig(hash, settings) {
      const encode = (text: string) => new TextEncoder().encode(text)
      const files = settings === undefined ? [] : [{ name: 'a.yaml', contentType: 'text/yaml', body: encode(stringify(settings)) }]
      server.offer({ remoteConfig: prepareRemoteConfig(files, encode(hash)) })
    },
    until: (fits, what) => told.until(() => fits(server), what),
    async [Symbol.asyncDispose]() {
      await opamp[Symbol.asyncDispose]()
      http.closeAllConnections()
      http.close()
      await once(http, 'close')
    },
  }
  return server
}

export interface TestHost extends AsyncDisposable {
  readonly folder: string
  /** With the same storage each time. */
  start(endpoint: string, more?: { readonly agent?: object; readonly capabilities?: object; readonly drover?: object }): Promise<Supervisor>
}

export async function createTestHost(): Promise<TestHost> {
  const folder = await mkdtemp(join(tmpdir(), 'supervisor-'))
  const executable = await stubCollectorExecutable(folder)
  return {
    folder,
    async start(endpoint, { agent = {}, capabilities = {}, drover = {} } = {}) {
      const file = join(folder, 'supervisor.yaml')
      const settings = {
        server: { endpoint },
        capabilities: {
          accepts_remote_config: true,
          reports_remote_config: true,
          accepts_restart_command: true,
          accepts_opamp_connection_settings: true,
          reports_available_components: true,
          reports_own_logs: true,
          ...capabilities,
        },
        agent: { executable, config_apply_timeout: '3s', bootstrap_timeout: '20s', ...agent },
        storage: { directory: join(folder, 'storage') },
        drover,
        telemetry: { logs: { output_paths: [join(folder, 'supervisor.log')] } },
      }
      await writeFile(file, stringify(settings))
      return startSupervisor(loadSupervisorConfig(file, {}), { env: {} })
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }),
  }
}

/** A pipeline that does nothing, with how the stub is to behave. */
export function stubConfig(stub: object = {}): object {
  return { receivers: { stub }, exporters: { nop: {} }, service: { pipelines: { logs: { receivers: ['stub'], exporters: ['nop'] } } } }
}
