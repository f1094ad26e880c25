/** What happens to one stored row: pure. */
import {
  allowRetry,
  type Lookup,
  type Member,
  memberDeadline,
  memberTraits,
  nextDeadline,
  onStatus,
  retryDueAt,
  retryMember,
  type Rollout,
} from '@drover/fleet'
import type { AgentReport } from './agent.ts'
import { areSettingsOf, desiredConfig, desiredSettings, type Groups, isKept, planOf, standingOf } from './desired.ts'
import { type Facts, type GroupName, groupNames, type Scenario } from './scenario.ts'
import type { Row } from './store.ts'

export const lookupOf =
  ({ ring, team }: Facts): Lookup =>
  (key) =>
    key === 'ring' ? ring : key === 'team' ? team : undefined

export const noMembers: Row['members'] = { g: undefined, h: undefined }

/** `member` undefined: it is in no rollout of the group. The same row when that is so already. */
export function withMember(row: Row, name: GroupName, member: Member | undefined): Row {
  const { g, h } = row.members
  if (row.members[name] === member) return row
  return { ...row, members: name === 'g' ? { g: member, h } : { g, h: member } }
}

const sideOf = (member: Member | undefined) => (member === undefined ? null : memberTraits[member.state].side)

/** What the Agent says goes into the ledger. The same row when it is nothing new. */
export function hear(scenario: Scenario, groups: Groups, row: Row, { config, settings }: AgentReport, now: number): Row {
  const { reported } = row.ledger
  const isSame = reported?.hash === config.hash && reported.status === config.status && reported.errorMessage === config.errorMessage
  const noted = onStatus(row.ledger, { ...config, now, desired: desiredConfig(scenario, groups, row) })
  const ledger = isSame && noted.changed.length === 0 ? row.ledger : noted.ledger
  const isSameSettings = settings?.hash === row.settings.status?.hash && settings?.status === row.settings.status?.status
  if (ledger === row.ledger && isSameSettings) return row
  if (isSameSettings) return { ...row, ledger }
  const { failed } = row.settings
  const isNewFailure = settings?.status === 'failed' && !failed.includes(settings.hash)
  return { ...row, ledger, settings: { ...row.settings, status: settings, failed: isNewFailure ? [...failed, settings.hash] : failed } }
}

/** What it failed of this group's revision may be offered once more. */
export function allowed(scenario: Scenario, groups: Groups, row: Row, name: GroupName): Row {
  const config = desiredConfig(scenario, groups, row)
  const settings = desiredSettings(scenario, groups, row)
  const { status, failed } = row.settings
  const isRefused = areSettingsOf(settings, name) && failed.includes(settings)
  return {
    ...row,
    ledger: config === null ? row.ledger : allowRetry(row.ledger, config),
    settings: isRefused
      ? { offered: null, status: status?.hash === settings ? null : status, failed: failed.filter((hash) => hash !== settings) }
      : row.settings,
  }
}

/** In which it failed and whose time has come, it is tried again by itself. */
export function retried(scenario: Scenario, groups: Groups, row: Row, isConnected: boolean, now: number): Row {
  let next = row
  for (const name of groupNames) {
    const member = next.members[name]
    const dueAt = member === undefined ? null : retryDueAt(planOf(scenario, name), member)
    if (member === undefined || dueAt === null || now < dueAt || standingOf(groups, next, name) === 'elsewhere') continue
    // One that goes back and is away is tried when it returns.
    if (member.state === 'restoreRetrying' && !isConnected) continue
    next = allowed(scenario, groups, withMember(next, name, retryMember(member, now)), name)
  }
  return next
}

/** When to look at it again though nothing is heard; infinite: only when something is. */
export function deadlineOf(scenario: Scenario, groups: Groups, row: Row, offlineSince: number | null): number {
  const { applyTimeoutMs } = planOf(scenario, 'g').times
  let at = (row.traits.reportsConfig ? nextDeadline(row.ledger, applyTimeoutMs) : null) ?? Number.POSITIVE_INFINITY
  for (const name of groupNames) {
    const member = row.members[name]
    if (member === undefined || isKept(groups.get(name), member)) continue
    const sight = { outcome: 'none', offlineSince, connectedSince: null, busy: false, standing: standingOf(groups, row, name) } as const
    at = Math.min(at, memberDeadline(planOf(scenario, name), member, sight) ?? at)
  }
  return at
}

/** Hash of own-telemetry settings to send; null: none. `sent`: the last ones on this connection. */
export function settingsToOffer(scenario: Scenario, groups: Groups, row: Row, sent: string | null): string | null {
  const desired = desiredSettings(scenario, groups, row)
  const { status, failed } = row.settings
  if (desired === null || !row.traits.acceptsSettings || sent === desired || failed.includes(desired)) return null
  return status?.hash === desired ? null : desired
}

/** Another revision is meant for the Agent, or it failed one: nothing that may be forgotten. */
export function matters(before: Row | undefined, row: Row): boolean {
  if (before === undefined || before.facts !== row.facts || before.settings.failed !== row.settings.failed) return true
  return hasNewFailure(before, row) || groupNames.some((name) => sideOf(row.members[name]) !== sideOf(before.members[name]))
}

function hasNewFailure(before: Row, row: Row): boolean {
  if (row.ledger === before.ledger || row.ledger.reported?.status !== 'failed') return false
  const known = new Set(before.ledger.attempts)
  return row.ledger.attempts.some((attempt) => attempt.state === 'failed' && !known.has(attempt))
}

/** Revision that the group has after what became of its rollout. */
export function currentOf(current: number | null, rollout: Rollout): number | null {
  if (rollout.state === 'completed') return rollout.to
  return rollout.state === 'rolledBack' ? rollout.from : current
}
