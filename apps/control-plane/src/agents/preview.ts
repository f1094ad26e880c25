/** What a group would do to the fleet, before it is saved. */
import { setImmediate } from 'node:timers/promises'
import { createAssigner, matches } from '@drover/fleet'
import type { Assignment, GroupRule } from '@drover/fleet'
import type { DraftEffect, GroupDraft } from '../seams.ts'
import { lookupOf, summaryOf } from './agent-record.ts'
import type { AgentRecord } from './agent-record.ts'
import { renderWith } from './desired-configs.ts'
import type { DesiredConfigs } from './desired-configs.ts'

export interface PreviewTools {
  readonly records: () => Iterable<AgentRecord>
  readonly desired: DesiredConfigs
  readonly lastSeen: (record: AgentRecord) => number | null
}

const SAMPLE_AGENTS = 10
const SHOWN_COMBINATIONS = 20
/** Agents looked at before others get their turn. */
const CHUNK = 2_000

export async function previewDraft(tools: PreviewTools, draft: GroupDraft): Promise<DraftEffect> {
  const current = tools.desired.groups.find((group) => group.name === draft.name)
  const name = draft.name ?? unusedName(tools.desired.groups)
  const rule: GroupRule = { name, selector: draft.selector, priority: draft.priority, revision: (current?.revision ?? 0) + 1, configs: draft.configs }
  const groups = [...tools.desired.groups.filter((group) => group.name !== name), rule]
  const assigner = createAssigner(groups)
  const tally = { matching: 0, changing: 0, joining: 0, leaving: 0, notAccepting: 0 }
  const sample: AgentRecord[] = []
  const combinations = new Map<Assignment, number>()
  let looked = 0
  for (const record of tools.records()) {
    if (++looked % CHUNK === 0) await setImmediate()
    const lookup = lookupOf(record)
    const was = record.assignment?.groups.includes(name) ?? false
    const is = matches(draft.selector, lookup)
    if (!is && !was) continue
    const assignment = assigner.assign(lookup)
    if ((record.assignment?.key ?? '') !== assignment.key) tally.changing += 1
    if (!is) {
      tally.leaving += 1
      continue
    }
    tally.matching += 1
    if (!was) tally.joining += 1
    if (!record.capabilities.has('AcceptsRemoteConfig')) tally.notAccepting += 1
    if (sample.length < SAMPLE_AGENTS) sample.push(record)
    combinations.set(assignment, (combinations.get(assignment) ?? 0) + 1)
  }
  return {
    ...tally,
    sample: sample.map((record) => summaryOf(record, tools.lastSeen(record))),
    combinations: await describe(tools.desired, groups, combinations),
  }
}

/** A new group has no name while it is typed. */
function unusedName(groups: readonly GroupRule[]): string {
  const used = new Set(groups.map((group) => group.name))
  let name = 'new-group'
  while (used.has(name)) name += '-1'
  return name
}

async function describe(
  desired: DesiredConfigs,
  groups: readonly GroupRule[],
  combinations: ReadonlyMap<Assignment, number>,
): Promise<DraftEffect['combinations']> {
  const files = await desired.readFiles(groups)
  return [...combinations]
    .toSorted((a, b) => b[1] - a[1])
    .slice(0, SHOWN_COMBINATIONS)
    .map(([assignment, agents]) => {
      const { config } = renderWith(assignment, files)
      return {
        groups: [...assignment.groups],
        agents,
        fragments: config.fragments.map(({ group, priority, revision, config: document, version, file }) => ({
          group,
          priority,
          revision,
          config: document,
          version,
          file,
        })),
        overrides: config.overrides.map(({ path, winner, losers }) => ({ path, winner, losers: [...losers] })),
      }
    })
}
