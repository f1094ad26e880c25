/** What a change would do to the fleet, before it is saved or sent. */
import { setImmediate } from 'node:timers/promises'
import { checkComponents, mergeFiles, redactFiles } from '@drover/agent-config'
import type { ConfigMap } from '@drover/agent-config'
import type { Assignment, GivenRevision } from '@drover/fleet'
import type { DraftEffect, FleetForRollouts, GroupDraft, ProposedChange, ProposedRevision, RevisionRule, RolloutsForAgents, UnresolvedName } from '../seams.ts'
import { lookupOf, summaryOf } from './agent-record.ts'
import type { AgentRecord } from './agent-record.ts'
import type { Assignments } from './assignments.ts'
import type { ComponentSets } from './component-sets.ts'
import type { DesiredConfigs } from './desired-configs.ts'
import type { DesiredState, Rendered } from './desired-state.ts'
import type { Registry } from './registry.ts'

export interface PreviewsOptions {
  readonly registry: Registry
  readonly desired: DesiredConfigs
  readonly assignments: Assignments
  readonly components: ComponentSets
  readonly rollouts: Pick<RolloutsForAgents, 'revisionFor'>
  readonly lastSeen: (record: AgentRecord) => number | null
}

const SAMPLE_AGENTS = 10
const SHOWN_COMBINATIONS = 20
const NAMED_AGENTS = 20
/** Agents looked at before others get their turn. */
const CHUNK = 1_000

type Previewed = Pick<FleetForRollouts, 'missing' | 'effectOf' | 'changeOf' | 'unresolved'>

export class Previews implements Previewed {
  readonly #options: PreviewsOptions

  constructor(options: PreviewsOptions) {
    this.#options = options
  }

  async draft(draft: GroupDraft): Promise<DraftEffect> {
    const { registry, desired, lastSeen } = this.#options
    const change = toProposal(draft, desired.current)
    const state = await desired.whatIf(change.group, change.revision)
    const tally = { matching: 0, changing: 0, joining: 0, leaving: 0, notAccepting: 0 }
    const sample: AgentRecord[] = []
    const combinations = new Map<Assignment, { agents: number; rendered: Rendered }>()
    const lacking = new Lacking()
    for await (const record of inChunks(registry.all())) {
      const { assignment, rendered } = this.#would(record, state, change)
      const was = record.assignment?.groups.includes(change.group) ?? false
      const is = assignment.groups.includes(change.group)
      if (!is && !was) continue
      if (isOther(record, rendered)) tally.changing += 1
      if (!is) {
        tally.leaving += 1
        continue
      }
      tally.matching += 1
      if (!was) tally.joining += 1
      if (!record.capabilities.has('AcceptsRemoteConfig')) tally.notAccepting += 1
      if (sample.length < SAMPLE_AGENTS) sample.push(record)
      const known = combinations.get(assignment)
      combinations.set(assignment, { agents: (known?.agents ?? 0) + 1, rendered: known?.rendered ?? rendered })
      lacking.add(record, rendered)
    }
    return {
      ...tally,
      sample: sample.map((record) => summaryOf(record, lastSeen(record))),
      unresolved: lacking.names(),
      combinations: describe(combinations),
    }
  }

  async missing(agentIds: Iterable<string>, revision: RevisionRule): ReturnType<Previewed['missing']> {
    const { desired, components } = this.#options
    const merged = mergedOf(await desired.whatIf(revision.rule.name, revision), revision)
    const lackedBy = new Map<string, { kind: string; type: string; lacking: number; agents: string[] }>()
    const lackOf = new Map<string, readonly { readonly kind: string; readonly type: string }[]>()
    for await (const record of inChunks(this.#records(agentIds))) {
      const set = components.get(record.componentsHash)
      if (set?.complete !== true) continue
      const lack = lackOf.get(set.hash) ?? checkComponents(merged, set.items)
      lackOf.set(set.hash, lack)
      for (const { kind, type } of lack) {
        const known = lackedBy.get(`${kind}/${type}`) ?? { kind, type, lacking: 0, agents: [] }
        known.lacking += 1
        if (known.agents.length < NAMED_AGENTS) known.agents.push(record.name)
        lackedBy.set(`${kind}/${type}`, known)
      }
    }
    return [...lackedBy.values()]
  }

  async effectOf(agentIds: Iterable<string>, change: ProposedRevision): ReturnType<Previewed['effectOf']> {
    const state = await this.#options.desired.whatIf(change.group, change.revision)
    const tally = { changing: 0, notAccepting: 0 }
    for await (const record of inChunks(this.#records(agentIds))) {
      if (!isOther(record, this.#would(record, state, change).rendered)) continue
      tally.changing += 1
      if (!record.capabilities.has('AcceptsRemoteConfig')) tally.notAccepting += 1
    }
    return tally
  }

  async unresolved(agentIds: Iterable<string>, change: ProposedRevision): ReturnType<Previewed['unresolved']> {
    const state = await this.#options.desired.whatIf(change.group, change.revision)
    const lacking = new Lacking()
    for await (const record of inChunks(this.#records(agentIds))) lacking.add(record, this.#would(record, state, change).rendered)
    return lacking.names()
  }

  async changeOf(agentId: string, change: ProposedRevision): Promise<ProposedChange | undefined> {
    const { registry, desired, assignments, components } = this.#options
    const record = registry.byId(agentId)
    if (record === undefined) return undefined
    const state = await desired.whatIf(change.group, change.revision)
    const { rendered } = this.#would(record, state, change)
    const set = components.get(record.componentsHash)
    const lack = set?.complete === true && rendered.hash !== null ? checkComponents(mergeFiles(rendered.shown.files).merged, set.items) : []
    return {
      from: shownAs(assignments.render(record)),
      to: shownAs(rendered),
      missing: lack.map(({ kind, type }) => ({ kind, type })),
    }
  }

  *#records(agentIds: Iterable<string>): Generator<AgentRecord> {
    for (const id of agentIds) {
      const record = this.#options.registry.byId(id)
      if (record !== undefined) yield record
    }
  }

  /** As if the rollout of the change were completed, and everything else were as it is. */
  #would(record: AgentRecord, state: DesiredState, { group, revision }: ProposedRevision): { assignment: Assignment; rendered: Rendered } {
    const { rollouts } = this.#options
    const lookup = lookupOf(record)
    const proposed: GivenRevision = { revision: revision.rule.revision, because: 'target' }
    const given = (name: string) => (name === group ? proposed : rollouts.revisionFor(name, state.group(name)?.current ?? null, record.id))
    const assignment = state.assign(state.select(lookup), given)
    return { assignment, rendered: state.render(assignment, lookup) }
  }
}

/** When nothing is given any more, an agent keeps what it has. */
function isOther(record: AgentRecord, { hash, unresolved }: Rendered): boolean {
  return hash !== record.desiredHash && unresolved.length === 0
}

/** No stored revision has this number, so that nothing known is taken for it. */
function toProposal(draft: GroupDraft, state: DesiredState): ProposedRevision {
  const name = draft.name ?? unusedName(state)
  const revision = 1 + Math.max(0, ...(state.group(name)?.revisions.keys() ?? []))
  const rule = { name, selector: draft.selector, priority: draft.priority, revision, configs: draft.configs }
  return { group: name, revision: { rule, variables: draft.variables ?? {}, secrets: draft.secrets ?? {}, ownTelemetry: draft.ownTelemetry ?? null } }
}

/** A new group has no name while it is typed. */
function unusedName(state: DesiredState): string {
  let name = 'new-group'
  while (state.group(name) !== undefined) name += '-1'
  return name
}

async function* inChunks(records: Iterable<AgentRecord>): AsyncGenerator<AgentRecord> {
  let looked = 0
  for (const record of records) {
    if (++looked % CHUNK === 0) await setImmediate()
    yield record
  }
}

function mergedOf(state: DesiredState, { rule }: RevisionRule): ConfigMap {
  const files = rule.configs.flatMap(({ config, version }) => (state.templates.get(`${config}@${version}`) ?? []).map(({ file }) => file))
  return mergeFiles(files.map((file, index) => ({ ...file, name: `${String(index).padStart(3, '0')} ${file.name}` }))).merged
}

/** For people: secrets as references, and what looks like one taken out. */
function shownAs(rendered: Rendered | undefined): ProposedChange['from'] {
  if (rendered === undefined || rendered.hash === null) return { hash: null, source: rendered?.source ?? '', merged: '' }
  const [file] = redactFiles([{ name: '', contentType: 'text/yaml', body: rendered.shown.merged }])
  return { hash: rendered.hash, source: rendered.source, merged: file?.body ?? '' }
}

function describe(combinations: ReadonlyMap<Assignment, { readonly agents: number; readonly rendered: Rendered }>): DraftEffect['combinations'] {
  return [...combinations]
    .toSorted((a, b) => b[1].agents - a[1].agents)
    .slice(0, SHOWN_COMBINATIONS)
    .map(([{ groups }, { agents, rendered }]) => ({
      groups: [...groups],
      agents,
      fragments: rendered.shown.fragments.map(({ group, priority, revision, config, version, file }) => ({ group, priority, revision, config, version, file })),
      overrides: rendered.shown.overrides.map(({ path, winner, losers }) => ({ path, winner, losers: [...losers] })),
    }))
}

/** References that some agents cannot be given, each with those agents. */
class Lacking {
  readonly #byPlace = new Map<string, UnresolvedName & { lacking: number; agents: string[] }>()

  add(record: AgentRecord, { unresolved }: Rendered): void {
    for (const { reference, message, place, line, column } of unresolved) {
      const key = `${place} ${line} ${column} ${reference} ${message}`
      const known = this.#byPlace.get(key) ?? { reference, message, place, line, column, lacking: 0, agents: [] }
      known.lacking += 1
      if (known.agents.length < NAMED_AGENTS) known.agents.push(record.name)
      this.#byPlace.set(key, known)
    }
  }

  names(): UnresolvedName[] {
    return [...this.#byPlace.values()]
  }
}
