/** Gates in words, and how they stand now. */
import type { GateResult } from '@drover/api'
import { judgeShare, tally } from '@drover/fleet'
import type { Gate, GateRecord, Limit, OwnMetric, Rollout, RolloutPlan } from '@drover/fleet'
import { agentsText } from './words.ts'

export const metricWords: Readonly<Record<OwnMetric, string>> = {
  refused: 'refused data',
  sendFailed: 'data that could not be sent',
  queueUse: 'use of the sending queues',
  cpu: 'CPU time',
  memory: 'memory',
  throughput: 'throughput',
}

export const metricUnits: Readonly<Record<OwnMetric, string>> = {
  refused: 'items/s',
  sendFailed: 'items/s',
  queueUse: '%',
  cpu: 'cores',
  memory: 'bytes',
  throughput: 'items/s',
}

/** What a gate asks, e.g. `refused data is at most 1.5 times that of agents without the change`. */
export function gateTitle(gate: Gate): string {
  switch (gate.kind) {
    case 'applyFailures':
      return `${limitText(gate.limit)} fail it or do not answer`
    case 'lostAfterPush':
      return `${limitText(gate.limit)} are lost after the push`
    case 'health':
      return `${limitText(gate.limit)} become unhealthy`
    case 'drift':
      return `${limitText(gate.limit)} run something else than they should`
    case 'ownTelemetry': {
      const other = gate.against === 'control' ? 'that of agents without the change' : 'what it was before'
      return gate.metric === 'throughput'
        ? `throughput is at least 1/${gate.maxRatio} of ${other}`
        : `${metricWords[gate.metric]} is at most ${gate.maxRatio} times ${other}`
    }
    case 'promql':
      return `${gate.query} ${gate.operator} ${gate.threshold}`
    case 'webhook':
      return `the webhook ${hostOf(gate.url)} agrees`
    case 'approval':
      return `${gate.byAnother ? 'another person' : 'a person'} approves after ${gate.after === 'firstWave' ? 'the first wave' : 'every wave'}`
    default:
      return gate satisfies never
  }
}

/** Exceeded by more than the count that are also more than the percentage. */
export function limitText({ maxCount, maxPercent }: Limit): string {
  if (maxPercent === 0) return `at most ${agentsText(maxCount)}`
  return maxCount === 0 ? `at most ${maxPercent} % of agents` : `at most ${agentsText(maxCount)} or ${maxPercent} %`
}

/** Without what a query or a path may say. */
function hostOf(url: string): string {
  return URL.parse(url)?.host ?? url
}

export function showGates(plan: RolloutPlan, rollout: Rollout): GateResult[] {
  const records = latestRecords(rollout)
  return plan.gates.map((gate, index) => ({ gate: index, title: gateTitle(gate), ...resultOf(gate, index, rollout, records) }))
}

/** Of the wave that it is at: while it is watched, and after. */
function latestRecords(rollout: Rollout): readonly GateRecord[] {
  const soak = rollout.state === 'soaking' || rollout.state === 'paused' ? rollout.soak : null
  if (soak !== null) return soak.gates
  return rollout.judged?.wave === rollout.wave ? rollout.judged.gates : []
}

function resultOf(gate: Gate, index: number, rollout: Rollout, records: readonly GateRecord[]): Omit<GateResult, 'gate' | 'title'> {
  const record = records.find((one) => one.gate === index)
  if (record !== undefined) return { verdict: record.verdict, text: record.text, numbers: { ...record.numbers }, round: record.round }
  const unknown = { verdict: null, text: '', numbers: {}, round: 0 }
  const wave = rollout.waves[rollout.wave]
  if (wave === undefined || (gate.kind !== 'applyFailures' && gate.kind !== 'lostAfterPush')) return unknown
  const { bad, lost, judged } = tally([wave])
  if (judged === 0) return unknown
  const isLost = gate.kind === 'lostAfterPush'
  const { verdict, text, numbers } = judgeShare(
    isLost ? 'were lost after the push' : 'failed or did not answer',
    { bad: isLost ? lost : bad - lost, of: judged },
    gate.limit,
  )
  return { verdict, text, numbers: { ...numbers }, round: 0 }
}
