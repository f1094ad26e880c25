/** The scripted agent against a server of a few lines: what it says, and when. */
import { create } from '@bufbuild/protobuf'
import {
  RemoteConfigStatuses,
  ServerToAgentSchema,
  decodeAgentToServer,
  encodeServerToAgent,
  instanceUidFromBytes,
  instanceUidToBytes,
  parseInstanceUid,
} from '@drover/protocol'
import type { AgentToServer } from '@drover/protocol'
import { describe, expect, it } from 'vitest'
import { FakeClock } from './fake-clock.ts'
import type { LinkEvents, OpenLink } from './link.ts'
import { createRandom } from './random.ts'
import { ScriptedAgent } from './scripted-agent.ts'
import type { ScriptedAgentOptions } from './scripted-agent.ts'
import { FAILURE_MARKER } from './scripted-collector.ts'
import { REFUSAL_MARKER } from './scripted-metrics.ts'
import { TimerQueue } from './timer-queue.ts'
import { agentTraits } from './traits.ts'

function setUp(options: Partial<ScriptedAgentOptions> = {}) {
  const clock = new FakeClock()
  const received: AgentToServer[] = []
  let events: LinkEvents | undefined
  let dials = 0
  const openLink: OpenLink = (given) => {
    events = given
    dials += 1
    return {
      send: (message) => {
        received.push(decodeAgentToServer(message))
        return 'sent'
      },
      close: () => {},
      cut: () => {},
    }
  }
  const agent = new ScriptedAgent({ traits: agentTraits(7), openLink, timers: new TimerQueue({ clock }), random: createRandom(1), ...options })
  const answer = (message: Parameters<typeof create<typeof ServerToAgentSchema>>[1]) =>
    events?.message(encodeServerToAgent(create(ServerToAgentSchema, message)))
  const offer = (body: string, hash = body) => {
    const bytes = new TextEncoder()
    answer({ remoteConfig: { config: { configMap: { 'a.yaml': { body: bytes.encode(body) } } }, configHash: bytes.encode(hash) } })
  }
  const start = () => {
    agent.start()
    events?.open()
  }
  return { agent, clock, received, answer, offer, start, events: () => events, dials: () => dials }
}

const CONFIG = 'service:\n  pipelines:\n    traces:\n      receivers: [otlp]\n'

describe('ScriptedAgent', () => {
  it('reports everything first, unhealthy and with the components as a hash, then the health tree', () => {
    const { received, clock, start } = setUp()
    start()
    const first = received[0]
    expect(first?.sequenceNum).toBe(0n)
    expect(first?.agentDescription?.nonIdentifyingAttributes.map((a) => a.key)).toContain('host.name')
    expect(first?.health?.healthy).toBe(false)
    expect(first?.remoteConfigStatus?.status).toBe(RemoteConfigStatuses.RemoteConfigStatuses_UNSET)
    expect(first?.availableComponents?.components).toEqual({})
    expect(first?.availableComponents?.hash.length).toBeGreaterThan(0)
    clock.advance(100)
    expect(received[1]?.health?.healthy).toBe(true)
    expect(Object.keys(received[1]?.health?.componentHealthMap ?? {})).toEqual(expect.arrayContaining(['extensions', 'pipeline:traces']))
    expect(received[1]?.agentDescription).toBeUndefined()
  })

  it('answers a good configuration with APPLYING at once and APPLIED after the apply time', () => {
    const { agent, received, clock, offer, start } = setUp()
    start()
    clock.advance(100)
    received.length = 0
    offer(CONFIG)
    expect(received.at(-1)?.remoteConfigStatus?.status).toBe(RemoteConfigStatuses.RemoteConfigStatuses_APPLYING)
    clock.advance(4999)
    const statuses = () => received.flatMap((message) => (message.remoteConfigStatus === undefined ? [] : [message.remoteConfigStatus.status]))
    expect(statuses()).toHaveLength(1)
    clock.advance(1)
    expect(statuses().at(-1)).toBe(RemoteConfigStatuses.RemoteConfigStatuses_APPLIED)
    const config = received.find((message) => message.effectiveConfig !== undefined)?.effectiveConfig?.configMap?.configMap['']
    expect(new TextDecoder().decode(config?.body)).toBe(CONFIG)
    expect(agent.healthy).toBe(true)
  })

  it('fails on a marked configuration and crash-loops until another one comes', () => {
    const { agent, received, clock, offer, start } = setUp()
    start()
    clock.advance(100)
    offer(`# ${FAILURE_MARKER}\n`)
    clock.advance(20)
    expect(received.at(-1)?.remoteConfigStatus?.status).toBe(RemoteConfigStatuses.RemoteConfigStatuses_FAILED)
    expect(received.at(-1)?.remoteConfigStatus?.errorMessage).toContain('exit code 1')
    const before = received.length
    clock.advance(10_000)
    expect(received.slice(before).filter((message) => message.health?.healthy === false)).toHaveLength(2)
    offer(CONFIG)
    clock.advance(5000)
    expect(agent.healthy).toBe(true)
    expect(received.at(-1)?.remoteConfigStatus?.status).toBe(RemoteConfigStatuses.RemoteConfigStatuses_APPLIED)
  })

  it('sends heartbeats that carry nothing, spread around the interval', () => {
    const { received, clock, start } = setUp()
    start()
    clock.advance(1000)
    received.length = 0
    clock.advance(300_000)
    expect(received.length).toBeGreaterThanOrEqual(9)
    expect(received.length).toBeLessThanOrEqual(11)
    expect(received.every((message) => message.health === undefined && message.agentDescription === undefined)).toBe(true)
  })

  it('comes back after a lost connection with a delta, its numbers continuing', () => {
    const { received, clock, start, events, dials } = setUp()
    start()
    clock.advance(1000)
    const last = received.at(-1)?.sequenceNum ?? 0n
    received.length = 0
    events()?.closed({ retryAfterMs: 3000 })
    clock.advance(2999)
    expect(dials()).toBe(1)
    clock.advance(1)
    events()?.open()
    expect(received[0]?.sequenceNum).toBe(last + 1n)
    expect(received[0]?.agentDescription).toBeUndefined()
  })

  it('sends a message again that did not arrive', () => {
    const { received, clock, start, events } = setUp()
    start()
    events()?.closed({ undelivered: true })
    clock.advance(5000)
    events()?.open()
    expect(received.at(-1)?.sequenceNum).toBe(0n)
    expect(received.at(-1)?.agentDescription).toBeDefined()
  })

  it('tells everything, and its components in full, when asked', () => {
    const { received, answer, start } = setUp()
    start()
    received.length = 0
    answer({ flags: 3n })
    expect(received).toHaveLength(1)
    expect(received[0]?.agentDescription).toBeDefined()
    expect(Object.keys(received[0]?.availableComponents?.components ?? {})).toContain('receivers')
  })

  it('restarts on command, and ignores everything else in that message', () => {
    const { agent, received, clock, answer, start } = setUp()
    start()
    clock.advance(100)
    received.length = 0
    answer({ command: {}, flags: 1n })
    clock.advance(1000)
    expect(agent.tally.restarts).toBe(1)
    expect(received.flatMap((message) => message.health?.healthy ?? [])).toEqual([false, true])
    expect(received.every((message) => message.agentDescription === undefined)).toBe(true)
  })

  it('takes a new uid and describes itself again', () => {
    const { agent, received, answer, start } = setUp()
    start()
    const uid = parseInstanceUid('01890a5d-ac96-774b-bcce-b302099a8057')
    answer({ agentIdentification: { newInstanceUid: instanceUidToBytes(uid) } })
    expect(agent.uid).toBe(uid)
    const last = received.findLast((message) => message.agentDescription !== undefined)
    expect(instanceUidFromBytes(last?.instanceUid ?? new Uint8Array())).toBe(uid)
  })

  it('says goodbye when it stops, and starts again with its memory and new numbers', () => {
    const { agent, received, clock, offer, start } = setUp()
    start()
    offer(CONFIG)
    clock.advance(6000)
    agent.stop()
    expect(received.at(-1)?.agentDisconnect).toBeDefined()
    expect(received.at(-1)?.health?.lastError).toBe('Supervisor is shutdown')
    received.length = 0
    start()
    expect(received[0]?.sequenceNum).toBe(0n)
    expect(received[0]?.remoteConfigStatus?.status).toBe(RemoteConfigStatuses.RemoteConfigStatuses_APPLIED)
  })

  it('is the same agent for the same index, and another for another', () => {
    expect(agentTraits(3)).toEqual(agentTraits(3))
    expect(agentTraits(3).uid).not.toBe(agentTraits(4).uid)
  })

  it('sends own metrics where it is told to, from then on, and worse ones under a configuration that refuses', () => {
    const sent: { endpoint: string; headers: object; values: Record<string, number> }[] = []
    const sender = { send: (endpoint: string, headers: object, json: string) => void sent.push({ endpoint, headers, values: valuesOf(json) }) }
    const { clock, answer, offer, start } = setUp({ telemetry: { sender, intervalMs: 10_000 } })
    start()
    clock.advance(60_000)
    expect(sent).toEqual([])
    const headers = { headers: [{ key: 'Authorization', value: 'Bearer t' }] }
    answer({ connectionSettings: { hash: new Uint8Array([1]), ownMetrics: { destinationEndpoint: 'http://127.0.0.1/v1/metrics', headers } } })
    clock.advance(60_000)
    expect(sent.length).toBeGreaterThanOrEqual(5)
    expect(sent.at(-1)).toMatchObject({ endpoint: 'http://127.0.0.1/v1/metrics', headers: { Authorization: 'Bearer t' }, values: { refused: 0 } })
    expect(sent.at(-1)?.values['accepted']).toBeGreaterThan(sent[0]?.values['accepted'] ?? Number.POSITIVE_INFINITY)
    offer(`# ${REFUSAL_MARKER}\n${CONFIG}`)
    clock.advance(60_000)
    expect(sent.at(-1)?.values['refused']).toBeGreaterThan(0)
  })
})

function valuesOf(json: string): Record<string, number> {
  const { resourceMetrics } = JSON.parse(json) as {
    resourceMetrics: { scopeMetrics: { metrics: { name: string; sum?: { dataPoints: { asInt?: string; asDouble?: number }[] } }[] }[] }[]
  }
  const metrics = resourceMetrics[0]?.scopeMetrics[0]?.metrics ?? []
  const value = (name: string) => Number(metrics.find((metric) => metric.name === name)?.sum?.dataPoints[0]?.asInt)
  return { accepted: value('otelcol_receiver_accepted_spans'), refused: value('otelcol_receiver_refused_spans') }
}
