/** Who would get a change in which wave, and who cannot run it: the same placement as at a start, on the fleet of now. */
import { setImmediate } from 'node:timers/promises'
import type { Finding, RolloutPreview } from '@drover/api'
import { matches, placeMembers } from '@drover/fleet'
import type { Candidate, RolloutPlan, Selector, Wave } from '@drover/fleet'
import type { FleetForRollouts, RevisionRule } from '../../seams.ts'
import type { ReadChange } from '../part.ts'
import type { RolloutMemory } from '../run/memory.ts'
import { atLeastMs, planSentences } from './plan-words.ts'
import { foreseePause } from './preview-evidence.ts'
import type { EvidenceTools } from './preview-evidence.ts'

export interface PreviewInput extends ReadChange {
  readonly current: number | null
  /** Selectors of the revisions of the group that agents have now. */
  readonly selectors: ReadonlyMap<number, Selector>
  readonly plan: RolloutPlan
}

interface PreviewTools extends EvidenceTools {
  readonly fleet: FleetForRollouts
  readonly memory: RolloutMemory
}

const sampleAgents = 5
const agentsPerTurn = 1_000
/** Waves whose members are looked through for components that they lack; the last of these stands for the rest. */
const checkedWaves = 8

export async function previewRollout(input: PreviewInput, { fleet, memory, evidence, now }: PreviewTools): Promise<RolloutPreview> {
  const { group, revision, plan, findings } = input
  const { waves, members } = await place(input, fleet, memory)
  const agents = members.flat()
  const isConnected = (id: string): boolean => fleet.agent(id)?.offlineSince === null
  const connected = members.map((wave) => wave.filter(isConnected))
  const [effect, unresolved, missing, pauses] = [
    await fleet.effectOf(agents, { group, revision }),
    await fleet.unresolved(agents, { group, revision }),
    await missingByWave(fleet, members, revision),
    await foreseePause(plan, connected, { evidence, now }),
  ]
  const newest = memory.newestOf(group)
  return {
    agents: agents.length,
    changing: effect.changing,
    notAccepting: effect.notAccepting,
    waves: waves.map((wave, index) => ({ ...showWave(wave, members[index] ?? [], connected[index]?.length ?? 0, fleet), missing: missing[index] ?? [] })),
    findings: [...findings, ...unresolved.map(toFinding), ...pauses],
    plan: planSentences(plan, waves),
    atLeastMs: atLeastMs(plan, waves, now),
    blockers: memory.over(group, agents).map((live) => ({ id: live.id, group: live.group })),
    supersedes: newest === undefined || newest.isOver ? null : newest.id,
  }
}

/** Which agent is in which wave is decided by the rollout's own id, so another sample comes later; the sizes are these. */
async function place({ group, revision, current, selectors, plan }: PreviewInput, fleet: FleetForRollouts, memory: RolloutMemory) {
  const candidates: Candidate[] = []
  let looked = 0
  for (const { id, lookup, offlineSince } of fleet.agents()) {
    if (++looked % agentsPerTurn === 0) await setImmediate()
    const held = memory.revisionFor(group, current, id).revision
    const isHeld = held !== null && isChosen(selectors.get(held), lookup)
    const wasGiven = current !== null && isChosen(selectors.get(current), lookup)
    if (isHeld || wasGiven || matches(revision.rule.selector, lookup)) candidates.push({ agent: id, lookup, reachable: offlineSince === null })
  }
  const { waves, placements } = placeMembers(plan, `preview of ${group}`, candidates)
  const members = waves.map((): string[] => [])
  for (const { agent, wave } of placements) members[wave]?.push(agent)
  return { waves, members }
}

function isChosen(selector: Selector | undefined, lookup: Candidate['lookup']): boolean {
  return selector !== undefined && matches(selector, lookup)
}

function showWave({ label, soakMs }: Wave, members: readonly string[], connected: number, fleet: FleetForRollouts) {
  const sample = members.slice(0, sampleAgents).map((id) => ({ id, name: fleet.agent(id)?.name ?? id }))
  return { label, agents: members.length, connected, soakMs, sample }
}

async function missingByWave(
  fleet: FleetForRollouts,
  members: readonly (readonly string[])[],
  revision: RevisionRule,
): Promise<RolloutPreview['waves'][number]['missing'][]> {
  const missing: RolloutPreview['waves'][number]['missing'][] = []
  for (const [index, agents] of members.entries()) {
    if (index === checkedWaves - 1) {
      missing.push([...(await fleet.missing(members.slice(index).flat(), revision))])
      break
    }
    missing.push([...(await fleet.missing(agents, revision))])
  }
  return missing
}

/** An error: who lacks a value is not offered anything. */
function toFinding({ message, place, line, column, lacking, agents }: Awaited<ReturnType<FleetForRollouts['unresolved']>>[number]): Finding {
  const who = lacking === 0 ? '' : ` (${lacking} ${lacking === 1 ? 'agent' : 'agents'}: ${agents.join(', ')}${lacking > agents.length ? ', …' : ''})`
  return {
    severity: 'error',
    code: 'unresolved-reference',
    message: message + who,
    file: place,
    ...(line === null ? {} : { line }),
    ...(column === null ? {} : { column }),
  }
}
