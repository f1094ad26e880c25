/** Asks a Prometheus-compatible server for one number. */
import { judgeQuery } from '@drover/fleet'
import type { Gate, QueryAnswer, Verdict } from '@drover/fleet'
import { OutgoingError } from '../outgoing/index.ts'
import type { Outgoing } from '../outgoing/index.ts'
import type { Clock, GateQuestion } from '../seams.ts'
import { parseAnswer } from './prometheus-answer.ts'
import type { ParsedAnswer } from './prometheus-answer.ts'

type PromqlGate = Extract<Gate, { kind: 'promql' }>

export interface PromqlOptions {
  readonly outgoing: Pick<Outgoing, 'send'>
  readonly clock: Clock
}

/** The server gives up before we do, so that it says why. */
const serverTimeLimit = '4s'

export async function judgePromql(gate: PromqlGate, question: GateQuestion, { outgoing, clock }: PromqlOptions): Promise<Verdict> {
  const query = fillIn(gate.query, question)
  // The time beside a value is that of the evaluation, however old the sample is. `timestamp()` of a plain selector tells the sample's own.
  const [answer, stamps] = await Promise.all([ask(gate.url, query, outgoing), ask(gate.url, `timestamp(\n${query}\n)`, outgoing)])
  return judgeQuery(gate, withAges(answer, stamps, clock.now()))
}

function withAges(answer: ParsedAnswer, stamps: ParsedAnswer, now: number): QueryAnswer {
  if ('problem' in answer) return answer
  if (answer.kind === 'vector' && answer.samples.length === 1 && 'problem' in stamps)
    return { problem: `the age of its sample cannot be told: ${stamps.problem}` }
  return {
    samples: answer.samples.map(({ value, at }, index) => {
      const stamp = answer.kind === 'vector' && !('problem' in stamps) ? stamps.samples[index] : undefined
      const ofSample = stamp === undefined ? (answer.kind === 'vector' ? Number.NaN : 0) : (stamp.at - stamp.value) * 1000
      // Also when the clocks of the two servers differ so much that no age can be trusted.
      return { value, ageMs: Math.max(ofSample, Math.abs(now - at * 1000)) }
    }),
  }
}

async function ask(url: string, query: string, outgoing: Pick<Outgoing, 'send'>): Promise<ParsedAnswer> {
  try {
    const { status, body } = await outgoing.send({
      method: 'POST',
      url: endpointOf(url),
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: new URLSearchParams({ query, timeout: serverTimeLimit }).toString(),
    })
    return parseAnswer(status, body.toString('utf8'))
  } catch (error) {
    if (error instanceof OutgoingError) return { problem: error.message }
    throw error
  }
}

const queryPath = '/api/v1/query'

/** `url` is the server's address, with the path below which it serves its API. An address that is none is refused when it is called. */
function endpointOf(text: string): string {
  const url = URL.parse(text)
  if (url === null) return text
  const path = url.pathname.replace(/\/+$/, '')
  url.pathname = path.endsWith(queryPath) ? path : `${path}${queryPath}`
  url.hash = ''
  return url.href
}

/** `$rollout`, `$group`, `$revision`, `$previousRevision` (0: there is none), `$wave` (from 1), `$soak` (so far, e.g. `300s`). Everything else stays as it is. */
export function fillIn(query: string, { rollout, group, from, to, wave, since, now }: GateQuestion): string {
  const values: Readonly<Record<string, string>> = {
    rollout,
    group,
    revision: String(to),
    previousRevision: String(from ?? 0),
    wave: String(wave + 1),
    soak: `${Math.max(1, Math.round((now - since) / 1000))}s`,
  }
  return query.replaceAll(/\$(rollout|group|revision|previousRevision|wave|soak)\b/g, (all, name: string) => values[name] ?? all)
}
