/** The agents' own metrics: a wave against the agents without the change, or against its own past. */
import { isComparable, judgeAgainstControl, judgeAgainstPast } from '@drover/fleet'
import type { OwnMetric, TelemetryGate, Verdict } from '@drover/fleet'
import type { GateMember, GateQuestion, TelemetryEvidence } from '../seams.ts'

interface Traits {
  readonly name: string
  readonly betterWhen: 'lower' | 'higher'
  /**
   * Agents differ in it by what they do, so that a control group is compared by how it changed in each agent. The others are near zero
   * in an agent that is well: they have nothing to be a multiple of.
   */
  readonly relative: boolean
}

const traits: Readonly<Record<OwnMetric, Traits>> = {
  refused: { name: 'refused items per second', betterWhen: 'lower', relative: false },
  sendFailed: { name: 'items per second that could not be sent', betterWhen: 'lower', relative: false },
  queueUse: { name: 'use of the sending queues', betterWhen: 'lower', relative: false },
  cpu: { name: 'CPU use', betterWhen: 'lower', relative: true },
  memory: { name: 'memory', betterWhen: 'lower', relative: true },
  throughput: { name: 'items sent per second', betterWhen: 'higher', relative: true },
}

/** Points come every ten seconds; a mean of fewer than three is none. */
const minSpanMs = 30_000
/** Of a longer soak the last hour counts: what began late must not drown in what was well before. */
const maxSpanMs = 3_600_000
/** More agents make the verdict no better. */
const maxAgents = 1_000

export async function judgeOwnTelemetry(gate: TelemetryGate, question: GateQuestion, evidence: Pick<TelemetryEvidence, 'means'>): Promise<Verdict> {
  const { now } = question
  const from = Math.max(question.since, now - maxSpanMs)
  const { name, betterWhen, relative } = traits[gate.metric]
  if (now - from < minSpanMs)
    return {
      verdict: 'inconclusive',
      text: `${name}: ${Math.max(0, Math.floor((now - from) / 1000))} s of it say nothing yet, ${minSpanMs / 1000} s are needed`,
      numbers: {},
    }
  // Who got the change after the soak began has no span of its own that could be compared.
  const changed = sample(question.changed.filter(({ pushedAt }) => pushedAt !== null && pushedAt <= from))
  const pushedAt = Math.min(...question.changed.map((member) => member.pushedAt ?? from), from)
  const spans: Spans = { after: [from, now], before: [pushedAt - (now - from), pushedAt] }
  const rule = { maxRatio: gate.maxRatio, minSample: gate.minSample, betterWhen }
  const againstPast = async () => judgeAgainstPast(name, { ...rule, pairs: await readPairs(gate.metric, changed, spans, evidence) })
  if (gate.against === 'past') return againstPast()
  // In the last wave hardly anybody is left without the change: the wave's own past is the evidence that there is.
  if (question.control.length < gate.minSample || !isComparable(changed.length, question.control.length)) {
    const verdict = await againstPast()
    return { ...verdict, text: `too few agents without the change are left to compare with, so with its own past: ${verdict.text}` }
  }
  const [wave, control] = await Promise.all([changed, sample(question.control)].map((members) => readValues(gate.metric, relative, members, spans, evidence)))
  return judgeAgainstControl(relative ? `${name} (times that of before)` : name, { ...rule, wave: wave ?? [], control: control ?? [] })
}

interface Spans {
  readonly after: readonly [from: number, to: number]
  /** As long, and over before anybody of the wave got the change. */
  readonly before: readonly [from: number, to: number]
}

interface Pair {
  readonly before: number
  readonly after: number
}

/** Of agents that told nothing: not a number. */
async function readPairs(
  metric: OwnMetric,
  members: readonly GateMember[],
  { before, after }: Spans,
  evidence: Pick<TelemetryEvidence, 'means'>,
): Promise<readonly Pair[]> {
  const ids = members.map(({ id }) => id)
  const [was, is] = await Promise.all([evidence.means(metric, ids, ...before), evidence.means(metric, ids, ...after)])
  return ids.map((id) => ({ before: was.get(id) ?? Number.NaN, after: is.get(id) ?? Number.NaN }))
}

async function readValues(
  metric: OwnMetric,
  relative: boolean,
  members: readonly GateMember[],
  spans: Spans,
  evidence: Pick<TelemetryEvidence, 'means'>,
): Promise<readonly number[]> {
  if (relative) return (await readPairs(metric, members, spans, evidence)).map(({ before, after }) => after / before)
  const ids = members.map(({ id }) => id)
  const means = await evidence.means(metric, ids, ...spans.after)
  return ids.map((id) => means.get(id) ?? Number.NaN)
}

/** Evenly from the whole list. */
function sample(members: readonly GateMember[]): readonly GateMember[] {
  if (members.length <= maxAgents) return members
  return Array.from({ length: maxAgents }, (_, index) => members[Math.floor((index * members.length) / maxAgents)]).filter((member) => member !== undefined)
}
