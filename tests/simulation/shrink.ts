/** Makes a scenario smaller, so that a failure can be understood. */
import { goodRevision, groupNames, type Scenario } from './scenario.ts'

const without = <T>(values: readonly T[], index: number): readonly T[] => values.filter((_, at) => at !== index)

/** Smaller ones to try when this one fails, the greatest steps first. */
export function smaller(scenario: Scenario): readonly Scenario[] {
  return [...fewerAgents(scenario), ...fewerFaults(scenario), ...fewerActs(scenario), ...simplerWorld(scenario), ...simplerPlans(scenario)]
}

function fewerAgents(scenario: Scenario): readonly Scenario[] {
  const { agents } = scenario
  return [...new Set([0, Math.floor(agents / 2), agents - 1])].filter((count) => count >= 0 && count < agents).map((count) => ({ ...scenario, agents: count }))
}

function fewerFaults(scenario: Scenario): readonly Scenario[] {
  const { faults, maxFaults } = scenario
  if (faults.length === 0) return []
  const limits = maxFaults === null ? [1, 4, 16, 64] : [Math.floor(maxFaults / 2), maxFaults - 1].filter((limit) => limit > 0 && limit < maxFaults)
  return [
    { ...scenario, faults: [] },
    ...faults.map((_, index) => ({ ...scenario, faults: without(faults, index) })),
    ...limits.map((limit) => ({ ...scenario, maxFaults: limit })),
  ]
}

function fewerActs(scenario: Scenario): readonly Scenario[] {
  const { acts } = scenario
  return [...(acts.length > 1 ? [{ ...scenario, acts: [] }] : []), ...acts.map((_, index) => ({ ...scenario, acts: without(acts, index) }))]
}

function simplerWorld(scenario: Scenario): readonly Scenario[] {
  const shares = ['transient', 'mute', 'wordless', 'deaf', 'flappers', 'stuck', 'absent'] as const
  const { revisions } = scenario
  return [
    ...shares.filter((share) => scenario[share] > 0).map((share) => ({ ...scenario, [share]: 0 })),
    ...(scenario.groups.length > 1 ? [{ ...scenario, groups: ['g'] as const, acts: scenario.acts.filter(({ group }) => group === 'g') }] : []),
    ...(scenario.restlessMs === null ? [] : [{ ...scenario, restlessMs: null }]),
    ...(scenario.hasFirst ? [] : [{ ...scenario, hasFirst: true }]),
    ...(scenario.gate === 'passes' ? [] : [{ ...scenario, gate: 'passes' as const }]),
    ...revisions
      .map((revision, index) => ({ revision, index }))
      .filter(({ revision }) => JSON.stringify(revision) !== JSON.stringify(goodRevision))
      .map(({ index }) => ({ ...scenario, revisions: revisions.map((revision, at) => (at === index ? goodRevision : revision)) })),
  ]
}

function simplerPlans(scenario: Scenario): readonly Scenario[] {
  return groupNames
    .filter((name) => scenario.groups.includes(name))
    .flatMap((name) => {
      const plan = scenario.plans[name]
      const simpler = [
        ...(plan.gates.length > 0 ? [{ ...plan, gates: [] }] : []),
        ...(plan.waves.length > 1 ? [{ ...plan, waves: [{ kind: 'percent', percent: 100 }] as const }] : []),
        ...(plan.schedule.windows.length > 0 || plan.schedule.notBefore !== null ? [{ ...plan, schedule: { notBefore: null, windows: [] } }] : []),
        ...(plan.approval === 'none' ? [] : [{ ...plan, approval: 'none' as const }]),
        ...(plan.weights.length > 0 ? [{ ...plan, weights: [] }] : []),
        ...(plan.deadlineMs === null ? [] : [{ ...plan, deadlineMs: null }]),
        ...(plan.soakMs > 0 ? [{ ...plan, soakMs: 0 }] : []),
        ...(plan.retries.count > 0 ? [{ ...plan, retries: { ...plan.retries, count: 0 } }] : []),
      ]
      return simpler.map((one) => ({ ...scenario, plans: { ...scenario.plans, [name]: one } }))
    })
}
