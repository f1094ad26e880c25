/** Scripted agents over real sockets that tell their own metrics: the rest of a fleet of which two hosts are real. */
import type { InstanceUid } from '@drover/protocol'
import { ScriptedAgent, TimerQueue, agentTraits, createRandom, createTelemetrySender, systemClock, webSocketLink } from '@drover/testing'
import type { Server } from '../harness/index.ts'

/** As often as a Collector that was set up by the printed file. */
const metricsIntervalMs = 10_000
const applyMs = 500

export class ScriptedFleet implements Disposable {
  readonly agents: readonly ScriptedAgent[]
  readonly #timers = new TimerQueue({ clock: systemClock, granularityMs: 100 })
  readonly #sender = createTelemetrySender()

  constructor(server: Server, token: string, count: number) {
    const openLink = webSocketLink({ url: server.agentsUrl, headers: { authorization: `Bearer ${token}` } })
    const telemetry = { sender: this.#sender, intervalMs: metricsIntervalMs }
    this.agents = Array.from({ length: count }, (_, index) => {
      const traits = agentTraits(index)
      return new ScriptedAgent({ traits, openLink, timers: this.#timers, random: createRandom(index), telemetry, times: { applyMs } })
    })
    for (const agent of this.agents) agent.start()
  }

  /** Those that were ever offered a configuration with this hash. */
  offered(hash: string): readonly InstanceUid[] {
    return this.agents.filter(({ tally }) => tally.offers.includes(hash)).map(({ uid }) => uid)
  }

  [Symbol.dispose](): void {
    for (const agent of this.agents) agent.stop()
    this.#timers.clear()
    this.#sender[Symbol.dispose]()
  }
}
