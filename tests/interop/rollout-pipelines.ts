/** A pipeline of spans: its configuration, good and bad, a backend that refuses, and load for it. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { REFUSAL_MARKER } from '@drover/testing'

const spansAtOnce = 10
const loadEveryMs = 500

/** Takes OTLP over HTTP at the port in `OTLP_PORT` and sends spans on, as JSON so that a test can read them. */
export function forwardSpans(backendUrl: string, note: string): string {
  return `# ${note}
receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:\${env:OTLP_PORT}
exporters:
  otlphttp/out:
    endpoint: ${backendUrl}
    encoding: json
    compression: none
    retry_on_failure:
      enabled: false
service:
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [otlphttp/out]
`
}

/** The same to a backend that refuses everything: the Collector starts and says that it is healthy. Scripted ones refuse when they read the marker. */
export const loseSpans = (refusingUrl: string): string => forwardSpans(refusingUrl, REFUSAL_MARKER)

export interface Backend extends AsyncDisposable {
  readonly url: string
}

/** Answers each request with "internal server error". */
export async function startRefusingBackend(): Promise<Backend> {
  const server = createServer((request, response) => {
    request.resume()
    response.statusCode = 500
    response.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // as: a TCP listener's address is never text
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Sends spans of that name to the Collector; false when it does not take them. */
export async function sendSpans(port: number, name: string): Promise<boolean> {
  const hex = (bytes: number) => Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('hex')
  const time = `${Date.now()}000000`
  const spans = Array.from({ length: spansAtOnce }, () => ({
    traceId: hex(16),
    spanId: hex(8),
    name,
    kind: 1,
    startTimeUnixNano: time,
    endTimeUnixNano: time,
  }))
  const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] })
  return fetch(`http://127.0.0.1:${port}/v1/traces`, { method: 'POST', headers: { 'content-type': 'application/json' }, body }).then(
    ({ ok }) => ok,
    () => false, // it is just being restarted
  )
}

/** Spans again and again to each port, as instrumented programs would. */
export function startLoad(ports: readonly number[]): Disposable {
  const timer = setInterval(() => void Promise.all(ports.map((port) => sendSpans(port, 'load'))), loadEveryMs)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
