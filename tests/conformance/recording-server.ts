/** The server SDK on a real port with a handler that remembers everything: what opamp-go's client is tried against. */
import { createOpampServer } from '@drover/server'
import type {
  Admission,
  AgentReport,
  ConnectRequest,
  Disconnection,
  Duplicate,
  Offer,
  OpampServer,
  OpampServerOptions,
  RefusalCause,
  ServerLimits,
} from '@drover/server'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, OutgoingHttpHeaders, Server as HttpServer, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Watch } from './watch.ts'

export interface RecordingOptions {
  readonly limits?: Partial<ServerLimits>
  readonly port?: number
  readonly capabilities?: OpampServerOptions['capabilities']
  readonly customCapabilities?: readonly string[]
}

export interface Exchange {
  readonly method: string
  readonly requestHeaders: IncomingMessage['headers']
  readonly status: number
  readonly responseHeaders: OutgoingHttpHeaders
}

export class RecordingServer implements AsyncDisposable {
  readonly opamp: OpampServer
  readonly requests: ConnectRequest[] = []
  readonly reports: AgentReport[] = []
  readonly disconnections: Disconnection[] = []
  readonly duplicates: Duplicate[] = []
  readonly refusals: RefusalCause[] = []
  /** Plain HTTP requests that were answered. */
  readonly exchanges: Exchange[] = []
  received = { heartbeat: 0, report: 0, refused: 0 }
  /** What the handler answers; a test sets it. */
  answer: (report: AgentReport) => Offer | undefined = () => undefined
  admit: (request: ConnectRequest) => Admission = () => ({ kind: 'accept', principal: 'test' })
  readonly #http: HttpServer
  readonly #watch = new Watch(() => `${this.requests.length} requests, ${this.reports.length} reports`)

  constructor(http: HttpServer, options: RecordingOptions) {
    this.#http = http
    this.opamp = createOpampServer({
      capabilities: options.capabilities ?? ['AcceptsStatus', 'OffersRemoteConfig', 'AcceptsEffectiveConfig', 'OffersConnectionSettings'],
      ...(options.customCapabilities === undefined ? {} : { customCapabilities: options.customCapabilities }),
      ...(options.limits === undefined ? {} : { limits: options.limits }),
      handler: {
        authenticate: (request) => {
          this.#note(() => this.requests.push(request))
          return this.admit(request)
        },
        onReport: (report) => {
          this.#note(() => this.reports.push(report))
          return this.answer(report)
        },
        onDisconnect: (gone) => this.#note(() => this.disconnections.push(gone)),
        onDuplicate: (duplicate) => this.#note(() => this.duplicates.push(duplicate)),
      },
      observe: {
        received: ({ kind }) => this.#note(() => (this.received[kind] += 1)),
        refused: (cause) => this.#note(() => this.refusals.push(cause)),
      },
    })
    http.on('request', (request, response) => tapResponse(request, response, (exchange) => this.#note(() => this.exchanges.push(exchange))))
    this.opamp.attach(http)
  }

  #note(remember: () => void): void {
    this.#watch.note(remember)
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port // as: a TCP listener's address is never text
  }

  url(transport: 'websocket' | 'http'): string {
    return `${transport === 'http' ? 'http' : 'ws'}://127.0.0.1:${this.port}/v1/opamp`
  }

  /** Asks `look` now and after everything that happens, until it gives something. */
  until<T>(look: () => T | undefined, what: string): Promise<T> {
    return this.#watch.until(look, what)
  }

  untilReport(fits: (report: AgentReport) => boolean, what: string): Promise<AgentReport> {
    return this.until(() => this.reports.find(fits), what)
  }

  /** Cuts every TCP connection, as a broken network does. */
  cutConnections(): void {
    this.#http.closeAllConnections()
    for (const socket of this.sockets) socket.destroy()
  }

  readonly sockets = new Set<{ destroy(): void }>()

  async [Symbol.asyncDispose](): Promise<void> {
    await this.opamp[Symbol.asyncDispose]()
    this.cutConnections()
    this.#http.close()
    await once(this.#http, 'close')
  }
}

/** Headers given to `writeHead` are not among `getHeaders()`, so this listens where they pass. */
function tapResponse(request: IncomingMessage, response: ServerResponse, onHead: (exchange: Exchange) => void): void {
  const writeHead = response.writeHead.bind(response) as (...args: readonly unknown[]) => ServerResponse // as: the overloads do not matter here
  response.writeHead = (status: number, ...rest: readonly unknown[]) => {
    const headers = rest.at(-1) as OutgoingHttpHeaders | undefined // as: Node's own order of arguments
    onHead({ method: request.method ?? '', requestHeaders: request.headers, status, responseHeaders: { ...response.getHeaders(), ...headers } })
    return writeHead(status, ...rest)
  }
}

export async function startRecordingServer(options: RecordingOptions = {}): Promise<RecordingServer> {
  const http = createServer()
  const server = new RecordingServer(http, options)
  http.on('connection', (socket) => {
    server.sockets.add(socket)
    socket.once('close', () => server.sockets.delete(socket))
  })
  http.listen(options.port ?? 0, '127.0.0.1')
  await once(http, 'listening')
  return server
}
