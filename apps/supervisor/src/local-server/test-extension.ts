/** For tests: the agent's end of the local link, message by message. */
import { create } from '@bufbuild/protobuf'
import type { MessageInitShape } from '@bufbuild/protobuf'
import { agentCapabilities, AgentToServerSchema, decodeServerToAgent, encodeAgentToServer, instanceUidToBytes } from '@drover/protocol'
import type { AgentToServer, InstanceUid, ServerToAgent } from '@drover/protocol'
import { webSocketLink } from '@drover/testing'

type Init = Exclude<MessageInitShape<typeof AgentToServerSchema>, AgentToServer>

/** What a Collector's extension can do. */
const { mask } = agentCapabilities(['ReportsStatus', 'ReportsEffectiveConfig', 'ReportsHealth', 'ReportsAvailableComponents', 'ReportsHeartbeat'])

export class TestExtension {
  readonly #uid: InstanceUid
  readonly #link: ReturnType<ReturnType<typeof webSocketLink>>
  readonly #inbox: ServerToAgent[] = []
  readonly #opened = Promise.withResolvers<void>()
  /** Settles when the connection is refused or gone. */
  readonly closed: Promise<{ readonly retryAfterMs?: number }>
  #wake = Promise.withResolvers<void>()
  #sequenceNum = 0n

  constructor(port: number, uid: InstanceUid, headers: Readonly<Record<string, string>> = {}) {
    this.#uid = uid
    const { promise, resolve } = Promise.withResolvers<{ readonly retryAfterMs?: number }>()
    this.closed = promise
    this.#link = webSocketLink({ url: `ws://127.0.0.1:${port}/v1/opamp`, headers })(
      {
        open: () => this.#opened.resolve(),
        message: (bytes) => {
          this.#inbox.push(decodeServerToAgent(bytes))
          this.#wake.resolve()
        },
        ready: () => undefined,
        closed: resolve,
      },
      uid,
    )
  }

  async send(parts: Init = {}): Promise<void> {
    await this.#opened.promise
    const message = create(AgentToServerSchema, { instanceUid: instanceUidToBytes(this.#uid), sequenceNum: this.#sequenceNum, capabilities: mask, ...parts })
    this.#sequenceNum += 1n
    this.#link.send(encodeAgentToServer(message))
  }

  /** The first report: who it is, and the hash of its components. */
  async introduce(parts: Init = {}): Promise<ServerToAgent> {
    return this.ask({
      agentDescription: { identifyingAttributes: [{ key: 'service.name', value: { value: { case: 'stringValue', value: 'otelcol' } } }] },
      health: { healthy: false },
      effectiveConfig: { configMap: { configMap: { '': { body: new TextEncoder().encode('a: 1') } } } },
      availableComponents: { hash: Uint8Array.of(1) },
      ...parts,
    })
  }

  /** Sends a report and waits for the next message, which is the answer unless something was pushed before. */
  async ask(parts: Init = {}): Promise<ServerToAgent> {
    await this.send(parts)
    return this.next()
  }

  async next(): Promise<ServerToAgent> {
    for (;;) {
      const message = this.#inbox.shift()
      if (message !== undefined) return message
      this.#wake = Promise.withResolvers()
      await this.#wake.promise
    }
  }

  /** As when its process was killed. */
  cut(): void {
    this.#link.cut()
  }

  close(): void {
    this.#link.close()
  }
}
