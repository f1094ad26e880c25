/** Scenarios of a large fleet, for tests and for measuring. */
import { defaultPlan, presets } from '@drover/fleet'
import { createScenario, faultKinds, goodRevision, type Scenario } from './scenario.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** 18,000 Agents and one change, with nothing else going on. */
export const calmFleet: Scenario = {
  ...createScenario(1),
  seed: 7,
  agents: 18_000,
  groups: ['g'],
  plans: { g: defaultPlan, h: defaultPlan },
  overlap: 'queue',
  hasFirst: true,
  revisions: [goodRevision],
  faults: [],
  acts: [],
  quietAtMs: 3 * dayMs,
  transient: 0,
  mute: 0,
  wordless: 0,
  deaf: 0,
  flappers: 0,
  stuck: 0,
  absent: 0.02,
  gate: 'passes',
  restlessMs: null,
}

/**
 * Seven days of 18,000 Agents that lose their connections once a day, two groups with a change a day each,
 * people who interfere, and every fault: some 200,000 messages a day, of which one in 2,000 meets one.
 */
export const sevenDays: Scenario = {
  ...calmFleet,
  groups: ['g', 'h'],
  plans: { g: defaultPlan, h: presets.quick },
  revisions: [goodRevision, { ...goodRevision, settings: true }, { ...goodRevision, broken: 0.0002 }, { ...goodRevision, broken: 0.2 }],
  faults: faultKinds,
  rates: { message: 0.0005, commit: 0.000_02, minute: 0.002 },
  quietAtMs: 7 * dayMs,
  transient: 0.005,
  mute: 0.0005,
  wordless: 0.01,
  deaf: 0.01,
  flappers: 0.0005,
  restlessMs: dayMs,
  acts: Array.from({ length: 7 * 24 }, (_, hour) => hour).flatMap((hour): Scenario['acts'] => [
    ...(hour % 24 === 18 ? [{ atMs: hour * hourMs, kind: 'newRevision' as const, group: 'g' as const }] : []),
    ...(hour % 24 === 6 ? [{ atMs: hour * hourMs, kind: 'newRevision' as const, group: 'h' as const }] : []),
    ...(hour % 5 === 2 ? [{ atMs: hour * hourMs + 20 * minuteMs, kind: 'join' as const, group: 'g' as const }] : []),
    ...(hour % 5 === 3 ? [{ atMs: hour * hourMs + 20 * minuteMs, kind: 'relabel' as const, group: 'g' as const }] : []),
    ...(hour % 7 === 1 ? [{ atMs: hour * hourMs, kind: 'resume' as const, group: 'g' as const }] : []),
    ...(hour % 7 === 5 ? [{ atMs: hour * hourMs, kind: 'resume' as const, group: 'h' as const }] : []),
    ...(hour % 31 === 30 ? [{ atMs: hour * hourMs, kind: 'rollBack' as const, group: 'h' as const }] : []),
    ...(hour % 17 === 16 ? [{ atMs: hour * hourMs, kind: 'retry' as const, group: 'g' as const }] : []),
  ]),
}
