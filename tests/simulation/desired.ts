/** What the groups together want an Agent to have, and what became of it. */
import {
  combineOutcomes,
  configurationOutcome,
  type GivenRevision,
  isHistory,
  isOver,
  type Member,
  memberTraits,
  type Outcome,
  revisionFor,
  type RolloutPlan,
  settingsOutcome,
  type Standing,
} from '@drover/fleet'
import { type GroupName, groupNames, isChosen, revisionOf, type Scenario } from './scenario.ts'
import type { GroupRow, Row } from './store.ts'

export type Groups = ReadonlyMap<GroupName, GroupRow>

export const planOf = (scenario: Scenario, group: GroupName): RolloutPlan => scenario.plans[group]
export const idOf = (group: GroupName, revision: number): string => `${group}${revision}`

/** Revisions in a hash: `g2h1` is revision 2 of g with revision 1 of h; of own-telemetry settings: `t:g2`. */
export function revisionsIn(hash: string): readonly { readonly group: GroupName; readonly revision: number }[] {
  return [...hash.matchAll(/([gh])(\d+)/g)].map(([, group, revision]) => ({ group: group === 'g' ? 'g' : 'h', revision: Number(revision) }))
}

/** What every Agent can run that has nothing to go back to. */
export const baselineHash = 'base'

export function given(scenario: Scenario, groups: Groups, row: Row, name: GroupName): GivenRevision | null {
  const group = groups.get(name)
  if (group === undefined || (row.facts.team !== 'both' && row.facts.team !== name)) return null
  return revisionFor(group.current, group.rollout, row.members[name] ?? null)
}

/** Hash of the configuration; null: it keeps what it has. */
export function desiredConfig(scenario: Scenario, groups: Groups, row: Row): string | null {
  let hash = ''
  const refused: string[] = []
  for (const name of groupNames) {
    const found = given(scenario, groups, row, name)
    if (found === null) continue
    if (isChosen(scenario, name, found.revision, row.facts)) hash += idOf(name, found.revision ?? 0)
    else if (found.revision === null && found.because === 'back') refused.push(groups.get(name)?.rollout?.id ?? '')
  }
  if (hash !== '') return hash
  // The first revision was taken back: there is no earlier one of the group.
  const hasRefused = (one: string): boolean => refused.some((id) => one.includes(id))
  const { attempts } = row.ledger
  if (!attempts.some((attempt) => hasRefused(attempt.hash))) return null
  return attempts.findLast((attempt) => attempt.state === 'applied' && !hasRefused(attempt.hash))?.hash ?? baselineHash
}

/** Hash of the own-telemetry settings: those of the first group that names any. */
export function desiredSettings(scenario: Scenario, groups: Groups, row: Row): string | null {
  for (const name of groupNames) {
    const found = given(scenario, groups, row, name)
    const revision = found?.revision ?? null
    if (revision !== null && isChosen(scenario, name, revision, row.facts) && revisionOf(scenario, revision).settings) return `t:${idOf(name, revision)}`
  }
  return null
}

/** Whether these settings are of this group: the others have nothing to do with what becomes of them. */
export function areSettingsOf(settings: string | null, name: GroupName): settings is string {
  return settings?.startsWith(`t:${name}`) === true
}

/** Of the revision that the group gives. */
export function outcomeOf(scenario: Scenario, groups: Groups, row: Row, name: GroupName, running: string | undefined): Outcome {
  const { traits, ledger, settings } = row
  const desired = desiredConfig(scenario, groups, row)
  const configuration = configurationOutcome({
    desired,
    accepts: traits.acceptsConfig,
    reports: traits.reportsConfig,
    ledger,
    ...(running === undefined ? {} : { effectiveMatches: running === desired }),
  })
  const wanted = desiredSettings(scenario, groups, row)
  if (!areSettingsOf(wanted, name)) return configuration
  const ownTelemetry = settingsOutcome({
    desired: wanted,
    accepts: traits.acceptsSettings,
    reports: true,
    offered: settings.offered,
    status: settings.status,
    refused: settings.failed.includes(wanted),
  })
  return combineOutcomes({ configuration, ownTelemetry })
}

/** Whether an older rollout that is not over has the Agent. */
export function isBusy(groups: Groups, row: Row, name: GroupName): boolean {
  const order = groups.get(name)?.order ?? 0
  for (const other of groupNames) {
    const group = groups.get(other)
    if (other !== name && group !== undefined && row.members[other] !== undefined && group.order < order && isUnderWay(group)) return true
  }
  return false
}

export function isUnderWay({ rollout }: Pick<GroupRow, 'rollout'>): boolean {
  return rollout !== null && ['waiting', 'running', 'soaking', 'paused', 'rollingBack'].includes(rollout.state)
}

/** What the newest rollout of the group is to the Agent now. */
export function standingOf(groups: Groups, row: Row, name: GroupName): Standing {
  const own = groups.get(name)
  if (own === undefined || isUnderWay(own)) return 'underWay'
  for (const other of groupNames) {
    const group = groups.get(other)
    if (other !== name && group !== undefined && isUnderWay(group) && row.members[other] !== undefined && !isBefore(row, other)) return 'elsewhere'
  }
  return 'over'
}

/** The rollout is over and has the Agent's outcome: nothing that is seen changes it, so nobody looks. */
export function isKept(group: GroupRow | undefined, member: Member): boolean {
  return group?.rollout != null && isOver(group.rollout) && isHistory(member, { outcome: 'none', standing: 'over' })
}

/** It may go on when the rollout of another group ends. */
export function waits(group: GroupRow | undefined, member: Member | undefined): boolean {
  if (group?.rollout == null || member === undefined) return false
  return member.state === 'busy' || (isOver(group.rollout) && !isKept(group, member))
}

/** It still has what it had before the rollout. */
export function isBefore(row: Row, name: GroupName): boolean {
  const member = row.members[name]
  return member !== undefined && memberTraits[member.state].side === 'before'
}
