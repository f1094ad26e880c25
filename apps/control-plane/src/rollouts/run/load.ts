/** Brings into memory what was committed before the server started. */
import type { Selector } from '@drover/fleet'
import type { ReadStore } from '../../storage/store.ts'
import type { GroupState, RolloutsOptions } from '../part.ts'
import { readMembers, readNewest } from '../store.ts'
import type { StoredMember, StoredRollout } from '../store.ts'
import { LiveRollout } from './live-rollout.ts'
import type { RolloutMemory } from './memory.ts'

export async function loadRollouts(from: ReadStore, memory: RolloutMemory, options: Pick<RolloutsOptions, 'readGroups' | 'readRevision'>): Promise<void> {
  const groups = await options.readGroups()
  for (const stored of await readNewest(from)) {
    if (!isOf(groups.get(stored.rollout.group), stored)) continue
    const members: StoredMember[] = []
    for await (const page of readMembers(from, stored.rollout.id)) members.push(...page)
    const selectors = await readSelectors(from, stored, members, options)
    memory.add(new LiveRollout({ ...stored, selectors, members }))
  }
}

/** A group that was deleted leaves its rollouts behind, and one of the same name has none of them. */
function isOf(group: GroupState | undefined, { rollout }: StoredRollout): boolean {
  return group !== undefined && rollout.to >= group.firstRevision
}

async function readSelectors(
  from: ReadStore,
  { rollout }: StoredRollout,
  members: readonly StoredMember[],
  { readRevision }: Pick<RolloutsOptions, 'readRevision'>,
): Promise<Map<number, Selector>> {
  const selectors = new Map<number, Selector>()
  for (const number of new Set([rollout.to, rollout.from, ...members.map(({ member }) => member.holds)])) {
    const revision = number === null ? undefined : await readRevision(from, rollout.group, number)
    if (number !== null && revision !== undefined) selectors.set(number, revision.rule.selector)
  }
  return selectors
}
