/** Health and drift: how many agents that were well before the push are not well now, and whether those without the change fare as badly. */
import { judgeShare } from '@drover/fleet'
import type { Gate, Share, Verdict } from '@drover/fleet'
import type { FleetForRollouts, GateQuestion } from '../seams.ts'
import { stateNow } from './control-memory.ts'
import type { AgentState, ControlMemory } from './control-memory.ts'

type StateGate = Extract<Gate, { kind: 'health' | 'drift' }>

interface Words {
  /** After "4 of 31 agents". */
  readonly bad: string
  readonly unknown: string
  readonly noneWasWell: string
  /** Whether an agent in this state can get worse. */
  readonly wasWell: (state: AgentState) => boolean
  /** Undefined: not known. */
  readonly isBad: (state: AgentState) => boolean | undefined
}

const words: Readonly<Record<StateGate['kind'], Words>> = {
  health: {
    bad: 'report bad health',
    unknown: 'health',
    noneWasWell: 'was healthy before, so that none can have become worse',
    wasWell: ({ healthy }) => healthy === true,
    isBad: ({ healthy }) => (healthy === null ? undefined : !healthy),
  },
  drift: {
    bad: 'run something else than they were sent',
    unknown: 'running configuration',
    noneWasWell: 'ran what it had been sent before, so that none can have become worse',
    // Nothing was sent before the first configuration, and then nothing is known.
    wasWell: ({ drifted }) => drifted !== true,
    isBad: ({ drifted }) => drifted ?? undefined,
  },
}

export function judgeState(gate: StateGate, question: GateQuestion, fleet: Pick<FleetForRollouts, 'agent'>, memory: ControlMemory): Verdict {
  const { bad, unknown, noneWasWell, wasWell, isBad } = words[gate.kind]
  const { changed } = question
  const before = memory.statesBefore(question, fleet)
  const well = changed.filter((member) => wasWell(member.before))
  if (well.length === 0 && changed.some((member) => isBad(member.before) === true))
    return { verdict: 'pass', text: `none of ${changed.length} agents ${noneWasWell}`, numbers: { bad: 0, of: 0 } }
  const shareOf = (ids: Iterable<string>): Share => {
    const known = [...ids].map((id) => isBad(stateNow(fleet, id))).filter((one) => one !== undefined)
    return { bad: known.filter(Boolean).length, of: known.length }
  }
  const wave = shareOf(well.map(({ id }) => id))
  const control = shareOf([...before].filter(([, state]) => wasWell(state)).map(([id]) => id))
  const verdict = judgeShare(bad, wave, gate.limit, control)
  if (verdict.verdict === 'pass' && wave.of * 2 < well.length)
    return { ...verdict, verdict: 'inconclusive', text: `the ${unknown} of only ${wave.of} of ${well.length} agents is known now` }
  return verdict
}
