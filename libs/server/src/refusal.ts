/** Turns away a request: with a reason, without reading the rest of it, and so that the client gets to see the answer. */
import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { TimerWheel } from './timer-wheel.ts'

export interface HttpRefusal {
  readonly status: number
  readonly message?: string
  readonly retryAfterSeconds?: number
  readonly headers?: Readonly<Record<string, string>>
}

/** Time for the client to read the answer. Closing at once, with bytes of its request unread, would make TCP throw the answer away. */
const lingerMs = 1_000

export function refuseRequest(response: ServerResponse, refusal: HttpRefusal, wheel: TimerWheel): void {
  if (response.headersSent || response.destroyed) return
  const { req: request } = response
  const body = bodyOf(refusal)
  response.writeHead(refusal.status, headersOf(refusal, body))
  if (request.complete) {
    response.end(body)
    return
  }
  // Not ended: Node would then close the connection at once.
  request.pause()
  response.write(body)
  linger(request.socket, wheel)
}

/** The same on the bare socket of an upgrade, which has no response object. */
export function refuseUpgrade(socket: Duplex, refusal: HttpRefusal, wheel: TimerWheel): void {
  const body = bodyOf(refusal)
  const headers = Object.entries(headersOf(refusal, body)).map(([name, value]) => `${name}: ${value}\r\n`)
  // The peer may be gone or go now; there is nothing to do about it.
  socket.on('error', () => socket.destroy())
  socket.end(`HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? ''}\r\n${headers.join('')}\r\n${body}`)
  linger(socket, wheel)
}

function bodyOf({ status, message = STATUS_CODES[status] ?? '' }: HttpRefusal): string {
  return `${message}\n`
}

function headersOf({ status, retryAfterSeconds, headers = {} }: HttpRefusal, body: string): Record<string, string | number> {
  return {
    connection: 'close',
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    ...(retryAfterSeconds === undefined ? {} : { 'retry-after': retryAfterSeconds }),
    ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    ...headers,
  }
}

function linger(socket: Duplex, wheel: TimerWheel): void {
  const end = wheel.after(lingerMs, () => socket.destroy())
  socket.once('close', () => end.cancel())
}
