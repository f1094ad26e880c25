/** Gates as a rollout asks them: a fleet and means that a test sets by hand, and servers on real sockets. */
import type { Gate, Verdict } from '@drover/fleet'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseAllowedTargets } from '../config/allowed-targets.ts'
import { createOutgoing, signedHeaders } from '../outgoing/index.ts'
import { startTestReceiver } from '../outgoing/test-receiver.ts'
import type { TestReceiver } from '../outgoing/test-receiver.ts'
import type { FleetAgent, GateMember, GateQuestion, TelemetryEvidence } from '../seams.ts'
import { createJudge } from './index.ts'

const now = Date.parse('2026-01-01T12:00:00Z')
const minuteMs = 60_000

type State = Partial<Pick<FleetAgent, 'healthy' | 'drifted' | 'offlineSince'>>

let receiver: TestReceiver
beforeEach(async () => {
  receiver = await startTestReceiver()
})
afterEach(() => receiver[Symbol.asyncDispose]())

const noMeans: TelemetryEvidence['means'] = () => Promise.resolve(new Map())

function setUp({ fleet = {}, means = noMeans, secret }: { fleet?: Record<string, State>; means?: TelemetryEvidence['means']; secret?: string } = {}) {
  const agent = (id: string): FleetAgent | undefined => {
    const state = fleet[id]
    return state && { id, name: id, lookup: () => undefined, offlineSince: null, connectedSince: 0, healthy: true, drifted: false, configError: null, ...state }
  }
  return createJudge({
    evidence: { means },
    fleet: () => ({ agent }),
    outgoing: createOutgoing({ allowed: parseAllowedTargets('127.0.0.1'), timeoutMs: 500 }),
    signingSecret: () => secret,
    clock: { now: () => now },
    log: pino({ level: 'silent' }),
  })
}

const member = (id: string, healthy: boolean | null = true, drifted: boolean | null = false): GateMember => ({
  id,
  pushedAt: now - 10 * minuteMs,
  before: { healthy, drifted },
})
const without = (id: string, healthy: boolean | null = true): GateMember => ({ ...member(id, healthy), pushedAt: null })
const named = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}${index}`)

function ask(over: Partial<GateQuestion> = {}): GateQuestion {
  return { rollout: 'rol_1', group: 'web.eu', from: 4, to: 5, wave: 0, round: 2, changed: [], control: [], since: now - 5 * minuteMs, now, ...over }
}

const limit = { maxCount: 1, maxPercent: 2, minSample: 20 }
const health: Gate = { kind: 'health', limit }
const drift: Gate = { kind: 'drift', limit }
const tell = ({ verdict, text }: Verdict) => `${verdict}: ${text}`

describe('the health gate', () => {
  it('counts agents that were well and are not', async () => {
    const fleet: Record<string, State> = { a: { healthy: false }, b: { healthy: false }, c: {}, sick: { healthy: false }, unknown: { healthy: false } }
    const changed = [member('a'), member('b'), member('c'), member('sick', false), member('unknown', null)]
    expect(await setUp({ fleet })(health, ask({ changed }))).toEqual({
      verdict: 'fail',
      text: '2 of 3 agents report bad health (67 %)',
      numbers: { bad: 2, of: 3, controlBad: 0, controlOf: 0 },
    })
    expect(tell(await setUp({ fleet: { ...fleet, b: {} } })(health, ask({ changed })))).toBe('pass: 1 of 3 agents report bad health (33 %)')
  })

  it('says nothing about agents that are away, unknown, or silent', async () => {
    const changed = named('a', 5).map((id) => member(id))
    const fleet: Record<string, State> = { a0: { offlineSince: now, healthy: false }, a1: { healthy: null }, a2: {}, a3: { offlineSince: now } }
    expect(tell(await setUp({ fleet })(health, ask({ changed })))).toBe('inconclusive: the health of only 1 of 5 agents is known now')
    expect((await setUp({ fleet })(health, ask({ changed: [member('a1')] }))).verdict).toBe('inconclusive')
    expect((await setUp({ fleet })(health, ask())).verdict).toBe('inconclusive')
    expect((await setUp({ fleet })(health, ask({ changed: [member('a2', null)] }))).verdict).toBe('inconclusive')
  })

  it('lets a change go on that agents need to become well', async () => {
    const changed = [member('a', false), member('b', false)]
    expect(tell(await setUp({ fleet: { a: { healthy: false }, b: {} } })(health, ask({ changed })))).toMatch(/^pass: none of 2 agents was healthy before/)
  })

  it('does not blame the change for an outage that all feel, whatever wave it comes in', async () => {
    const changed = named('a', 25).map((id) => member(id))
    const ids = named('c', 40)
    const fleet: Record<string, State> = Object.fromEntries([...changed.map(({ id }) => [id, { healthy: false }]), ...ids.map((id) => [id, { healthy: true }])])
    const judge = setUp({ fleet })
    // What agents without the change are now is all that is told of them.
    const control = () => ids.map((id) => without(id, fleet[id]?.healthy ?? null))
    expect(tell(await judge(health, ask({ changed, control: control() })))).toBe('fail: 25 of 25 agents report bad health (100 %)')
    for (const id of ids) fleet[id] = { healthy: false }
    const sentence = 'inconclusive: 25 of 25 agents report bad health (100 %), but so do 40 of 40 that did not get the change'
    expect(tell(await judge(health, ask({ changed, control: control() })))).toBe(sentence)
    // The next wave has them as they were; who was ill all the time counts for nothing.
    expect((await judge(health, ask({ changed, control: control(), wave: 1 }))).verdict).toBe('fail')
    for (const id of ids) fleet[id] = { healthy: true }
    await judge(health, ask({ changed, control: control(), wave: 1 }))
    for (const id of ids) fleet[id] = { healthy: false }
    expect(tell(await judge(health, ask({ changed, control: control(), wave: 2 })))).toBe(sentence)
  })
})

describe('the drift gate', () => {
  it('counts agents that run something else than they were sent, also where nothing was known before', async () => {
    const fleet: Record<string, State> = { a: { drifted: true }, b: { drifted: true }, c: { drifted: false }, old: { drifted: true } }
    const changed = [member('a'), member('b', true, null), member('c'), member('old', true, true)]
    expect(tell(await setUp({ fleet })(drift, ask({ changed })))).toBe('fail: 2 of 3 agents run something else than they were sent (67 %)')
    expect(tell(await setUp({ fleet })(drift, ask({ changed: [member('old', true, true)] })))).toMatch(/^pass: none of 1 agents ran what/)
  })
})

describe('the own-telemetry gate', () => {
  const gate = (over: Partial<Extract<Gate, { kind: 'ownTelemetry' }>> = {}): Gate => ({
    kind: 'ownTelemetry',
    metric: 'refused',
    against: 'control',
    maxRatio: 1.5,
    minSample: 3,
    ...over,
  })
  const changed = named('a', 5).map((id) => member(id))
  const control = named('c', 50).map((id) => without(id))
  const asked: { ids: number; fromMs: number; toMs: number }[] = []
  beforeEach(() => void asked.splice(0))

  /** Each agent's number, before and after the push; undefined: it told nothing. */
  const meansOf =
    (value: (id: string, after: boolean) => number | undefined): TelemetryEvidence['means'] =>
    (_, ids, fromMs, toMs) => {
      asked.push({ ids: ids.length, fromMs, toMs })
      return Promise.resolve(
        new Map(ids.flatMap((id) => [[id, value(id, toMs === now)] as const]).flatMap(([id, mean]) => (mean === undefined ? [] : [[id, mean] as const]))),
      )
    }

  it('compares with those that did not get the change, over the soak', async () => {
    const worse = setUp({ means: meansOf((id) => (id.startsWith('a') ? 100 : Number(id.slice(1)) / 10)) })
    expect(await worse(gate(), ask({ changed, control }))).toMatchObject({ verdict: 'fail', numbers: { agents: 5, control: 50, now: 100 } })
    expect(asked).toEqual([
      { ids: 5, fromMs: now - 5 * minuteMs, toMs: now },
      { ids: 50, fromMs: now - 5 * minuteMs, toMs: now },
    ])
    const same = setUp({ means: meansOf((id) => Number(id.slice(1)) / 10) })
    expect((await same(gate(), ask({ changed, control }))).verdict).toBe('pass')
  })

  it("compares with the wave's own past where too few agents are left without the change", async () => {
    const wave = named('a', 20).map((id) => member(id))
    const worse = setUp({ means: meansOf((_, after) => (after ? 100 : 1)) })
    const left = [without('c0')]
    expect(tell(await worse(gate(), ask({ changed: wave, control: left })))).toMatch(
      /^fail: too few agents without the change are left to compare with, so with its own past: /,
    )
    const same = setUp({ means: meansOf((id) => Number(id.slice(1))) })
    expect((await same(gate(), ask({ changed: wave, control: [] }))).verdict).toBe('pass')
    // Three agents alone are evidence of nothing.
    expect((await worse(gate(), ask({ changed: wave.slice(0, 3), control: [] }))).verdict).toBe('inconclusive')
  })

  it('compares by how much each agent changed, where agents differ by what they do', async () => {
    const memory = gate({ metric: 'memory' })
    // The wave is a ring of large machines.
    const large = setUp({ means: meansOf((id) => (id.startsWith('a') ? 4e9 : 1e8) + Number(id.slice(1))) })
    expect((await large(memory, ask({ changed, control }))).verdict).toBe('pass')
    const grown = setUp({ means: meansOf((id, after) => (id.startsWith('a') && after ? 3 : 1) * (1e8 + Number(id.slice(1)))) })
    expect(tell(await grown(memory, ask({ changed, control })))).toMatch(/^fail: memory \(times that of before\) is 3, those without the change 1 /)
    const less = setUp({ means: meansOf((id, after) => (id.startsWith('a') && after ? 0.2 : 1) * (50 + Number(id.slice(1)))) })
    expect((await less(gate({ metric: 'throughput' }), ask({ changed, control }))).verdict).toBe('fail')
  })

  it('compares with as long a span before the first push', async () => {
    const many = named('a', 12).map((id, index) => ({ ...member(id), pushedAt: now - 10 * minuteMs + index }))
    const judge = setUp({ means: meansOf((_, after) => (after ? 2 : 1)) })
    expect((await judge(gate({ against: 'past', metric: 'cpu' }), ask({ changed: many }))).verdict).toBe('fail')
    expect(asked).toEqual([
      { ids: 12, fromMs: now - 15 * minuteMs, toMs: now - 10 * minuteMs },
      { ids: 12, fromMs: now - 5 * minuteMs, toMs: now },
    ])
    asked.splice(0)
    await judge(gate({ against: 'past' }), ask({ changed: many, since: now - 30 * 60 * minuteMs }))
    expect(asked.map(({ fromMs, toMs }) => toMs - fromMs)).toEqual([60 * minuteMs, 60 * minuteMs])
  })

  it('says nothing too early, without data, or of agents that got the change later', async () => {
    const judge = setUp({ means: meansOf((id) => (id.startsWith('a') ? 100 : 0)) })
    expect(tell(await judge(gate(), ask({ changed, control, since: now - 10_000 })))).toBe(
      'inconclusive: refused items per second: 10 s of it say nothing yet, 30 s are needed',
    )
    expect((await setUp()(gate(), ask({ changed, control }))).verdict).toBe('inconclusive')
    const late = changed.map((one) => ({ ...one, pushedAt: now - minuteMs }))
    expect((await judge(gate(), ask({ changed: late, control }))).verdict).toBe('inconclusive')
    const someSilent = setUp({ means: meansOf((id) => (id === 'a0' || id === 'a1' ? undefined : id.startsWith('a') ? 100 : 0)) })
    expect((await someSilent(gate(), ask({ changed, control }))).verdict).toBe('fail')
    const mostSilent = setUp({ means: meansOf((id) => (id < 'a3' ? undefined : 100)) })
    expect((await mostSilent(gate(), ask({ changed, control }))).verdict).toBe('inconclusive')
  })

  it('looks at no more than a thousand agents of each side', async () => {
    const judge = setUp({ means: meansOf(() => 1) })
    expect((await judge(gate(), ask({ changed: named('a', 18_000).map((id) => member(id)), control }))).verdict).toBe('pass')
    expect(asked.map(({ ids }) => ids)).toEqual([1000, 50])
  })
})

describe('the PromQL gate', () => {
  const gate = (over: Partial<Extract<Gate, { kind: 'promql' }>> = {}): Gate => ({
    kind: 'promql',
    url: receiver.url,
    query: 'up',
    operator: '<',
    threshold: 1,
    ...over,
  })
  const at = now / 1000
  const vector = (...values: readonly unknown[]) => ({
    status: 'success',
    data: { resultType: 'vector', result: values.map((value) => ({ metric: {}, value: [at, value] })) },
  })
  const queryOf = (body: string) => new URLSearchParams(body).get('query') ?? ''

  /** Answers the query with this, and the question for its timestamp with `stamp`. */
  function answerWith(answer: unknown, stamp: unknown = vector(String(at - 10)), status = 200) {
    receiver.reply = (response, { body }) => {
      const isStamp = queryOf(body).startsWith('timestamp(')
      response
        .writeHead(isStamp ? 200 : status, { 'content-type': 'application/json' })
        .end(typeof answer === 'string' && !isStamp ? answer : JSON.stringify(isStamp ? stamp : answer))
    }
  }

  it('takes one number, of a vector or a scalar', async () => {
    answerWith(vector('0.25'))
    expect(await setUp()(gate(), ask())).toEqual({ verdict: 'pass', text: 'the query gave 0.25, which must be < 1', numbers: { value: 0.25, threshold: 1 } })
    answerWith(vector('1.5e+01'))
    expect((await setUp()(gate(), ask())).verdict).toBe('fail')
    answerWith(
      { status: 'success', data: { resultType: 'scalar', result: [at, '0'] }, infos: ['metric might not be a counter'] },
      { status: 'error', error: 'expected type instant vector' },
    )
    expect((await setUp()(gate(), ask())).verdict).toBe('pass')
  })

  it('asks below the path of the address, with the names of the rollout filled in', async () => {
    answerWith(vector('0'))
    const query = 'rate(errors{group="$group",rev=~"$revision|$previousRevision$"}[$soak]) # $rollout $wave $revisions'
    await setUp()(gate({ url: `${receiver.url}/mimir/?tenant=a`, query }), ask())
    await setUp()(gate({ url: `${receiver.url}/api/v1/query` }), ask())
    expect(new Set(receiver.calls.map(({ path }) => path))).toEqual(new Set(['/mimir/api/v1/query?tenant=a', '/api/v1/query']))
    const filled = 'rate(errors{group="web.eu",rev=~"5|4$"}[300s]) # rol_1 1 $revisions'
    const queries = receiver.calls.slice(0, 2).map(({ body }) => queryOf(body))
    expect(new Set(queries)).toEqual(new Set([filled, `timestamp(\n${filled}\n)`]))
  })

  const old = String(at - 3 * 86_400)
  it.each<[what: string, answer: unknown, sentence: RegExp, stamp?: unknown, status?: number]>([
    ['no series', vector(), /no series/],
    ['two series', vector('1', '2'), /2 series/, vector(String(at), String(at))],
    ['not a number', vector('NaN'), /gave NaN/],
    ['infinity', vector('+Inf'), /gave Infinity/],
    ['a sample of three days ago', vector('0'), /old sample/, vector(old)],
    ['a result of three days ago', { status: 'success', data: { resultType: 'scalar', result: [Number(old), '0'] } }, /old sample/],
    ['no age', vector('0'), /age of its sample cannot be told/, { status: 'error', error: 'busy' }],
    ['an age that is gone', vector('0'), /old sample/, vector()],
    ['text for a number', vector('0x1'), /no number/],
    ['a number for text', vector(1), /not one of a Prometheus server/],
    ['a histogram', { status: 'success', data: { resultType: 'vector', result: [{ metric: {}, histogram: [at, {}] }] } }, /histogram/],
    ['a matrix', { status: 'success', data: { resultType: 'matrix', result: [] } }, /matrix/],
    ['a string', { status: 'success', data: { resultType: 'string', result: [at, '0'] } }, /string/],
    ['a warning', { ...vector('0'), warnings: ['store  gateway\ntimed out'] }, /warning, "store gateway timed out"/],
    ['a part', { ...vector('0'), isPartial: true }, /incomplete/],
    ['an error', { status: 'error', errorType: 'bad_data', error: 'parse error' }, /status 400, "parse error"/, undefined, 400],
    ['status 500', 'oops', /gave no answer: status 500/, undefined, 500],
    ['another status', vector('0'), /status 203/, undefined, 203],
    ['no JSON', '<html>', /not one of a Prometheus server/],
    ['null', null, /not one of a Prometheus server/],
  ])('is inconclusive for %s', async (_, answer, sentence, stamp, status) => {
    answerWith(answer, stamp, status)
    expect(tell(await setUp()(gate(), ask()))).toMatch(new RegExp(`^inconclusive: .*${sentence.source}`))
  })

  it('is inconclusive for a server that is silent, gone or forbidden', async () => {
    receiver.reply = () => {}
    expect(tell(await setUp()(gate(), ask()))).toMatch(/^inconclusive: the query gave no answer: 127.0.0.1:\d+ gave no whole answer within 0.5 seconds/)
    expect(tell(await setUp()(gate({ url: 'http://[::ffff:169.254.169.254]/' }), ask()))).toMatch(/^inconclusive: .*link-local/)
    expect(tell(await setUp()(gate({ url: 'https://me:s3cret@example.com/' }), ask()))).toMatch(/^inconclusive: .*user or password/)
    expect(tell(await setUp()(gate({ url: 'nonsense' }), ask()))).toMatch(/^inconclusive: .*none of https/)
  })
})

describe('the webhook gate', () => {
  const gate = (): Gate => ({ kind: 'webhook', url: `${receiver.url}/gate` })
  const answerWith = (body: unknown, status = 200) => {
    receiver.reply = (response) => void response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body))
  }

  it('asks with counts and some ids, and takes the verdict', async () => {
    answerWith({ verdict: 'fail', text: 'error budget spent' })
    const changed = named('a', 150).map((id) => member(id))
    expect(tell(await setUp()(gate(), ask({ changed, control: [without('c')], wave: 1 })))).toBe('fail: the webhook said fail: error budget spent')
    const { headers, body } = receiver.calls[0] ?? { headers: {}, body: '' }
    expect(headers).toMatchObject({ 'content-type': 'application/json' })
    expect(headers).not.toHaveProperty('webhook-signature')
    expect(JSON.parse(body)).toEqual({
      type: 'rollout.gate',
      timestamp: '2026-01-01T12:00:00.000Z',
      data: {
        rollout: 'rol_1',
        group: 'web.eu',
        revision: 5,
        previousRevision: 4,
        wave: 2,
        round: 2,
        soakSeconds: 300,
        changed: { count: 150, agents: named('a', 100) },
        control: { count: 1, agents: ['c'] },
      },
    })
  })

  it('signs the question where there is a secret for the address', async () => {
    answerWith({ verdict: 'pass' })
    const secret = `whsec_${Buffer.from('a secret').toString('base64')}`
    expect((await setUp({ secret })(gate(), ask())).verdict).toBe('pass')
    const { headers, body } = receiver.calls[0] ?? { headers: {}, body: '' }
    expect(headers).toMatchObject(signedHeaders(secret, { id: 'rol_1_0_2', sentAt: now, body }))
  })

  it('is inconclusive for anything else', async () => {
    const said: string[] = []
    for (const [body, status] of [
      [{ verdict: 'maybe' }, 200],
      ['pass', 200],
      ['', 204],
      [{ verdict: 'pass' }, 500],
      [{ verdict: 'inconclusive', text: 'still counting' }, 200],
    ] as const) {
      answerWith(body, status)
      said.push(tell(await setUp()(gate(), ask())))
    }
    receiver.reply = () => {}
    said.push(tell(await setUp()(gate(), ask())))
    expect(said).toEqual([
      'inconclusive: the webhook gave an answer that is no verdict',
      'inconclusive: the webhook gave an answer that is no verdict',
      'inconclusive: the webhook gave an answer that is no verdict',
      'inconclusive: the webhook gave no answer: status 500',
      'inconclusive: the webhook said inconclusive: still counting',
      expect.stringMatching(/^inconclusive: the webhook gave no answer: .* within 0.5 seconds/),
    ])
  })
})

it('a gate whose evidence cannot be read is inconclusive', async () => {
  const judge = setUp({ means: () => Promise.reject(new Error('the disk is gone')) })
  const gate: Gate = { kind: 'ownTelemetry', metric: 'cpu', against: 'past', maxRatio: 2, minSample: 3 }
  expect(tell(await judge(gate, ask({ changed: [member('a')] })))).toBe('inconclusive: it could not be judged: the log of the server says why')
})
