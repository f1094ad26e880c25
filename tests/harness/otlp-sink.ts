/** A tiny OTLP/HTTP receiver: what a pipeline under test sends out arrives here. Takes uncompressed JSON. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface OtlpSink extends AsyncDisposable {
  /** For `exporters.otlphttp.endpoint`. */
  readonly url: string
  /** Waits until a body of that signal contains `text`. */
  untilReceived(signal: 'logs' | 'traces' | 'metrics', text: string, timeoutMs?: number): Promise<string>
}

const maxBodyChars = 4 * 1024 * 1024

export async function startOtlpSink(): Promise<OtlpSink> {
  const received: { readonly path: string; readonly body: string }[] = []
  const listeners = new Set<() => void>()
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (text: string) => {
      body += text
      if (body.length > maxBodyChars) request.destroy()
    })
    request.on('end', () => {
      received.push({ path: request.url ?? '', body })
      response.setHeader('content-type', 'application/json')
      response.end('{}')
      for (const listener of listeners) listener()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // as: a TCP listener's address is never text

  async function untilReceived(signal: string, text: string, timeoutMs = 60_000): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const look = () => {
      const found = received.find((one) => one.path === `/v1/${signal}` && one.body.includes(text))
      if (found !== undefined) resolve(found.body)
    }
    const timer = setTimeout(() => reject(new Error(`no ${signal} with ${text} arrived within ${timeoutMs} ms; ${received.length} requests came`)), timeoutMs)
    listeners.add(look)
    look()
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      listeners.delete(look)
    }
  }

  return {
    url: `http://127.0.0.1:${port}`,
    untilReceived,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
