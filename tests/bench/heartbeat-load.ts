/** Many agents on bare sockets that only send heartbeats: as little as possible is measured besides the server. */
import { create } from '@bufbuild/protobuf'
import {
  AgentDescriptionSchema,
  AgentToServerSchema,
  agentCapabilities,
  createInstanceUid,
  encodeAgentToServer,
  encodeFrame,
  instanceUidToBytes,
  keyValues,
} from '@drover/protocol'
import { randomFillSync } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'

const mask = agentCapabilities(['ReportsStatus', 'ReportsHeartbeat']).mask
const connectsAtOnce = 64

export interface LoadOptions {
  /** HOST:PORT. */
  readonly address: string
  readonly token: string
  readonly connections: number
  /** Heartbeats that wait for their answer at any moment. */
  readonly inFlight: number
  readonly seconds: number
}

export interface LoadResult {
  readonly connectsPerSecond: number
  readonly heartbeatsPerSecond: number
}

class LoadAgent {
  readonly #socket: Socket
  readonly #uid = instanceUidToBytes(createInstanceUid(Date.now(), (bytes) => randomFillSync(bytes)))
  #sequenceNum = 0n
  #unread: Buffer = Buffer.alloc(0)
  #onFrame: () => void = () => undefined

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('error', () => undefined)
  }

  /** The first report; resolves with its answer. */
  report(): Promise<void> {
    return new Promise((resolve) => {
      this.#onFrame = resolve
      this.#send({ agentDescription: create(AgentDescriptionSchema, { identifyingAttributes: keyValues({ 'service.name': 'bench' }) }) })
    })
  }

  beat(onAnswer: () => void): void {
    this.#onFrame = onAnswer
    this.#send({})
  }

  #send(parts: object): void {
    const message = create(AgentToServerSchema, { instanceUid: this.#uid, sequenceNum: this.#sequenceNum, capabilities: mask, ...parts })
    this.#sequenceNum += 1n
    this.#socket.write(webSocketFrame(encodeFrame(encodeAgentToServer(message))))
  }

  /** Answers to heartbeats are short, so frames have the two-byte header. */
  #read(chunk: Buffer): void {
    let bytes = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk])
    while (bytes.length >= 2) {
      const length = (bytes[1] ?? 0) & 0x7f
      if (length > 125) throw new Error('a longer answer than a heartbeat has')
      if (bytes.length < 2 + length) break
      const isBinary = ((bytes[0] ?? 0) & 0x0f) === 2
      bytes = bytes.subarray(2 + length)
      if (isBinary) this.#onFrame()
    }
    this.#unread = bytes
  }

  end(): void {
    this.#socket.destroy()
  }
}

/** A binary frame, masked with zeros: legal, and the payload stays as it is. */
function webSocketFrame(payload: Uint8Array): Buffer {
  const header =
    payload.length < 126
      ? Buffer.from([0x82, 0x80 | payload.length, 0, 0, 0, 0])
      : Buffer.from([0x82, 0xfe, payload.length >> 8, payload.length & 0xff, 0, 0, 0, 0])
  return Buffer.concat([header, payload])
}

async function open(options: LoadOptions): Promise<LoadAgent> {
  const [host = '', port = ''] = options.address.split(':')
  const socket = connect(Number(port), host).setNoDelay(true)
  socket.write(
    `GET /v1/opamp HTTP/1.1\r\nHost: ${options.address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\nAuthorization: Bearer ${options.token}\r\n\r\n`,
  )
  const [chunk] = (await once(socket, 'data')) as [Buffer] // as: a socket without encoding
  if (!chunk.toString('latin1').startsWith('HTTP/1.1 101')) throw new Error(chunk.toString('latin1'))
  const agent = new LoadAgent(socket)
  await agent.report()
  return agent
}

export async function measureHeartbeats(options: LoadOptions): Promise<LoadResult> {
  const connectStart = performance.now()
  const agents: LoadAgent[] = []
  const opener = async () => {
    while (agents.length < options.connections) {
      const slot = agents.length
      agents.length += 1
      agents[slot] = await open(options)
    }
  }
  await Promise.all(Array.from({ length: connectsAtOnce }, opener))
  const connectsPerSecond = options.connections / ((performance.now() - connectStart) / 1000)
  const heartbeatsPerSecond = await beatFor(agents, options)
  for (const agent of agents) agent.end()
  return { connectsPerSecond, heartbeatsPerSecond }
}

/** Round and round over all agents, always `inFlight` of them waiting. */
async function beatFor(agents: readonly LoadAgent[], { inFlight, seconds }: LoadOptions): Promise<number> {
  let next = 0
  let answers = 0
  const start = performance.now()
  const end = start + seconds * 1000
  const lane = () =>
    new Promise<void>((resolve) => {
      const beat = () => {
        if (performance.now() > end) return resolve()
        agents[next++ % agents.length]?.beat(() => {
          answers += 1
          beat()
        })
      }
      beat()
    })
  await Promise.all(Array.from({ length: Math.min(inFlight, agents.length) }, lane))
  return answers / ((performance.now() - start) / 1000)
}
