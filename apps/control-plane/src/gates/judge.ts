/** Judges the gates of a rollout: gathers what each needs, leaves the verdict to the rules of the fleet, and turns whatever goes wrong into an inconclusive one. */
import type { Gate, Verdict } from '@drover/fleet'
import type { Logger } from 'pino'
import type { Outgoing } from '../outgoing/index.ts'
import type { Clock, FleetForRollouts, GateQuestion, JudgeGate, TelemetryEvidence } from '../seams.ts'
import { createControlMemory } from './control-memory.ts'
import type { ControlMemory } from './control-memory.ts'
import { judgeOwnTelemetry } from './own-telemetry.ts'
import { judgePromql } from './promql.ts'
import { judgeState } from './state.ts'
import { askWebhook } from './webhook.ts'

export interface JudgeOptions {
  readonly evidence: Pick<TelemetryEvidence, 'means'>
  /** Asked at each judgement: the fleet is made after the judge. */
  readonly fleet: () => Pick<FleetForRollouts, 'agent'>
  readonly outgoing: Pick<Outgoing, 'send'>
  /** The secret under which questions to this address are signed; undefined: they are not. */
  readonly signingSecret: (url: string) => string | undefined
  readonly clock: Clock
  readonly log: Pick<Logger, 'warn'>
}

export function createJudge(options: JudgeOptions): JudgeGate {
  const memory = createControlMemory()
  return async (gate, question) => {
    try {
      return await judge(gate, question, options, memory)
    } catch (error) {
      options.log.warn({ err: error, gate: gate.kind, rollout: question.rollout }, 'gate could not be judged')
      return inconclusive('it could not be judged: the log of the server says why')
    }
  }
}

async function judge(gate: Gate, question: GateQuestion, options: JudgeOptions, memory: ControlMemory): Promise<Verdict> {
  switch (gate.kind) {
    case 'health':
    case 'drift':
      return judgeState(gate, question, options.fleet(), memory)
    case 'ownTelemetry':
      return judgeOwnTelemetry(gate, question, options.evidence)
    case 'promql':
      return judgePromql(gate, question, options)
    case 'webhook':
      return askWebhook(gate, question, options)
    case 'applyFailures':
    case 'lostAfterPush':
    case 'approval':
      return inconclusive('this gate is not judged by evidence')
    default:
      return gate satisfies never
  }
}

function inconclusive(text: string): Verdict {
  return { verdict: 'inconclusive', text, numbers: {} }
}
