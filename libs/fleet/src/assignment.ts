/** Which configuration an Agent should have: the configs of all groups that select it, in order of precedence. */
import type { Lookup, Selector } from './selector.ts'
import { matches, selectorKeys } from './selector.ts'

export interface GroupRule {
  readonly name: string
  readonly selector: Selector
  /** Higher wins; of equal ones the later name wins. */
  readonly priority: number
  /** Number of the revision that members should have. */
  readonly revision: number
  /** In the order in which they are merged: a later one wins over an earlier one. */
  readonly configs: readonly ConfigRef[]
}

export interface ConfigRef {
  readonly config: string
  readonly version: number
}

/** A config as one group gives it. */
export interface AssignedRef extends ConfigRef {
  readonly group: string
  readonly priority: number
  readonly revision: number
}

/** Something a matching group would give but does not, and why, in words. */
export interface Skipped {
  readonly group: string
  readonly reason: string
}

export interface Assignment {
  /** Agents with equal keys have equal configuration. Empty: no group gives any. */
  readonly key: string
  /** Groups that select the Agent, lowest precedence first. */
  readonly groups: readonly string[]
  /** What they give, lowest precedence first. A config is in it once. */
  readonly refs: readonly AssignedRef[]
  readonly skipped: readonly Skipped[]
}

/**
 * A config counts once, with the version and at the place of the group with the highest precedence: a canary group
 * that gives `base@4` replaces `base@3` of the group for all, instead of merging with what 4 may have taken out.
 */
export function assign(groups: readonly GroupRule[], lookup: Lookup): Assignment {
  return assignMatching(byPrecedence(groups).filter((group) => matches(group.selector, lookup)))
}

function byPrecedence(groups: readonly GroupRule[]): readonly GroupRule[] {
  return groups.toSorted((a, b) => a.priority - b.priority || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

function assignMatching(matching: readonly GroupRule[]): Assignment {
  const all: AssignedRef[] = matching.flatMap((group) =>
    group.configs.map(({ config, version }) => ({ group: group.name, priority: group.priority, revision: group.revision, config, version })),
  )
  const winner = new Map(all.map((ref) => [ref.config, ref]))
  const refs = all.filter((ref) => winner.get(ref.config) === ref)
  const skipped: Skipped[] = []
  for (const group of matching) if (group.configs.length === 0) skipped.push({ group: group.name, reason: 'has no configs' })
  for (const ref of all) {
    const better = winner.get(ref.config)
    if (better === undefined || better === ref) continue
    const same = better.version === ref.version
    const place = better.group === ref.group ? 'named again later in the same group' : `given by group ${better.group} with higher precedence`
    skipped.push({
      group: ref.group,
      reason: same ? `${ref.config}@${ref.version} is ${place}` : `${ref.config}@${ref.version} is replaced by ${ref.config}@${better.version}, ${place}`,
    })
  }
  return { key: refs.map((ref) => `${ref.group}/${ref.config}@${ref.version}`).join(' '), groups: matching.map(({ name }) => name), refs, skipped }
}

/** For many Agents: groups are put in order once, and Agents in the same groups share one assignment. */
export interface Assigner {
  assign(lookup: Lookup): Assignment
  /** Whether a change of these keys can change what an Agent is assigned. */
  dependsOn(keys: Iterable<string>): boolean
}

export function createAssigner(groups: readonly GroupRule[]): Assigner {
  const ordered = byPrecedence(groups)
  const keys = new Set(ordered.flatMap(({ selector }) => selectorKeys(selector)))
  const known = new Map<string, Assignment>()
  return {
    assign(lookup) {
      const matching = ordered.filter((group) => matches(group.selector, lookup))
      // Group names have no spaces.
      const combination = matching.map(({ name }) => name).join(' ')
      const existing = known.get(combination)
      if (existing !== undefined) return existing
      const assignment = assignMatching(matching)
      known.set(combination, assignment)
      return assignment
    },
    dependsOn: (changed) => Iterator.from(changed).some((key) => keys.has(key)),
  }
}
