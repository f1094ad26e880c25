/** Which gates of a plan would have nothing to go by, and pause the rollout: told before it starts, not when nobody is there. */
import type { Finding } from '@drover/api'
import { isJudgeable } from '@drover/fleet'
import type { Known, OwnMetric, RolloutPlan, TelemetryGate } from '@drover/fleet'
import type { TelemetryEvidence } from '../../seams.ts'
import { metricWords } from './gate-words.ts'
import { agentsText, listText } from './words.ts'

export interface EvidenceTools {
  readonly evidence: Pick<TelemetryEvidence, 'means'>
  readonly now: number
}

/** Who told nothing for so long is not expected to tell anything during the rollout. */
const heardWithinMs = 10 * 60_000
/** Enough to tell what is known of a wave of any size. */
const maxSample = 200

/** At most one warning: of the first wave that would pause. `members`: the connected ones, by wave. */
export async function foreseePause(plan: RolloutPlan, members: readonly (readonly string[])[], tools: EvidenceTools): Promise<Finding[]> {
  const gates = plan.gates.filter((gate): gate is TelemetryGate => gate.kind === 'ownTelemetry')
  if (gates.length === 0) return []
  const knownOf = createCount(tools)
  const order = members.flat()
  let seen = 0
  for (const [index, wave] of members.entries()) {
    seen += wave.length
    if (wave.length === 0) continue
    const silent = await silentGates(gates, wave.slice(0, maxSample), order.slice(seen, seen + maxSample), knownOf)
    const [first] = silent
    if (first !== undefined) return [toFinding(index, silent, first)]
  }
  return []
}

type CountKnown = (metric: OwnMetric, agents: readonly string[]) => Promise<Known>

/** Who is compared with one wave is in a later one: each agent is asked about once. */
function createCount({ evidence, now }: EvidenceTools): CountKnown {
  const isTold = new Map<OwnMetric, Map<string, boolean>>()
  return async (metric, agents) => {
    const known = isTold.get(metric) ?? new Map<string, boolean>()
    isTold.set(metric, known)
    const asked = agents.filter((id) => !known.has(id))
    const told = asked.length === 0 ? new Map<string, number>() : await evidence.means(metric, asked, now - heardWithinMs, now)
    for (const id of asked) known.set(id, told.has(id))
    return { known: agents.filter((id) => known.get(id) === true).length, of: agents.length }
  }
}

interface SilentGate {
  readonly metric: OwnMetric
  readonly wave: Known
  readonly control: Known
}

async function silentGates(gates: readonly TelemetryGate[], wave: readonly string[], control: readonly string[], knownOf: CountKnown): Promise<SilentGate[]> {
  const silent: SilentGate[] = []
  for (const gate of gates) {
    const counts = { wave: await knownOf(gate.metric, wave), control: await knownOf(gate.metric, control) }
    if (!isJudgeable(gate, counts.wave, counts.control)) silent.push({ metric: gate.metric, ...counts })
  }
  return silent
}

function toFinding(index: number, silent: readonly SilentGate[], { wave, control }: SilentGate): Finding {
  const metrics = listText(silent.map(({ metric }) => metricWords[metric]))
  const isKnown = wave.known === wave.of && control.known === control.of
  const why = isKnown
    ? `${agentsText(wave.of)}, and ${agentsText(control.of)} to compare with, are too few for a verdict, whatever they say of ${metrics}; make the wave larger`
    : `too little is known of ${metrics} (of ${wave.known} of ${agentsText(wave.of)} in the wave, and of ${control.known} of ${agentsText(control.of)} to compare with); let agents send their own telemetry`
  return {
    severity: 'warning',
    code: 'gate-without-evidence',
    message: `wave ${index + 1} would pause until a person decides: ${why}, or choose a plan without these gates`,
  }
}
