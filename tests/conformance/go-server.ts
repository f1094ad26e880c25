/** The OpAMP server of opamp-go, in a process of its own, driven by JSON lines. */
import { Child } from '../harness/index.ts'
import { ScriptedServer, everyServerCapability } from './scripted-server.ts'
import type { Answer, ListenOptions, Refusal } from './scripted-server.ts'

/** What the driver beside this file writes. Messages are base64 of their binary form. */
type Line =
  | {
      readonly event: 'request'
      readonly method: string
      readonly path: string
      readonly headers: Record<string, string[]>
      readonly refused?: number
      readonly certificate?: string
    }
  | { readonly event: 'message'; readonly connection: number; readonly message: string }
  | { readonly event: 'connected' | 'closed'; readonly connection: number }
  | { readonly event: 'readError' | 'writeError'; readonly connection: number; readonly error: string }
  | { readonly event: 'log'; readonly level: 'debug' | 'error'; readonly text: string }
  | { readonly event: 'badCommand'; readonly error: string }

interface Reply {
  readonly id: number
  readonly error?: string
  readonly value?: unknown
}

export interface Certificates {
  readonly ca: string
  readonly cert: string
  readonly key: string
  readonly clientCert: string
  readonly clientKey: string
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')

export class GoServer extends ScriptedServer {
  /** What it could not read: messages that it calls malformed, and broken connections. */
  readonly readErrors: string[] = []
  readonly child: Child
  #rest = ''
  #nextId = 1
  readonly #replies = new Map<number, (reply: Reply) => void>()

  constructor(executable: string) {
    super()
    this.child = new Child({ title: "opamp-go's server", command: executable, args: [], input: true })
    this.child.process.stdout?.on('data', (text: string) => this.#read(text))
  }

  static async start(executable: string, options: ListenOptions = {}): Promise<GoServer> {
    const server = new GoServer(executable)
    await server.listen(options)
    return server
  }

  async listen(options: ListenOptions): Promise<void> {
    const { tls, compression = false, customCapabilities = [] } = options
    const port = await this.#do('listen', { compression, customCapabilities, capabilities: Number(everyServerCapability), ...tls })
    this.port = Number(port)
    this.isTls = tls !== undefined
  }

  /** An authority of this process, a certificate for 127.0.0.1, and one for a client. PEM texts. */
  async createCertificates(): Promise<Certificates> {
    return (await this.#do('certificates', null)) as Certificates // as: the driver makes nothing else
  }

  /** The certificate of that authority for a signing request, which Go checks first. PEM texts. */
  async sign(request: string): Promise<string> {
    return String(await this.#do('sign', request))
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      const value = JSON.parse(line) as Line | Reply // as: the driver writes nothing else
      if ('event' in value) this.#onEvent(value)
      else this.#replies.get(value.id)?.(value)
    }
  }

  #onEvent(line: Line): void {
    switch (line.event) {
      case 'request': {
        const { event: _, headers, ...rest } = line
        const lowerCase = Object.fromEntries(Object.entries(headers).map(([name, values]) => [name.toLowerCase(), values]))
        this.note(() => this.requests.push({ ...rest, headers: lowerCase, at: performance.now() }))
        break
      }
      case 'message':
        this.noteMessage(line.connection, Uint8Array.from(Buffer.from(line.message, 'base64')))
        break
      case 'closed':
        this.note(() => this.closed.push(line.connection))
        break
      case 'readError':
        this.note(() => this.readErrors.push(line.error))
        break
      case 'badCommand':
        throw new Error(`the driver of opamp-go's server does not understand: ${line.error}`)
      case 'connected':
      case 'writeError':
      case 'log':
        break
      default:
        line satisfies never
    }
  }

  async #do(command: string, value: unknown): Promise<unknown> {
    const id = this.#nextId++
    const reply = new Promise<Reply>((resolve) => this.#replies.set(id, resolve))
    this.child.process.stdin?.write(`${JSON.stringify({ id, do: command, value })}\n`)
    const ended = this.child.ended.then((how) => Promise.reject<never>(new Error(`opamp-go's server ended with ${how}\n${this.child.tail()}`)))
    const { error, value: result } = await Promise.race([reply, ended])
    this.#replies.delete(id)
    if (error !== undefined) throw new Error(error)
    return result
  }

  async answer(answer: Answer): Promise<void> {
    await this.#do('answer', base64(this.encode(answer)))
  }

  async send(message: Answer): Promise<void> {
    await this.#do('send', base64(this.encode(message)))
  }

  async refuse(refusal: Refusal): Promise<void> {
    await this.#do('refuse', { times: refusal.times ?? 1, status: refusal.status, headers: refusal.headers ?? {} })
  }

  async setSilent(silent: boolean): Promise<void> {
    await this.#do('silent', silent)
  }

  async cut(): Promise<void> {
    await this.#do('disconnect', null)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child.kill()
  }
}
