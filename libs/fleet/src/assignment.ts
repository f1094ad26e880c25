/** Which configuration an Agent should have: the configs of all groups that select it, in order of precedence, each by the revision that it gives to this Agent. */
import type { GivenRevision } from './rollout/revision-for.ts'
import type { Lookup, Selector } from './selector.ts'
import { matches } from './selector.ts'

/** A group as one of its revisions has it. */
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

/** A group with every revision that some Agent may have or get now, by number. */
export interface RevisedGroup {
  readonly name: string
  readonly revisions: ReadonlyMap<number, { readonly rule: GroupRule }>
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
  /** Agents with equal keys get the same revisions of the same groups: what they should run differs by their own attributes and labels at most. */
  readonly key: string
  /** Groups whose revision for this Agent selects it, lowest precedence first. */
  readonly groups: readonly string[]
  /** The revisions, in the same order. */
  readonly given: readonly { readonly group: string; readonly revision: number }[]
  /** What they give, lowest precedence first. A config is in it once. */
  readonly refs: readonly AssignedRef[]
  readonly skipped: readonly Skipped[]
  /** Groups that took a change back; `to` null: and give this Agent nothing now, because they never did before or do not select it as they were. By name. */
  readonly back: readonly { readonly group: string; readonly to: number | null }[]
}

/** For rules alone, without rollouts: every group gives what its rule says. */
export function assign(groups: readonly GroupRule[], lookup: Lookup): Assignment {
  return assignMatching(byPrecedence(groups.filter((group) => matches(group.selector, lookup))), [])
}

function byPrecedence(groups: readonly GroupRule[]): readonly GroupRule[] {
  return groups.toSorted((a, b) => a.priority - b.priority || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

/**
 * A config counts once, with the version and at the place of the group with the highest precedence: a canary group
 * that gives `base@4` replaces `base@3` of the group for all, instead of merging with what 4 may have taken out.
 */
function assignMatching(matching: readonly GroupRule[], back: Assignment['back']): Assignment {
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
  const given = matching.map(({ name, revision }) => ({ group: name, revision }))
  return { key: keyOf(given, back), groups: matching.map(({ name }) => name), given, refs, skipped, back }
}

/** Group names have neither spaces nor `#` nor `<`. */
function keyOf(given: Assignment['given'], back: Assignment['back']): string {
  return [...given.map(({ group, revision }) => `${group}#${revision}`), ...back.map(({ group, to }) => `${group}<${to ?? ''}`)].join(' ')
}

/** The groups and their revisions that select an Agent. Agents with the same ones share a selection. */
export interface Selection {
  /** Groups that select it by any revision in use, by name. */
  readonly groups: readonly string[]
  /** Of those, the revisions that do. */
  readonly rules: readonly ReadonlyMap<number, GroupRule>[]
}

/** What a group gives to the Agent that is being assigned. */
export type Given = (group: string) => GivenRevision

/** For many Agents: selectors are looked at once, and Agents that get the same revisions of the same groups share one assignment. */
export interface Assigner {
  /** Depends on attributes and labels alone, so it need not be asked again when a rollout moves the Agent. */
  select(lookup: Lookup): Selection
  /** Costs as much as the Agent has groups. */
  assignSelected(selection: Selection, given: Given): Assignment
  assign(lookup: Lookup, given: Given): Assignment
}

export function createAssigner(groups: readonly RevisedGroup[]): Assigner {
  const ordered = groups.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const selections = new Map<string, Selection>()
  const assignments = new Map<string, Assignment>()
  const select = (lookup: Lookup): Selection => {
    const found = ordered.flatMap(({ name, revisions }) => {
      const rules = [...revisions.values()].map(({ rule }) => rule).filter((rule) => matches(rule.selector, lookup))
      return rules.length === 0 ? [] : [{ name, rules: new Map(rules.map((rule) => [rule.revision, rule])) }]
    })
    const key = found.map(({ name, rules }) => `${name}#${[...rules.keys()].join(',')}`).join(' ')
    return remember(selections, key, () => ({ groups: found.map(({ name }) => name), rules: found.map(({ rules }) => rules) }))
  }
  const assignSelected = (selection: Selection, given: Given): Assignment => {
    const matching: GroupRule[] = []
    const back: { group: string; to: number | null }[] = []
    selection.groups.forEach((group, index) => {
      const { revision, because } = given(group)
      const rule = revision === null ? undefined : selection.rules[index]?.get(revision)
      if (rule !== undefined) matching.push(rule)
      if (because === 'back') back.push({ group, to: rule === undefined ? null : revision })
    })
    const inOrder = byPrecedence(matching)
    const key = keyOf(
      inOrder.map(({ name, revision }) => ({ group: name, revision })),
      back,
    )
    return remember(assignments, key, () => assignMatching(inOrder, back))
  }
  return { select, assignSelected, assign: (lookup, given) => assignSelected(select(lookup), given) }
}

function remember<Value>(known: Map<string, Value>, key: string, make: () => Value): Value {
  const existing = known.get(key)
  if (existing !== undefined) return existing
  const value = make()
  known.set(key, value)
  return value
}
