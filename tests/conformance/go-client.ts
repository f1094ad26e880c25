/** The OpAMP client of opamp-go, in a process of its own, driven by JSON lines. */
import { toJson } from '@bufbuild/protobuf'
import type { DescMessage, JsonValue, MessageShape } from '@bufbuild/protobuf'
import {
  AgentDescriptionSchema,
  AvailableComponentsSchema,
  ComponentHealthSchema,
  CustomMessageSchema,
  EffectiveConfigSchema,
  RemoteConfigStatusSchema,
  agentCapabilities,
  instanceUidToBytes,
} from '@drover/protocol'
import type {
  AgentCapability,
  AgentDescription,
  AvailableComponents,
  ComponentHealth,
  CustomMessage,
  EffectiveConfig,
  InstanceUid,
  RemoteConfigStatus,
} from '@drover/protocol'
import { Child } from '../harness/index.ts'

/** What the client told its callbacks. Messages are in the JSON form of protobuf. */
export interface GoClientEvent {
  readonly event: 'connect' | 'connectFailed' | 'error' | 'command' | 'message' | 'opampSettings' | 'connectionSettings' | 'log' | 'badCommand'
  readonly error?: string
  readonly level?: 'debug' | 'error'
  readonly text?: string
  readonly response?: { readonly type?: string; readonly errorMessage?: string; readonly retryInfo?: { readonly retryAfterNanoseconds: string } }
  readonly command?: { readonly type?: string }
  readonly remoteConfig?: {
    readonly configHash: string
    readonly config: { readonly configMap: Record<string, { readonly body: string; readonly contentType?: string }> }
  }
  readonly agentIdentification?: { readonly newInstanceUid: string }
  readonly customCapabilities?: { readonly capabilities?: readonly string[] }
  readonly customMessage?: { readonly capability: string; readonly type: string; readonly data: string }
  readonly opamp?: { readonly heartbeatIntervalSeconds?: string }
  readonly offers?: { readonly hash: string; readonly ownMetrics?: { readonly destinationEndpoint: string }; readonly ownTraces?: unknown }
}

export interface GoClientStart {
  readonly url: string
  readonly transport: 'websocket' | 'http'
  readonly uid: InstanceUid
  readonly description: AgentDescription
  readonly capabilities: readonly AgentCapability[]
  readonly headers?: Readonly<Record<string, string>>
  readonly compression?: true
  /** Heartbeat, or polling interval; the client's own default is 30 s. */
  readonly heartbeatMs?: number
  readonly health?: ComponentHealth
  readonly components?: AvailableComponents
  readonly effectiveConfig?: EffectiveConfig
  readonly customCapabilities?: readonly string[]
  readonly requestInstanceUid?: true
}

interface Answer {
  readonly id: number
  readonly error?: string
}

const waitLimitMs = 30_000

export class GoClient implements AsyncDisposable {
  readonly events: GoClientEvent[] = []
  readonly child: Child
  #rest = ''
  #nextId = 1
  readonly #answers = new Map<number, (answer: Answer) => void>()
  readonly #listeners = new Set<() => void>()

  constructor(executable: string) {
    this.child = new Child({ title: "opamp-go's client", command: executable, args: [], input: true })
    this.child.process.stdout?.on('data', (text: string) => this.#read(text))
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      const value = JSON.parse(line) as GoClientEvent | Answer // as: the driver beside this file writes nothing else
      if ('event' in value) this.events.push(value)
      else this.#answers.get(value.id)?.(value)
    }
    for (const listener of this.#listeners) listener()
  }

  /** Throws what the client's own function gave as error. */
  async #do(command: string, value: JsonValue): Promise<void> {
    const id = this.#nextId++
    const answer = new Promise<Answer>((resolve) => this.#answers.set(id, resolve))
    this.child.process.stdin?.write(`${JSON.stringify({ id, do: command, value })}\n`)
    const ended = this.child.ended.then((how) => Promise.reject<never>(new Error(`opamp-go's client ended with ${how}\n${this.child.tail()}`)))
    const { error } = await Promise.race([answer, ended])
    this.#answers.delete(id)
    if (error !== undefined) throw new Error(error)
  }

  async start(start: GoClientStart): Promise<void> {
    await this.#do('start', {
      url: start.url,
      transport: start.transport,
      headers: { ...start.headers },
      instanceUid: Buffer.from(instanceUidToBytes(start.uid)).toString('base64'),
      capabilities: Number(agentCapabilities(start.capabilities).mask),
      compression: start.compression ?? false,
      heartbeatMs: start.heartbeatMs ?? 0,
      description: toJson(AgentDescriptionSchema, start.description),
      ...(start.health === undefined ? {} : { health: toJson(ComponentHealthSchema, start.health) }),
      ...(start.components === undefined ? {} : { components: toJson(AvailableComponentsSchema, start.components) }),
      ...(start.effectiveConfig === undefined ? {} : { effectiveConfig: toJson(EffectiveConfigSchema, start.effectiveConfig) }),
      customCapabilities: [...(start.customCapabilities ?? [])],
      requestInstanceUid: start.requestInstanceUid ?? false,
    })
  }

  #set<Desc extends DescMessage>(command: string, schema: Desc, message: MessageShape<Desc>): Promise<void> {
    return this.#do(command, toJson(schema, message))
  }

  setDescription = (message: AgentDescription) => this.#set('setDescription', AgentDescriptionSchema, message)
  setHealth = (message: ComponentHealth) => this.#set('setHealth', ComponentHealthSchema, message)
  setRemoteConfigStatus = (message: RemoteConfigStatus) => this.#set('setRemoteConfigStatus', RemoteConfigStatusSchema, message)
  setEffectiveConfig = (message: EffectiveConfig) => this.#set('setEffectiveConfig', EffectiveConfigSchema, message)
  sendCustomMessage = (message: CustomMessage) => this.#set('sendCustomMessage', CustomMessageSchema, message)
  setCapabilities = (names: readonly AgentCapability[]) => this.#do('setCapabilities', Number(agentCapabilities(names).mask))
  /** Says goodbye where the transport has one, and stops. */
  stop = () => this.#do('stop', null)

  /** The first event, counted from `since`, that fits. */
  async until(fits: (event: GoClientEvent) => boolean, what: string, since = 0): Promise<GoClientEvent> {
    const { promise, resolve, reject } = Promise.withResolvers<GoClientEvent>()
    const look = () => {
      const found = this.events.slice(since).find(fits)
      if (found !== undefined) resolve(found)
    }
    const timer = setTimeout(() => reject(new Error(`opamp-go's client saw no ${what} within ${waitLimitMs} ms\n${this.child.tail()}`)), waitLimitMs)
    this.#listeners.add(look)
    look()
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      this.#listeners.delete(look)
    }
  }

  /** How many answers without a command it processed. */
  get answers(): number {
    return this.events.filter((event) => event.event === 'message').length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child.kill()
  }
}
