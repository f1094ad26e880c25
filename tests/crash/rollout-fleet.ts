/** One group whose configuration goes from number to number, on a server that dies and comes back at the same place. */
import { join } from 'node:path'
import type { Rollout, RolloutPlan } from '@drover/api'
import { presets } from '@drover/fleet'
import { freePort, startServer } from '../harness/index.ts'
import type { Server } from '../harness/index.ts'
import { RolloutAgents, agentCount, numberedConfig } from './rollout-agents.ts'
import type { SeenOffer } from './rollout-agents.ts'
import { Course } from './rollout-course.ts'
import type { Measure, Point } from './rollout-course.ts'
import { endOf, findFaults, readRecord } from './rollout-record.ts'
import type { Restart, RolloutRecord } from './rollout-record.ts'

/** How it ends: everybody has the new configuration, or two agents fail it and everybody has the one before. */
export const stories = ['completed', 'rolledBack'] as const
export type Story = (typeof stories)[number]

export interface Told {
  readonly faults: readonly string[]
  readonly end: ReturnType<typeof endOf>
  /** undefined: it was killed before it came to its end. */
  readonly length: Readonly<Record<Measure, number>> | undefined
  /** What the rollout was at when the server died; undefined: it did not. */
  readonly killedWhile: string | undefined
  /** What agents were offered again on their next connection, because no answer to it had been heard. */
  readonly repeats: number
}

interface Places {
  readonly dataDir: string
  readonly agentsListen: string
  readonly consoleListen: string
}

interface Killed extends Restart {
  readonly killedAt: number
}

const name = 'numbered'
const endLimitMs = 45_000
const settledStates = new Set(['applied', 'restored', 'pending'])

const plan: RolloutPlan = {
  ...(structuredClone(presets.standard) as unknown as RolloutPlan), // as: the engine's own type is the same, without anything to write to
  waves: [
    { kind: 'ring', name: 'canary', selector: 'crash.ring = canary' },
    { kind: 'ring', name: 'second', selector: 'crash.ring = second' },
    { kind: 'percent', percent: 100 },
  ],
  soakMs: 300,
  gates: [{ kind: 'health', limit: { maxCount: 3, maxPercent: 0, minSample: 1 } }],
  budget: { maxCount: 1, maxPercent: 0, minSample: 1 },
  concurrency: 5,
  retries: { count: 1, delayMs: 150 },
  // Longer than the server is away.
  times: { applyTimeoutMs: 60_000, lostWithinMs: 60_000, lostGraceMs: 30_000, gateEveryMs: 1_000, patienceMs: 60_000 },
}

export class CrashFleet implements AsyncDisposable {
  readonly #places: Places
  readonly #agents: RolloutAgents
  #server: Server
  /** Of the newest configuration, which is its version as well. */
  #number = 1

  private constructor(places: Places, server: Server, agents: RolloutAgents) {
    this.#places = places
    this.#server = server
    this.#agents = agents
  }

  get dataDir(): string {
    return this.#places.dataDir
  }

  /** All agents have configuration 1. `folder` has to outlive it. */
  static async start(folder: string): Promise<CrashFleet> {
    const places = { dataDir: join(folder, 'data'), agentsListen: `127.0.0.1:${await freePort()}`, consoleListen: `127.0.0.1:${await freePort()}` }
    const server = await startServer(places)
    const { data: token } = await server.api.createEnrolmentToken({ body: { name: 'crash' } })
    const fleet = new CrashFleet(places, server, new RolloutAgents(server.agentsUrl, token.token))
    fleet.#agents.start()
    await fleet.#untilConnected()
    for (const { id, instanceUid } of (await server.api.listAgents({ query: { limit: 100 } })).data.items) fleet.#agents.ids.set(instanceUid, id)
    await server.api.createConfig({ body: { name, files: [{ name: 'main.yaml', body: numberedConfig(1, false) }] } })
    await server.api.createGroup({
      body: { name, selector: '*', configs: [{ config: name, version: 1 }], ownTelemetry: null, rollout: { preset: 'everyone' } },
    })
    await fleet.#untilOver(1, 1)
    return fleet
  }

  /** A rollout of the next number from its start to its end; at `point`, or else at its end, the server is killed and started again. */
  async tell(story: Story, point?: Point): Promise<Told> {
    const former = this.#number === 1 ? 1 : (this.#agents.all[0]?.running ?? 0)
    await this.#untilConnected() // who is away is in a later wave
    const number = await this.#addVersion(story === 'rolledBack')
    const wanted = story === 'completed' ? number : former
    const to = (await this.#newest()) + 1
    const [afterEvent, before] = [await this.#server.lastEventId(), await this.#countRollouts()]
    using course = new Course(this.dataDir, this.#agents)
    let length: Told['length']
    const killed = await this.#killAt(course, point, async () => {
      await this.#change(number)
      await this.#untilOver(to, wanted)
      length = course.length
    })
    if (killed !== undefined && (await this.#newest()) !== to) {
      // It died before the change was stored, and nobody was told that it is.
      await this.#untilConnected()
      await this.#change(number)
    }
    const { id } = await this.#untilOver(to, wanted)
    const record = await readRecord(this.#server.api, id, afterEvent)
    const made = (await this.#countRollouts()) - before
    const offers = this.#agents.all.map((agent) => agent.offers.filter((offer) => offer.number === number))
    return {
      faults: [...findFaults(record, this.#agents.all, number, killed), ...(made === 1 ? [] : [`${made} rollouts were made of one change`])],
      end: endOf(record, this.#agents.all, number),
      length,
      killedWhile: killed && whileAt(record, killed.killedAt),
      repeats: offers.reduce((sum, ofAgent) => sum + countRepeats(ofAgent), 0),
    }
  }

  async #killAt(course: Course, point: Point | undefined, act: () => Promise<void>): Promise<Killed | undefined> {
    if (point === undefined) {
      await act()
      return undefined
    }
    const server = this.#server
    let dead: { readonly at: number; readonly ended: Promise<void> } | undefined
    const kill = () => (dead ??= { at: Date.now(), ended: server.kill() })
    course.whenReached(point, kill)
    try {
      await act()
    } catch (error) {
      // The harness wraps what the event stream says; what counts is that somebody killed it.
      if (dead === undefined) throw error
    }
    const { at: killedAt, ended } = kill()
    await ended
    this.#agents.lives += 1
    const restart = { killedAt, at: Date.now(), life: this.#agents.lives }
    this.#server = await startServer(this.#places)
    return restart
  }

  async #untilConnected(): Promise<void> {
    await this.#server.until(async (api) => ((await api.countAgents({})).data.connected === agentCount ? true : undefined), { what: 'connected agents' })
  }

  async #addVersion(isBad: boolean): Promise<number> {
    const { api } = this.#server
    const { etag } = await api.getConfig({ params: { name } })
    this.#number += 1
    const files = [{ name: 'main.yaml', body: numberedConfig(this.#number, isBad) }]
    await api.createVersion({ params: { name }, body: { files }, ifMatch: etag ?? '*' })
    return this.#number
  }

  async #change(number: number): Promise<void> {
    const { api } = this.#server
    const { etag } = await api.getGroup({ params: { name } })
    const body = { selector: '*', configs: [{ config: name, version: number }], ownTelemetry: null, rollout: { plan } }
    await api.setGroup({ params: { name }, body, ifMatch: etag ?? '*' })
  }

  /** Revision that the newest rollout goes to. */
  async #newest(): Promise<number> {
    return (await this.#server.api.getGroup({ params: { name } })).data.rollout?.to ?? 0
  }

  async #countRollouts(): Promise<number> {
    return (await this.#server.api.listRollouts({ query: { group: name, limit: 1 } })).data.total
  }

  /** The rollout to this revision is over, every agent runs what it should, and the server knows. */
  async #untilOver(to: number, number: number): Promise<Rollout> {
    let last: Rollout | undefined
    const look = async (api: Server['api']) => {
      const { rollout: newest } = (await api.getGroup({ params: { name } })).data
      if (newest === null || newest.to !== to) return undefined
      last = (await api.getRollout({ params: { rolloutId: newest.id } })).data
      const isSettled = Object.keys(last.counts).every((state) => settledStates.has(state))
      return last.endedAt !== null && isSettled && this.#agents.all.every(({ running }) => running === number) ? last : undefined
    }
    try {
      return await this.#server.until(look, { what: `the end of the rollout to revision ${to}, with ${number} on all agents`, timeoutMs: endLimitMs })
    } catch (error) {
      const running = this.#agents.all.map((agent) => agent.running ?? `none (${agent.id})`).join(' ')
      throw new Error(`${last?.state}, ${last?.summary}, ${JSON.stringify(last?.waves.map(({ counts }) => counts))}; agents run ${running}`, { cause: error })
    }
  }

  /** Ends the server as an operator does. */
  async stop(): Promise<string> {
    return this.#server.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agents[Symbol.dispose]()
    await this.#server.kill()
  }
}

/** In the words of the last decision before. */
function whileAt({ decisions }: RolloutRecord, killedAt: number): string {
  const last = decisions.findLast(({ at }) => Date.parse(at) <= killedAt)
  if (last === undefined) return 'not started'
  if (last.kind === 'completed' || last.kind === 'rolledBack') return 'over'
  return last.kind === 'waveOpened' || last.kind === 'soaking' ? `${last.kind} ${(last.wave ?? 0) + 1}` : last.kind
}

function countRepeats(offers: readonly SeenOffer[]): number {
  return offers.filter((offer, index) => index > 0 && offers[index - 1]?.connection !== offer.connection && offer.before.status !== 'failed').length
}
