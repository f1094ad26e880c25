/** What is simulated: made from a seed, and a plain value, so that a failing one can be made smaller and be kept. */
import { defaultPlan, type Gate, pointOf, type RolloutPlan } from '@drover/fleet'
import { createRandom } from '@drover/testing'

export const faultKinds = [
  'drop',
  'duplicate',
  'reorder',
  'delay',
  'halfOpen',
  'partition',
  'agentCrash',
  'clone',
  'liar',
  'crashBefore',
  'crashAfter',
  'powerLoss',
  'readOnly',
  'slowDisk',
  'clockJump',
] as const
export type FaultKind = (typeof faultKinds)[number]

export const actKinds = [
  'newRevision',
  'pause',
  'resume',
  'promote',
  'retry',
  'stop',
  'rollBack',
  'approve',
  'approveOwn',
  'join',
  'leave',
  'relabel',
  'moveTeam',
] as const
export type ActKind = (typeof actKinds)[number]

export const groupNames = ['g', 'h'] as const
export type GroupName = (typeof groupNames)[number]

/** Labels of an Agent. `team`: whose groups choose it. */
export interface Facts {
  readonly ring: 'odd' | 'even'
  readonly team: 'g' | 'h' | 'both'
}

/** What an Agent told of its capabilities. */
export interface Traits {
  readonly acceptsConfig: boolean
  readonly reportsConfig: boolean
  readonly acceptsSettings: boolean
}

/** One revision of a group: who fails it for good, whether it names own-telemetry settings, and whether it chooses only one ring. */
export interface RevisionSpec {
  readonly broken: number
  readonly settings: boolean
  readonly brokenSettings: number
  readonly narrow: boolean
}

export type GateBehaviour = 'passes' | 'fails' | 'unsure' | 'flaps' | 'silent'

export interface Scenario {
  readonly seed: number
  readonly agents: number
  readonly groups: readonly GroupName[]
  readonly plans: Readonly<Record<GroupName, RolloutPlan>>
  /** What a rollout does about an older one over the same Agents: waits for its end, or queues those Agents. */
  readonly overlap: 'wait' | 'queue'
  /** false: the first revision of each group is a rollout too. */
  readonly hasFirst: boolean
  /** From revision 2 on, and over again. */
  readonly revisions: readonly RevisionSpec[]
  readonly faults: readonly FaultKind[]
  /** Chance of each fault at each message, commit, and minute. */
  readonly rates: { readonly message: number; readonly commit: number; readonly minute: number }
  /** Only so many of them happen; null: all. */
  readonly maxFaults: number | null
  /** Faults and people's whims end then; everybody behaves from then on. */
  readonly quietAtMs: number
  /** Shares of Agents: fail anything at first, never answer, say nothing of their configuration, take none, break their connection all the time. */
  readonly transient: number
  readonly mute: number
  readonly wordless: number
  readonly deaf: number
  readonly flappers: number
  /** Share that cannot go back to revision 1 once they had another. */
  readonly stuck: number
  /** Share that is not connected at the start. */
  readonly absent: number
  readonly gate: GateBehaviour
  /** On the mean, each Agent breaks its connection so often; null: it does not by itself. */
  readonly restlessMs: number | null
  readonly acts: readonly { readonly atMs: number; readonly kind: ActKind; readonly group: GroupName }[]
}

const secondMs = 1_000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs

export const goodRevision: RevisionSpec = { broken: 0, settings: false, brokenSettings: 0, narrow: false }

/** Revisions of every scenario are numbered from 1, and the first is good. */
export function revisionOf({ revisions }: Scenario, revision: number): RevisionSpec {
  return revision < 2 ? goodRevision : (revisions[(revision - 2) % Math.max(1, revisions.length)] ?? goodRevision)
}

export function isChosen(scenario: Scenario, group: GroupName, revision: number | null, { ring, team }: Facts): boolean {
  if (revision === null || (team !== 'both' && team !== group)) return false
  return ring === 'odd' || !revisionOf(scenario, revision).narrow
}

/** A share of the Agents, the same ones whatever else happens. */
export function isAmong(share: number, what: string, agent: string): boolean {
  return share > 0 && pointOf(what, agent) / 2 ** 32 < share
}

/** When windows are open, UTC, each day; a simulation starts at 00:00. The short ones close in the middle of waves. */
export const openTimes = [
  { from: '00:20', to: '00:25' },
  { from: '01:00', to: '01:05' },
  { from: '02:00', to: '05:00' },
] as const
const windows = openTimes.map(({ from, to }) => ({ days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const, from, to, timeZone: 'UTC' }))

const askedGate: Gate = { kind: 'webhook', url: 'https://gate.example' }
const askedTwice: Gate = { kind: 'health', limit: { maxCount: 1, maxPercent: 2, minSample: 20 } }

class Dice {
  readonly random: () => number

  constructor(seed: number) {
    this.random = createRandom(seed)
  }

  pick<T>(...values: readonly T[]): T {
    return values[Math.floor(this.random() * values.length)] as T
  }

  chance(share: number): boolean {
    return this.random() < share
  }

  below(limit: number): number {
    return Math.floor(this.random() * limit)
  }
}

function createPlan(dice: Dice): RolloutPlan {
  const outcomes = defaultPlan.gates.filter(({ kind }) => kind !== 'health')
  const gates = dice.pick<readonly Gate[]>(outcomes, [...outcomes, askedGate], [askedTwice], [])
  return {
    ...defaultPlan,
    waves: dice.pick<RolloutPlan['waves']>(
      defaultPlan.waves,
      [
        { kind: 'count', count: 2 },
        { kind: 'percent', percent: 50 },
      ],
      [{ kind: 'percent', percent: 100 }],
      [{ kind: 'ring', name: 'odd', selector: 'ring = odd' }],
      [
        { kind: 'percent', percent: 10 },
        { kind: 'ring', name: 'even', selector: 'ring = even' },
      ],
    ),
    soakMs: dice.pick(0, minuteMs, 10 * minuteMs),
    concurrency: dice.pick(1, 3, 100),
    onFail: dice.pick('rollback', 'rollback', 'pause', 'stop'),
    retries: { count: dice.pick(0, 1, 2), delayMs: 30_000 },
    gates: dice.chance(0.15) ? [...gates, { kind: 'approval', after: dice.pick('firstWave', 'everyWave'), byAnother: dice.chance(0.5) }] : gates,
    approval: dice.chance(0.15) ? 'anotherPerson' : 'none',
    schedule: { notBefore: dice.chance(0.15) ? dice.below(hourMs) : null, windows: dice.chance(0.2) ? windows : [] },
    weights: dice.chance(0.15) ? [{ selector: 'ring = odd', weight: 5 }] : [],
    deadlineMs: dice.chance(0.2) ? 45 * minuteMs : null,
  }
}

function createRevision(dice: Dice): RevisionSpec {
  return {
    broken: dice.pick(0, 0, 0, 0.02, 0.2, 1),
    settings: dice.chance(0.35),
    brokenSettings: dice.pick(0, 0, 0.3),
    narrow: dice.chance(0.1),
  }
}

function createAny(seed: number, dice: Dice): Scenario {
  const groups: readonly GroupName[] = dice.chance(0.5) ? ['g', 'h'] : ['g']
  const plans = { g: createPlan(dice), h: createPlan(dice) }
  const hasWindow = groups.some((name) => plans[name].schedule.windows.length > 0)
  // Long enough that a window opens and closes while people and faults are at work.
  const quietAtMs = hourMs + dice.below(2 * hourMs) + (hasWindow ? 4 * hourMs : 0)
  const rate = dice.pick(0.005, 0.02, 0.05)
  const usual = actKinds.filter((kind) => kind !== 'newRevision' && kind !== 'join')
  return {
    seed,
    agents: dice.pick(0, 1, 2, 3, 5, 8, 12, 20, 40),
    groups,
    plans,
    overlap: dice.pick('wait', 'queue'),
    hasFirst: dice.chance(0.85),
    revisions: Array.from({ length: 4 }, () => createRevision(dice)),
    faults: faultKinds.filter(() => dice.chance(0.35)),
    rates: { message: rate, commit: rate / 3, minute: rate },
    maxFaults: null,
    quietAtMs,
    transient: dice.pick(0, 0.005, 0.1),
    mute: dice.pick(0, 0, 0.1),
    wordless: dice.pick(0, 0, 0.2),
    deaf: dice.pick(0, 0, 0.2),
    flappers: dice.pick(0, 0, 0.1),
    stuck: dice.pick(0, 0, 0, 0.3),
    absent: dice.pick(0, 0.1, 0.6),
    gate: dice.pick('passes', 'passes', 'passes', 'fails', 'unsure', 'flaps', 'silent'),
    restlessMs: dice.pick(null, null, hourMs),
    acts: Array.from({ length: dice.below(10) }, () => ({
      atMs: dice.below(quietAtMs),
      kind: dice.chance(0.4) ? dice.pick<ActKind>('newRevision', 'newRevision', 'join') : dice.pick(...usual),
      group: dice.pick(...groups),
    })).toSorted((a, b) => a.atMs - b.atMs),
  }
}

/**
 * What seldom comes together by chance, and has to be tried: a retry of many that fail again, Agents that cannot go back for a
 * while, rollbacks that nobody waits for, and Agents that go and come while two groups change.
 */
export function createScenario(seed: number): Scenario {
  const dice = new Dice(seed)
  const scenario = createAny(seed, dice)
  const { plans, quietAtMs, revisions } = scenario
  if (dice.chance(0.1)) {
    const g: RolloutPlan = { ...plans.g, concurrency: 1, onFail: 'pause', retries: { ...plans.g.retries, count: 0 } }
    const retries = Array.from({ length: 3 }, () => ({ atMs: dice.below(quietAtMs), kind: 'retry' as const, group: 'g' as const }))
    return {
      ...scenario,
      agents: Math.max(5, scenario.agents),
      plans: { ...plans, g },
      revisions: revisions.map((one) => ({ ...one, broken: 0.6 })),
      acts: inOrder([...scenario.acts, ...retries]),
    }
  }
  if (!dice.chance(0.15)) {
    if (dice.chance(0.06)) return unsteady(scenario, dice)
    return dice.chance(0.06) ? impatient(scenario, dice) : scenario
  }
  const changes = (['g', 'h'] as const).map((group) => ({ atMs: dice.below(quietAtMs), kind: 'newRevision' as const, group }))
  return { ...scenario, groups: groupNames, overlap: 'queue', restlessMs: 10 * minuteMs, transient: 0.1, acts: inOrder([...scenario.acts, ...changes]) }
}

/** Most of what Agents are given fails at first, also what they go back to. */
function unsteady(scenario: Scenario, dice: Dice): Scenario {
  const { plans, quietAtMs } = scenario
  const rollBacks = Array.from({ length: 4 }, () => ({ atMs: dice.below(quietAtMs), kind: 'rollBack' as const, group: 'g' as const }))
  const g: RolloutPlan = { ...plans.g, onFail: 'rollback', approval: 'none', schedule: { notBefore: null, windows: [] } }
  return { ...scenario, agents: Math.max(5, scenario.agents), plans: { ...plans, g }, transient: 0.6, acts: inOrder([...scenario.acts, ...rollBacks]) }
}

/** Some never answer, and people take changes back and do not wait for everybody. */
function impatient(scenario: Scenario, dice: Dice): Scenario {
  const takenBack = Array.from({ length: 4 }, () => dice.below(scenario.quietAtMs)).flatMap((atMs) => [
    { atMs, kind: 'rollBack' as const, group: 'g' as const },
    { atMs: atMs + dice.pick(0, secondMs, minuteMs), kind: 'stop' as const, group: 'g' as const },
    { atMs: atMs + 2 * minuteMs, kind: 'newRevision' as const, group: 'g' as const },
  ])
  return { ...scenario, agents: Math.max(5, scenario.agents), mute: 0.3, transient: dice.pick(0, 0.6), acts: inOrder([...scenario.acts, ...takenBack]) }
}

function inOrder(acts: Scenario['acts']): Scenario['acts'] {
  return acts.toSorted((a, b) => a.atMs - b.atMs)
}
