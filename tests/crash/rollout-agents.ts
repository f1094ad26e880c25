/** Agents that outlive the server and remember each configuration that they were offered: when, on which connection, and what they had then. */
import { RemoteConfigStatuses, decodeServerToAgent } from '@drover/protocol'
import { FAILURE_MARKER, ScriptedAgent, TimerQueue, agentTraits, createRandom, systemClock, webSocketLink } from '@drover/testing'
import type { CollectorMemory, Link, LinkEvents } from '@drover/testing'

export const rings = { canary: 3, second: 9, rest: 18 } as const
type Ring = keyof typeof rings
export const agentCount = Object.values(rings).reduce((sum, count) => sum + count, 0)
/** By place: two of the second ring and one of the rest cannot work with a configuration that asks for their verdict. */
const unfit = new Set([5, 8, 20])

const times = { startMs: 5, failMs: 10, applyMs: 30, crashLoopMs: 1000 }
const heartbeatMs = 2000

export interface SeenOffer {
  /** Milliseconds since 1970. */
  readonly at: number
  /** Of the server, counted from 0: on which of its starts the connection was opened. */
  readonly life: number
  /** Of the agent, counted from 1. */
  readonly connection: number
  readonly hash: string
  /** As the configuration says it of itself. */
  readonly number: number
  /** What the agent had said until then. */
  readonly before: { readonly hash: string; readonly status: 'unset' | 'applying' | 'applied' | 'failed' }
}

export interface CrashAgent {
  /** As the server calls it. */
  readonly id: string
  readonly ring: Ring
  /** Oldest first. */
  readonly offers: readonly SeenOffer[]
  /** Of the configuration that it runs for good; undefined: none. */
  readonly running: number | undefined
}

/** Each number makes another configuration; agents that are unfit fail one that is bad. */
export function numberedConfig(number: number, isBad: boolean): string {
  const verdict = isBad ? '\n    headers: {x-verdict: "${drover:agent.crash.verdict}"}' : ''
  return `receivers:
  nop: {}
exporters:
  otlp_http:
    endpoint: http://127.0.0.1:4318/number-${number}${verdict}
service:
  pipelines:
    logs: {receivers: [nop], exporters: [otlp_http]}
`
}

const numberIn = (config: string) => Number(/number-(\d+)/.exec(config)?.[1])

function statusOf({ status }: CollectorMemory): SeenOffer['before']['status'] {
  if (status === RemoteConfigStatuses.RemoteConfigStatuses_APPLIED) return 'applied'
  if (status === RemoteConfigStatuses.RemoteConfigStatuses_FAILED) return 'failed'
  return status === RemoteConfigStatuses.RemoteConfigStatuses_APPLYING ? 'applying' : 'unset'
}

export class RolloutAgents implements Disposable {
  readonly all: readonly CrashAgent[]
  /** The server's name for each instance uid; filled once they are connected. */
  readonly ids = new Map<string, string>()
  /** How often the server was started again. */
  lives = 0
  /** Messages that agents sent or got so far. */
  messages = 0
  /** Called at each of them. */
  onMessage: () => void = () => undefined
  readonly #timers = new TimerQueue({ clock: systemClock })
  readonly #agents: readonly ScriptedAgent[]

  constructor(url: string, token: string) {
    const ringOf = Object.entries(rings).flatMap(([ring, count]) => Array.from({ length: count }, () => ring as Ring)) // as: keys of `rings`
    const made = ringOf.map((ring, index) => this.#make(index, ring, url, token))
    this.#agents = made.map(({ agent }) => agent)
    this.all = made.map(({ shown }) => shown)
  }

  start(): void {
    for (const agent of this.#agents) agent.start()
  }

  #make(index: number, ring: Ring, url: string, token: string): { agent: ScriptedAgent; shown: CrashAgent } {
    const offers: SeenOffer[] = []
    const open = webSocketLink({ url, headers: { authorization: `Bearer ${token}` } })
    const random = createRandom(index + 1)
    const agent: ScriptedAgent = new ScriptedAgent({
      traits: agentTraits(index, { 'crash.ring': ring, 'crash.verdict': unfit.has(index) ? FAILURE_MARKER : 'fine' }),
      // Back soon after the server: what happens while they are away is another matter.
      random: () => random() / 4,
      openLink: (events, uid) => this.#watch(open, events, uid, (bytes, life) => remember(offers, agent, bytes, life)),
      timers: this.#timers,
      times,
      heartbeatMs,
    })
    const { ids } = this
    const shown: CrashAgent = {
      get id() {
        return ids.get(agent.uid) ?? agent.uid
      },
      ring,
      offers,
      get running() {
        return statusOf(agent.memory) === 'applied' && agent.memory.config !== undefined ? numberIn(agent.memory.config) : undefined
      },
    }
    return { agent, shown }
  }

  /** Counts what passes, and looks at it before the agent acts on it. */
  #watch(open: ReturnType<typeof webSocketLink>, events: LinkEvents, uid: string, look: (bytes: Uint8Array, life: number) => void): Link {
    let life = this.lives
    const link = open(
      {
        ...events,
        open: () => {
          life = this.lives
          events.open()
        },
        message: (bytes) => {
          look(bytes, life)
          events.message(bytes)
          this.#count()
        },
      },
      uid,
    )
    return {
      ...link,
      send: (message) => {
        const sent = link.send(message)
        this.#count()
        return sent
      },
    }
  }

  #count(): void {
    this.messages += 1
    this.onMessage()
  }

  [Symbol.dispose](): void {
    for (const agent of this.#agents) agent.kill()
    this.#timers.clear()
  }
}

function remember(offers: SeenOffer[], agent: ScriptedAgent, bytes: Uint8Array, life: number): void {
  const { remoteConfig } = decodeServerToAgent(bytes)
  if (remoteConfig === undefined) return
  const text = Object.values(remoteConfig.config?.configMap ?? {}).map(({ body }) => new TextDecoder().decode(body))
  offers.push({
    at: Date.now(),
    life,
    connection: agent.tally.connects,
    hash: Buffer.from(remoteConfig.configHash).toString('hex'),
    number: numberIn(text.join('\n')),
    before: { hash: Buffer.from(agent.memory.hash).toString('hex'), status: statusOf(agent.memory) },
  })
}
