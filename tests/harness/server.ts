/** A real Drover server as a child process, with a typed client that is signed in by its admin token. */
import { createApiClient } from '@drover/api'
import type { ApiClient, Event } from '@drover/api'
import { watch } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Child } from './child.ts'
import { followEvents } from './event-stream.ts'
import { createTemporaryFolder } from './folder.ts'
import type { TemporaryFolder } from './folder.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
export const cliMain = join(root, 'apps', 'cli', 'src', 'main.ts')
const startLimitMs = 60_000
const waitLimitMs = 60_000
const tickMs = 1000

export interface ServerOptions {
  /** Default: a temporary folder that goes away with the server. */
  readonly dataDir?: string
  /** HOST:PORT; default a free port. Name it when a server must come back where it was. */
  readonly agentsListen?: string
  readonly consoleListen?: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

export interface UntilOptions {
  /** For the message when it does not come. */
  readonly what: string
  readonly timeoutMs?: number
}

export class Server implements AsyncDisposable {
  readonly child: Child
  readonly dataDir: string
  /** E.g. `ws://127.0.0.1:1234/v1/opamp`. */
  readonly agentsUrl: string
  readonly consoleUrl: string
  readonly token: string
  readonly api: ApiClient
  readonly #folder: TemporaryFolder | undefined

  constructor(child: Child, dataDir: string, folder: TemporaryFolder | undefined, addresses: { agents: string; console: string }, token: string) {
    this.child = child
    this.dataDir = dataDir
    this.#folder = folder
    this.agentsUrl = addresses.agents
    this.consoleUrl = addresses.console
    this.token = token
    this.api = createApiClient({ baseUrl: this.consoleUrl, headers: () => ({ authorization: `Bearer ${token}` }) })
  }

  /** HOST:PORT of the agents' listener, for a server that must come back at the same place. */
  get agentsListen(): string {
    return new URL(this.agentsUrl).host
  }

  get consoleListen(): string {
    return new URL(this.consoleUrl).host
  }

  /** Asks `look` now, after each event and at least every second, until it gives something else than undefined. */
  async until<T>(look: (api: ApiClient) => Promise<T | undefined>, options: UntilOptions): Promise<T> {
    return this.#follow(undefined, options, () => look(this.api))
  }

  /** The first event after `after` (default: of all there are) that fits. */
  async untilEvent(fits: (event: Event) => boolean, options: UntilOptions & { readonly after?: number }): Promise<Event> {
    return this.#follow(options.after ?? 0, options, async (event) => (event !== undefined && fits(event) ? event : undefined))
  }

  async #follow<T>(after: number | undefined, options: UntilOptions, look: (event: Event | undefined) => Promise<T | undefined>): Promise<T> {
    const timeoutMs = options.timeoutMs ?? waitLimitMs
    const stop = new AbortController()
    const timer = setTimeout(() => stop.abort(), timeoutMs)
    try {
      const items = followEvents({ baseUrl: this.consoleUrl, token: this.token, signal: stop.signal, ...(after === undefined ? {} : { after }) })
      for await (const item of withTicks(items, tickMs)) {
        const found = await look(item?.kind === 'event' ? item.event : undefined)
        if (found !== undefined) return found
      }
    } catch (error) {
      if (!stop.signal.aborted) throw new Error(`waiting for ${options.what}`, { cause: error })
    } finally {
      clearTimeout(timer)
      stop.abort()
    }
    throw new Error(`${options.what}: not within ${timeoutMs} ms`)
  }

  /** Id of the newest event, to look only at what comes later. */
  async lastEventId(): Promise<number> {
    return (await this.api.getStatus({})).data.lastEventId
  }

  /** Value of a metric, summed over the label sets that contain `labels`; 0 when there is none. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const response = await fetch(`${this.consoleUrl}/metrics`, { headers: { authorization: `Bearer ${this.token}` } })
    if (!response.ok) throw new Error(`/metrics answered ${response.status}`)
    return sumMetric(await response.text(), name, labels)
  }

  /** SIGTERM; the data folder stays for another start. */
  async stop(): Promise<string> {
    return this.child.end()
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await this.child.kill()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child.end()
    await this.#folder?.[Symbol.asyncDispose]()
  }
}

/** The items as they come, and undefined in between when none came for a while: not every change of an agent is an event. */
async function* withTicks<T>(items: AsyncGenerator<T, void>, everyMs: number): AsyncGenerator<T | undefined, void> {
  let next = items.next()
  next.catch(() => undefined) // an abort while nobody waits
  for (;;) {
    const tick = Promise.withResolvers<undefined>()
    const timer = setTimeout(() => tick.resolve(undefined), everyMs)
    const item = await Promise.race([next, tick.promise]).finally(() => clearTimeout(timer))
    if (item === undefined) yield undefined
    else if (item.done === true) return
    else {
      yield item.value
      next = items.next()
      next.catch(() => undefined)
    }
  }
}

export function sumMetric(text: string, name: string, labels: Readonly<Record<string, string>>): number {
  let sum = 0
  for (const line of text.split('\n')) {
    const match = /^([a-zA-Z_:][\w:]*)(\{.*\})? (\S+)/.exec(line)
    if (match === null || match[1] !== name) continue
    if (Object.entries(labels).every(([key, value]) => match[2]?.includes(`${key}="${value}"`))) sum += Number(match[3])
  }
  return sum
}

export async function startServer(options: ServerOptions = {}): Promise<Server> {
  const folder = options.dataDir === undefined ? await createTemporaryFolder() : undefined
  const dataDir = options.dataDir ?? join(folder?.path ?? '', 'data')
  const readyFolder = await createTemporaryFolder()
  const readyFile = join(readyFolder.path, 'ready.json')
  const listeners = ['--agents-listen', options.agentsListen ?? '127.0.0.1:0', '--console-listen', options.consoleListen ?? '127.0.0.1:0']
  const child = new Child({
    title: 'drover server',
    command: process.execPath,
    args: [cliMain, 'server', '--data', dataDir, ...listeners, '--ready-file', readyFile, ...(options.args ?? [])],
    ...(options.env === undefined ? {} : { env: options.env }),
  })
  try {
    const ready = JSON.parse(await untilFile(readyFile, child)) as { agents: string; console: string; pid: number } // as: fixed contract of the ready file
    if (ready.pid !== child.pid) throw new Error(`the ready file has pid ${ready.pid}, the server has ${child.pid}`)
    const token = (await readFile(join(dataDir, 'admin.token'), 'utf8')).trim()
    return new Server(child, dataDir, folder, ready, token)
  } catch (error) {
    await child.kill()
    await folder?.[Symbol.asyncDispose]()
    throw new Error(`the server did not start\n${child.tail()}`, { cause: error })
  } finally {
    await rm(readyFolder.path, { recursive: true, force: true })
  }
}

/** The content of a file that a child is about to write. */
async function untilFile(file: string, child: Child): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const look = async () => {
    const text = await readFile(file, 'utf8').catch(() => '') // not there yet
    if (text.trim().endsWith('}')) resolve(text)
  }
  const watcher = watch(dirname(file), () => void look())
  const timer = setTimeout(() => reject(new Error(`no ${file} within ${startLimitMs} ms`)), startLimitMs)
  void child.ended.then((how) => reject(new Error(`ended with ${how}`)))
  void look()
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    watcher.close()
  }
}
