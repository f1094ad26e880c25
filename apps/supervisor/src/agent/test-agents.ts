/** For tests of agents: a checked configuration with quick limits, a log that is kept, events to wait for. */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseInstanceUid } from '@drover/protocol'
import type { AgentCapability } from '@drover/protocol'
import { systemClock } from '@drover/server'
import type { LogFields } from '@drover/server'
import type { AgentSettings, DroverSettings, SupervisorConfig } from '../config/supervisor-config.ts'
import type { AgentDeps, AgentEvent, ConfigSources, SupervisedAgent } from './agent.ts'

export const testUid = parseInstanceUid('01939b3c-7d2e-7c3a-9f00-0123456789ab')

export interface TestConfigOptions {
  readonly executable: string
  readonly storageDirectory: string
  readonly capabilities?: readonly AgentCapability[]
  readonly agent?: Partial<AgentSettings>
  readonly drover?: Partial<DroverSettings>
}

export function testConfig({ executable, storageDirectory, capabilities, agent, drover }: TestConfigOptions): SupervisorConfig {
  return {
    server: { endpoint: 'ws://127.0.0.1:1/v1/opamp', headers: [], tls: {}, proxy: { kind: 'none' } },
    capabilities: new Set(capabilities ?? ['AcceptsRemoteConfig', 'ReportsEffectiveConfig', 'ReportsHealth', 'ReportsAvailableComponents']),
    agent: {
      executable,
      args: [],
      env: {},
      orphanDetectionIntervalMs: 5_000,
      configApplyTimeoutMs: 5_000,
      bootstrapTimeoutMs: 20_000,
      opampServerPort: 0,
      passthroughLogs: false,
      useHupConfigReload: false,
      startupFallbackConfigs: [],
      crashLogSnippetKib: 0,
      configFiles: [{ kind: 'own-telemetry' }, { kind: 'opamp-extension' }, { kind: 'remote' }],
      description: { identifyingAttributes: {}, nonIdentifyingAttributes: {}, includeResourceAttributes: false },
      ...agent,
    },
    storageDirectory,
    telemetry: { logLevel: 'info', logOutputPaths: [], resource: {}, export: {} },
    drover: {
      agent: { kind: 'collector' },
      connection: { allowWeakerTls: false, proofTimeoutMs: 1_000 },
      logs: { maxFileBytes: 1024 * 1024, maxFiles: 3 },
      stopTimeoutMs: 5_000,
      ...drover,
    },
  }
}

export interface TestLog extends AgentDeps {
  readonly lines: readonly { readonly level: string; readonly message: string; readonly fields: LogFields }[]
}

export function testDeps(): TestLog {
  const lines: TestLog['lines'][number][] = []
  return { clock: systemClock, lines, log: (level, message, fields) => lines.push({ level, message, fields }) }
}

export const noSources: ConfigSources = { remote: undefined, ownTelemetry: undefined, instanceUid: testUid }

export function remoteSources(...bodies: readonly string[]): ConfigSources {
  return { ...noSources, remote: bodies.map((body, index) => ({ name: `${index}.yaml`, contentType: 'text/yaml', body })) }
}

/** The events of an agent, in order; each is waited for at most once. */
export class Events {
  readonly all: AgentEvent[] = []
  #next = 0
  #wake = Promise.withResolvers<void>()

  constructor(agent: SupervisedAgent) {
    agent.onEvent = (event) => {
      this.all.push(event)
      this.#wake.resolve()
    }
  }

  /** The next event that fits, of those after the one that was waited for last. */
  async next<Kind extends AgentEvent['kind']>(
    kind: Kind,
    fits: (event: Extract<AgentEvent, { kind: Kind }>) => boolean = () => true,
  ): Promise<Extract<AgentEvent, { kind: Kind }>> {
    for (;;) {
      this.#wake = Promise.withResolvers()
      for (; this.#next < this.all.length; ) {
        const event = this.all[this.#next++] as Extract<AgentEvent, { kind: Kind }> // as: the kind is looked at before anything else
        if (event.kind === kind && fits(event)) return event
      }
      await this.#wake.promise
    }
  }

  async healthy(): Promise<void> {
    await this.next('health', ({ health }) => health.healthy)
  }
}

export interface Folder extends AsyncDisposable {
  readonly path: string
  readonly names: () => Promise<readonly string[]>
}

export async function testFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'drover-agent-'))
  return {
    path,
    names: async () => (await readdir(path)).toSorted(),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 3 }),
  }
}
