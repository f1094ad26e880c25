/** Pipelines that really run: OTLP/HTTP in, the same bytes out to each otlphttp exporter of the pipeline. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { typeOf } from './components.ts'
import { mapAt, textsAt, valueAt } from './configuration.ts'
import type { ConfigMap } from './configuration.ts'

type Signal = 'logs' | 'traces' | 'metrics'

const maxBodyBytes = 4 * 1024 * 1024
const defaultEndpoint = '127.0.0.1:4318'

/** A component could not be started. */
export class StartError extends Error {
  override readonly name = 'StartError'
}

export class Pipelines {
  readonly #config: ConfigMap
  readonly #servers: Server[] = []

  constructor(config: ConfigMap) {
    this.#config = config
  }

  /** Opens the ports of the receivers that a pipeline uses. Throws a StartError when one is taken. */
  async start(): Promise<void> {
    const used = new Set(Object.values(mapAt(this.#config, 'service', 'pipelines')).flatMap((pipeline) => textsAt(pipeline, 'receivers')))
    for (const id of used) {
      const protocols = mapAt(this.#config, 'receivers', id, 'protocols')
      if (typeOf(id) === 'otlp' && 'http' in protocols) await this.#listen(id, String(valueAt(protocols, 'http', 'endpoint') ?? defaultEndpoint))
    }
  }

  async #listen(receiver: string, endpoint: string): Promise<void> {
    const at = endpoint.lastIndexOf(':')
    const server = createServer((request, response) => void this.#receive(receiver, request, response))
    server.listen({ host: endpoint.slice(0, at) || '0.0.0.0', port: Number(endpoint.slice(at + 1)) })
    try {
      await once(server, 'listening')
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code === 'EADDRINUSE' ? 'address already in use' : 'cannot assign requested address' // as: what listen emits
      throw new StartError(`cannot start pipelines: failed to start "${receiver}" receiver: listen tcp ${endpoint}: bind: ${reason}`, { cause: error })
    }
    this.#servers.push(server)
  }

  async #receive(receiver: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of request as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > maxBodyBytes) return void request.destroy()
    }
    const signal = (request.url ?? '').replace('/v1/', '') as Signal // as: another one matches no pipeline
    const contentType = request.headers['content-type'] ?? 'application/json'
    const sent = await Promise.allSettled(this.#targets(receiver, signal).map((url) => post(`${url}/v1/${signal}`, contentType, Buffer.concat(chunks))))
    response.writeHead(sent.every(({ status }) => status === 'fulfilled') ? 200 : 503, { 'content-type': 'application/json' }).end('{}')
  }

  #targets(receiver: string, signal: Signal): readonly string[] {
    const pipelines = Object.entries(mapAt(this.#config, 'service', 'pipelines')).filter(([id]) => typeOf(id) === signal)
    const exporters = pipelines.flatMap(([, pipeline]) => (textsAt(pipeline, 'receivers').includes(receiver) ? textsAt(pipeline, 'exporters') : []))
    return exporters.flatMap((id) => {
      const endpoint = valueAt(this.#config, 'exporters', id, 'endpoint')
      return typeof endpoint === 'string' ? [endpoint] : []
    })
  }

  stop(): void {
    for (const server of this.#servers.splice(0)) {
      server.close()
      server.closeAllConnections()
    }
  }
}

async function post(url: string, contentType: string, body: Uint8Array<ArrayBuffer>): Promise<void> {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': contentType }, body })
  await response.arrayBuffer()
  if (!response.ok) throw new Error(`${url} answered ${response.status}`)
}

/** Where `service::telemetry` sends the Collector's own signals, by signal; each with its headers. */
export function ownTelemetryTargets(config: ConfigMap): readonly { readonly signal: Signal; readonly url: string; readonly headers: Record<string, string> }[] {
  const telemetry = mapAt(config, 'service', 'telemetry')
  const found = [
    ...exporters(valueAt(telemetry, 'metrics', 'readers'), 'periodic', 'metrics'),
    ...exporters(valueAt(telemetry, 'logs', 'processors'), 'batch', 'logs'),
    ...exporters(valueAt(telemetry, 'traces', 'processors'), 'batch', 'traces'),
  ]
  return found
}

function exporters(list: unknown, kind: string, signal: Signal) {
  if (!Array.isArray(list)) return []
  return (list as ConfigMap[]).flatMap((item) => {
    const endpoint = valueAt(item, kind, 'exporter', 'otlp', 'endpoint')
    if (typeof endpoint !== 'string') return []
    const headers = valueAt(item, kind, 'exporter', 'otlp', 'headers')
    const pairs = Array.isArray(headers)
      ? headers.map((one) => [String(valueAt(one, 'name')), String(valueAt(one, 'value'))] as const)
      : Object.entries(mapAt(item, kind, 'exporter', 'otlp', 'headers')).map(([key, value]) => [key, String(value)] as const)
    return [{ signal, url: endpoint, headers: Object.fromEntries(pairs) }]
  })
}

/** One log line, span or metric of its own for each of them. What cannot be sent is dropped. */
export async function sendOwnTelemetry(config: ConfigMap): Promise<void> {
  const attributes = Object.entries(mapAt(config, 'service', 'telemetry', 'resource')).map(([key, value]) => ({ key, value: { stringValue: String(value) } }))
  const resource = { attributes }
  const bodies: Record<Signal, unknown> = {
    logs: { resourceLogs: [{ resource, scopeLogs: [{ logRecords: [{ body: { stringValue: 'Everything is ready.' } }] }] }] },
    traces: { resourceSpans: [{ resource, scopeSpans: [{ spans: [{ name: 'stub' }] }] }] },
    metrics: { resourceMetrics: [{ resource, scopeMetrics: [{ metrics: [{ name: 'otelcol_process_uptime', gauge: { dataPoints: [{ asInt: '1' }] } }] }] }] },
  }
  await Promise.allSettled(
    ownTelemetryTargets(config).map(async ({ signal, url, headers }) => {
      const response = await fetch(url, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(bodies[signal]) })
      await response.arrayBuffer()
    }),
  )
}
