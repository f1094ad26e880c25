/** What each agent should have: which groups select it, what they give it now, and what that is for this agent. */
import { backTarget } from '@drover/fleet'
import type { Assignment, Given } from '@drover/fleet'
import type { RolloutsForAgents } from '../seams.ts'
import { lookupOf } from './agent-record.ts'
import type { AgentRecord } from './agent-record.ts'
import type { ComponentSets } from './component-sets.ts'
import type { DesiredConfigs } from './desired-configs.ts'
import { problemOf } from './desired-state.ts'
import type { DesiredState, Rendered } from './desired-state.ts'
import type { Registry } from './registry.ts'
import type { RenderedConfigs } from './rendered-configs.ts'
import type { AgentStore } from './store.ts'

export interface AssignmentsOptions {
  readonly registry: Registry
  readonly store: Pick<AgentStore, 'changed'>
  readonly desired: DesiredConfigs
  readonly rendered: Pick<RenderedConfigs, 'baseline'>
  readonly components: ComponentSets
  readonly rollouts: RolloutsForAgents
}

const noHashes: ReadonlySet<string> = new Set()

export class Assignments {
  readonly #options: AssignmentsOptions

  constructor(options: AssignmentsOptions) {
    this.#options = options
  }

  /** Attributes, labels or groups are others than before: looks which groups select the agent, and at the rest. */
  reselect(record: AgentRecord): void {
    this.#select(record)
    this.reassign(record)
  }

  /** Looks at what the agent's groups give it now. False when that cannot be told yet: a group gives what was not read so far. */
  reassign(record: AgentRecord): boolean {
    const { registry, desired } = this.#options
    const state = desired.current
    if (record.selection?.of !== state) this.#select(record)
    const selection = record.selection?.selection
    if (selection === undefined) return false
    const given = this.#givenTo(record, state)
    if (selection.groups.some((group) => !isKnown(state, group, given(group).revision))) return false
    const assignment = state.assign(selection, given)
    if (assignment.key !== record.assignment?.key) record.undecided = true
    if (assignment !== record.assignment) registry.change(record, () => (record.assignment = assignment))
    this.#setDesired(record, state.render(assignment, lookupOf(record)))
    return true
  }

  /** What its assignment is for this agent, from what was read last. */
  render(record: AgentRecord): Rendered | undefined {
    return record.assignment === undefined ? undefined : this.#options.desired.current.render(record.assignment, lookupOf(record))
  }

  /** Hashes of what its groups took back: whatever else they have in use. */
  refused(record: AgentRecord): ReadonlySet<string> {
    const { assignment, selection } = record
    if (assignment === undefined || selection === undefined || assignment.back.length === 0) return noHashes
    const state = this.#options.desired.current
    const given = this.#givenTo(record, state)
    const now = this.render(record)?.hash
    const hashes = new Set<string>()
    for (const { group, to } of assignment.back) {
      for (const revision of state.group(group)?.revisions.keys() ?? []) {
        if (revision === to) continue
        const other = state.assign(selection.selection, (name) => (name === group ? { revision, because: 'target' } : given(name)))
        const { hash } = state.render(other, lookupOf(record))
        if (hash !== null && hash !== now) hashes.add(hash)
      }
    }
    return hashes
  }

  #givenTo(record: AgentRecord, state: DesiredState): Given {
    const { rollouts } = this.#options
    return (group) => rollouts.revisionFor(group, state.group(group)?.current ?? null, record.id)
  }

  #select(record: AgentRecord): void {
    const { desired, rollouts } = this.#options
    const before = record.selection?.selection
    const selection = desired.current.select(lookupOf(record))
    record.selection = { of: desired.current, selection }
    if (before === undefined || before.groups.join(' ') !== selection.groups.join(' ')) rollouts.onGroupsOfAgent(record.id, selection.groups)
  }

  #setDesired(record: AgentRecord, rendered: Rendered): void {
    const problem = problemOf(rendered.unresolved)
    const isBack = rendered.hash === null && problem === null && isTakenToNothing(record.assignment)
    const hash = isBack ? this.#backTarget(record) : rendered.hash
    record.isBack = isBack && hash !== null
    if (hash === record.desiredHash && problem === record.problem) return
    record.desiredHash = hash
    record.problem = problem
    record.undecided = true
    this.#options.store.changed(record)
  }

  #backTarget(record: AgentRecord): string | null {
    const { components, rendered } = this.#options
    return backTarget({
      desired: record.desiredHash,
      refused: this.refused(record),
      ledger: record.ledger,
      baseline: rendered.baseline(components.get(record.componentsHash))?.hash ?? null,
    })
  }
}

function isKnown(state: DesiredState, group: string, revision: number | null): boolean {
  return revision === null || state.revision(group, revision) !== undefined
}

function isTakenToNothing(assignment: Assignment | undefined): boolean {
  return assignment?.back.some(({ to }) => to === null) === true
}
