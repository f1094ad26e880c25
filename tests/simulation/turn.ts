/** What a change of rows, a person or the time is to the rollouts: pure, and not stored yet. */
import {
  createMember,
  createRollout,
  type Effect,
  isOver,
  moveOf,
  placeLate,
  placeMembers,
  revisionFor,
  type Rollout,
  type RolloutEvent,
  step,
} from '@drover/fleet'
import { type Groups, idOf, isUnderWay, planOf } from './desired.ts'
import { currentOf, lookupOf, withMember } from './rows.ts'
import { type Facts, type GroupName, isChosen, type Scenario } from './scenario.ts'
import type { GroupRow, Row, StoredDecision } from './store.ts'

export interface Turn {
  readonly group: GroupRow
  readonly decisions: readonly StoredDecision[]
  readonly effects: readonly Effect[]
}

/** One row as it was and as it will be; undefined: it comes, or goes. */
export type RowChange = readonly [before: Row | undefined, after: Row | undefined]

/** null: nothing happened to the group's rollout. */
export function turnOf(
  scenario: Scenario,
  group: GroupRow | undefined,
  changes: readonly RowChange[],
  events: readonly RolloutEvent[],
  now: number,
): Turn | null {
  if (group?.rollout == null) return null
  const { name } = group
  const moves = changes.map(([before, after]) => moveOf(before?.members[name] ?? null, after?.members[name] ?? null)).filter((move) => move !== null)
  const clock = events.filter(({ kind }) => kind === 'clockSet')
  const others = events.filter(({ kind }) => kind !== 'clockSet')
  const all: readonly RolloutEvent[] = [...clock, ...(moves.length === 0 ? [] : [{ kind: 'moved' as const, moves }]), ...others]
  if (all.length === 0) return null
  let { rollout } = group
  const decisions: StoredDecision[] = []
  const effects: Effect[] = []
  for (const event of all) {
    const next = step(planOf(scenario, name), rollout, event, now)
    rollout = next.rollout
    for (const decision of next.decisions) decisions.push({ rollout: rollout.id, group: name, decision })
    effects.push(...next.effects)
  }
  return { group: { ...group, rollout, current: currentOf(group.current, rollout) }, decisions, effects }
}

export interface Start {
  readonly scenario: Scenario
  readonly groups: Groups
  readonly all: readonly Row[]
  readonly isConnected: (agent: string) => boolean
  readonly by: string
  readonly now: number
}

/** The group gets another revision: a new rollout, which takes over from one that is under way. null: that one is being taken back. */
export function startOf(name: GroupName, to: number, given: Start): (Turn & { readonly rows: readonly Row[] }) | null {
  const { scenario, groups, all, by, now } = given
  const { current, rollout: old } = groups.get(name) ?? { current: null, rollout: null }
  if (old?.state === 'rollingBack') return null
  const plan = planOf(scenario, name)
  const draft = createRollout({ id: idOf(name, to), group: name, from: current, to })
  const ended = old === null || isOver(old) ? null : step(plan, old, { kind: 'supersede', rollout: draft.id, by, reason: '' }, now)
  const chosen = all.filter(({ facts }) => isMember(scenario, name, draft, facts))
  const candidates = chosen.map(({ agent, facts }) => ({ agent, reachable: given.isConnected(agent), lookup: lookupOf(facts) }))
  const { waves, placements } = placeMembers(plan, draft.id, candidates)
  const placed = new Map(placements.map((placement) => [placement.agent, placement]))
  const rows = all.flatMap((row): Row[] => {
    const placement = placed.get(row.agent)
    if (placement === undefined) return row.members[name] === undefined ? [] : [withMember(row, name, undefined)]
    return [withMember(row, name, createMember(placement, revisionFor(current, old, row.members[name] ?? null).revision, now))]
  })
  const blockers = scenario.overlap === 'wait' ? othersOver(groups, name, chosen) : []
  const started = step(plan, draft, { kind: 'start', by, reason: '', waves, blockers }, now)
  const order = 1 + Math.max(0, ...[...groups.values()].map((one) => one.order))
  const decisions = [
    ...(ended?.decisions ?? []).map((decision) => ({ rollout: old?.id ?? '', group: name, decision })),
    ...started.decisions.map((decision) => ({ rollout: draft.id, group: name, decision })),
  ]
  return {
    rows,
    group: { name, current: currentOf(current, started.rollout), rollout: started.rollout, order },
    decisions,
    effects: [...(ended?.effects ?? []), ...started.effects],
  }
}

function isMember(scenario: Scenario, name: GroupName, { from, to }: Pick<Rollout, 'from' | 'to'>, facts: Facts): boolean {
  return isChosen(scenario, name, from, facts) || isChosen(scenario, name, to, facts)
}

function othersOver(groups: Groups, name: GroupName, rows: readonly Row[]): readonly string[] {
  const others = [...groups.values()].filter((group) => group.name !== name && isUnderWay(group) && rows.some(({ members }) => members[group.name]))
  return others.flatMap(({ rollout }) => (rollout === null ? [] : [rollout.id]))
}

/** A new or relabelled Agent: in the rollouts of the groups that choose it, and in no other. */
export function placed(scenario: Scenario, groups: Groups, row: Row, now: number): Row {
  let next = row
  for (const { name, current, rollout } of groups.values()) {
    if (rollout === null || rollout.waves.length === 0) continue
    const isIn = isMember(scenario, name, rollout, row.facts)
    if (isIn && row.members[name] === undefined) {
      const placement = placeLate(planOf(scenario, name), rollout.id, rollout.waves, row.agent, lookupOf(row.facts))
      next = withMember(next, name, createMember(placement, revisionFor(current, rollout, null).revision, now))
    } else if (!isIn) next = withMember(next, name, undefined)
  }
  return next
}
