/** Steps that scenarios share: configurations, reaching a state, seeing telemetry go through. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { ApiError } from '@drover/api'
import type { AgentDetail, ApiClient } from '@drover/api'
import { RemoteConfigStatuses } from '@drover/protocol'
import { stringify } from 'yaml'
import { freePort } from '../../harness/index.ts'
import type { OtlpSink, Server } from '../../harness/index.ts'
import { sendLogLine } from '../collector-configs.ts'
import type { OpampPeer, SeenAgent } from './opamp-peer.ts'
import type { Settings, Subject } from './subject.ts'
import type { Stage } from './scenario.ts'

export interface ForwardingOptions {
  readonly port: number
  readonly sink: OtlpSink
  /** The stub Collector misbehaves as told. */
  readonly stub?: Settings
  /** A processor on the way. */
  readonly batch?: string
  readonly more?: Settings
}

/** Logs in at `port`, out to the sink. */
export function forwarding({ port, sink, stub, batch, more = {} }: ForwardingOptions): string {
  const pipeline = {
    receivers: stub === undefined ? ['otlp'] : ['otlp', 'stub'],
    processors: batch === undefined ? [] : [batch],
    exporters: ['otlphttp/out'],
  }
  return stringify({
    receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } }, ...(stub === undefined ? {} : { stub }) },
    exporters: { 'otlphttp/out': { endpoint: sink.url, encoding: 'json', compression: 'none' } },
    service: { pipelines: { logs: pipeline } },
    ...more,
  })
}

/** Does nothing, well. */
export function idle(more: Settings = {}): string {
  return stringify({
    receivers: { nop: {} },
    exporters: { nop: {} },
    service: { pipelines: { logs: { receivers: ['nop'], exporters: ['nop'] } } },
    ...more,
  })
}

/** Does nothing, and misbehaves as told. For the stub alone. */
export function stubbed(stub: Settings): string {
  return stringify({ receivers: { stub }, exporters: { nop: {} }, service: { pipelines: { logs: { receivers: ['stub'], exporters: ['nop'] } } } })
}

export const isHealthy = (agent: SeenAgent) =>
  agent.connection !== undefined && agent.status.health?.healthy === true && agent.status.health.status === 'StatusOK'

export function untilHealthy(peer: OpampPeer, uid: string): Promise<true> {
  return peer.until(uid, (agent) => isHealthy(agent) || undefined, { what: 'connected and healthy' }) as Promise<true> // as: false is never given
}

export const statusOf = (agent: SeenAgent, hash: string) => agent.configStatuses.filter((one) => one.hash === hash).map(({ status }) => status)

export async function untilApplied(peer: OpampPeer, uid: string, hash: string): Promise<void> {
  await peer.until(uid, (agent) => statusOf(agent, hash).includes(RemoteConfigStatuses.RemoteConfigStatuses_APPLIED), { what: 'APPLIED' })
}

/** FAILED for that configuration; resolves with the text. */
export function untilFailed(peer: OpampPeer, uid: string, hash: string): Promise<string> {
  const isFailed = (one: SeenAgent['configStatuses'][number]) => one.hash === hash && one.status === RemoteConfigStatuses.RemoteConfigStatuses_FAILED
  return peer.until(uid, (agent) => agent.configStatuses.find(isFailed)?.errorMessage, { what: 'FAILED' }) as Promise<string> // as: false is never given
}

/** A supervisor at a peer of its own, healthy, with a configuration that lets logs through. */
export async function running(
  stage: Stage,
  settings: Settings = {},
  collector: string = stage.collector,
): Promise<{ peer: OpampPeer; subject: Subject; port: number; hash: string }> {
  const peer = await stage.peer()
  const subject = stage.subject({ endpoint: peer.url, settings, collector })
  await subject.start()
  await untilHealthy(peer, subject.uid)
  const port = await freePort()
  const hash = peer.offerConfig(subject.uid, { 'good.yaml': forwarding({ port, sink: stage.sink }) })
  await untilApplied(peer, subject.uid, hash)
  await expectTelemetry(stage, port)
  return { peer, subject, port, hash }
}

/** The same with a local file alone: quicker, as nothing has to be applied, and what happens later is no configuration's fault. */
export async function runningLocally(
  stage: Stage,
  settings: Settings & { readonly agent?: Settings } = {},
  collector: string = stage.collector,
): Promise<{ peer: OpampPeer; subject: Subject; port: number }> {
  const port = await freePort()
  const local = await writeLocal(stage, 'local.yaml', forwarding({ port, sink: stage.sink }))
  const peer = await stage.peer()
  const subject = stage.subject({ endpoint: peer.url, settings: { ...settings, agent: { config_files: [local], ...settings.agent } }, collector })
  await subject.start()
  await untilHealthy(peer, subject.uid)
  await expectTelemetry(stage, port)
  return { peer, subject, port }
}

/** A file in the scenario's folder; its path. */
export async function writeLocal(stage: Stage, name: string, text: string): Promise<string> {
  const file = join(stage.folder, name)
  await mkdir(stage.folder, { recursive: true })
  await writeFile(file, text)
  return file
}

let lines = 0

/** Sends a log line in and waits until it came out. */
export async function expectTelemetry(stage: Stage, port: number): Promise<void> {
  const text = `line ${++lines}`
  await sendLogLine(port, text)
  await stage.sink.untilReceived('logs', text)
}

/** Whether a log line goes through again in time. */
export async function telemetryReturns(stage: Stage, port: number, withinMs = stage.soonMs): Promise<boolean> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const isTaken = await sendLogLine(port, `line ${++lines}`).then(
      () => true,
      () => false,
    )
    if (isTaken) {
      await expectTelemetry(stage, port)
      return true
    }
    if (performance.now() > deadline) return false
    await new Promise((resolve) => setTimeout(resolve, 50)) // a closed port tells nobody when it opens
  }
}

/** The agent as the control plane shows it, as soon as it fits. */
export async function untilAgentAt(server: Server, uid: string, what: string, fits: (agent: AgentDetail) => boolean): Promise<AgentDetail> {
  let last: AgentDetail | undefined
  const look = async (api: ApiClient) => {
    try {
      last = (await api.getAgent({ params: { agentId: uid } })).data
    } catch (error) {
      if (error instanceof ApiError && error.problem.status === 404) return undefined // not connected yet
      throw error
    }
    return fits(last) ? last : undefined
  }
  try {
    return await server.until(look, { what })
  } catch (error) {
    throw new Error(`the agent was last seen as ${JSON.stringify(last)}`, { cause: error })
  }
}

/** Gives one agent a configuration through the control plane, and nothing else, without waves. The name must be new to it. */
export async function assignTo(server: Server, uid: string, name: string, body: string): Promise<void> {
  await server.api.createConfig({ body: { name, files: [{ name: `${name}.yaml`, body }] } })
  const group = `only-${uid.slice(-12)}`
  const settings = {
    selector: `service.instance.id = "${uid}"`,
    configs: [{ config: name, version: 1 }],
    ownTelemetry: null,
    rollout: { preset: 'everyone' as const },
  }
  const { data } = await server.api.listGroups({ query: { limit: 500 } })
  if (!data.items.some((one) => one.name === group)) {
    await server.api.createGroup({ body: { name: group, ...settings } })
    return
  }
  const { etag } = await server.api.getGroup({ params: { name: group } })
  await server.api.setGroup({ params: { name: group }, body: settings, ...(etag === null ? {} : { ifMatch: etag }) })
}

export const isUpAt = (agent: AgentDetail) => agent.connected && agent.healthy === true && agent.effectiveConfigHash !== null
export const isAppliedAt = (agent: AgentDetail) => agent.configState === 'applied' && agent.desiredConfigHash === agent.remoteConfigStatus?.hash

/** Somebody else's program that has a port. */
export async function takePort(): Promise<{ port: number } & AsyncDisposable> {
  const server = createServer((socket) => socket.destroy())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // as: a TCP listener's address is never text
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.close()
      await once(server, 'close')
    },
  }
}

/** A certificate for 127.0.0.1 that is its own authority. PEM texts. */
export async function createCertificate(folder: string, name: string): Promise<{ cert: string; key: string }> {
  const [certFile, keyFile] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)]
  const parts = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', `/CN=${name}`]
  const child = spawn('openssl', [...parts, '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', keyFile, '-out', certFile], { stdio: 'ignore' })
  const [code] = (await once(child, 'close')) as [number | null] // as: the event's arguments
  if (code !== 0) throw new Error(`openssl ended with ${code}`)
  return { cert: await readFile(certFile, 'utf8'), key: await readFile(keyFile, 'utf8') }
}
