/** Sends own telemetry of scripted agents over HTTP, all of them over a few connections. */
import { Agent, request } from 'node:http'

export interface TelemetrySender extends Disposable {
  /** Never waits, never throws: what cannot be sent is dropped, as own telemetry may be. */
  send(endpoint: string, headers: Readonly<Record<string, string>>, json: string): void
  readonly counts: { readonly sent: number; readonly refused: number; readonly dropped: number }
}

const mostWaiting = 2000
const timeoutMs = 10_000

export function createTelemetrySender(): TelemetrySender {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const counts = { sent: 0, refused: 0, dropped: 0 }
  let waiting = 0
  return {
    counts,
    send(endpoint, headers, json) {
      if (waiting >= mostWaiting) {
        counts.dropped += 1
        return
      }
      waiting += 1
      const call = request(endpoint, { method: 'POST', agent, timeout: timeoutMs, headers: { ...headers, 'content-type': 'application/json' } })
      const done = (outcome: keyof typeof counts) => {
        waiting -= 1
        counts[outcome] += 1
      }
      let settled = false
      const settle = (outcome: keyof typeof counts) => {
        if (!settled) done(outcome)
        settled = true
      }
      call.on('response', (response) => {
        response.resume()
        settle(response.statusCode === 200 ? 'sent' : 'refused')
      })
      call.on('timeout', () => call.destroy())
      call.on('error', () => settle('dropped'))
      call.on('close', () => settle('dropped'))
      call.end(json)
    },
    [Symbol.dispose]: () => agent.destroy(),
  }
}
