/** Deleting a group. What it gave is gone for all of its members at once, so that takes an explicit word as soon as agents would notice. */
import { groupRoutes } from '@drover/api'
import { parseSelector } from '@drover/fleet'
import type { BindRoute } from '../http/bind-route.ts'
import { ConflictError, requireMatch } from '../http/errors.ts'
import { findGroup } from './options.ts'
import type { GroupRoutesOptions } from './options.ts'
import { etagOf, showGroup } from './show.ts'
import type { StoredGroup } from './store.ts'

export function bindDeleting(bind: BindRoute, options: GroupRoutesOptions): void {
  const { store, events, groups, rollouts, countsByGroup, onGroupsChanged } = options
  bind(groupRoutes.deleteGroup, async ({ params, query, caller, ifMatch }) => {
    const allAtOnce = query.allAtOnce ?? false
    const requireUnchanged = (group: StoredGroup): void =>
      requireMatch(ifMatch, `the group ${group.name}`, etagOf(group), showGroup(group, countsByGroup().get(group.name)))
    // Before the transaction: it looks at every agent, and others wait for a transaction.
    const seen = await findGroup(groups, store.read, params.name)
    requireUnchanged(seen)
    const { changing } = await options.effectOf({ group: seen.name, revision: nothing(seen) })
    if (!allAtOnce) refuseWhenNoticed(seen, changing)
    await store.transaction(async (tx) => {
      const group = await findGroup(groups, tx, params.name)
      requireUnchanged(group)
      if (!allAtOnce) refuseWhileActive(group)
      await rollouts.endWith(tx, group.name, caller.name)
      await groups.delete(tx, group.name)
      await events.append(tx, {
        kind: 'group.deleted',
        actor: caller.name,
        subject: group.name,
        summary: `${caller.name} deleted the group ${group.name}${changing === 0 ? '' : `, which changes ${agents(changing)} at once`}`,
        data: { revision: group.revision.number, changing, ...(allAtOnce ? { allAtOnce: true } : {}) },
      })
      tx.afterCommit(onGroupsChanged)
    })
    return { data: undefined }
  })
}

function refuseWhenNoticed({ name }: StoredGroup, changing: number): void {
  if (changing === 0) return
  throw new ConflictError(
    'changes-agents-at-once',
    `deleting the group ${name} would change what ${agents(changing)} run, at once: take its configs out first, which goes out in waves, or delete it with allAtOnce=true`,
  )
}

const ACTIVE: ReadonlySet<string> = new Set(['waiting', 'running', 'soaking', 'paused', 'rollingBack'])

function refuseWhileActive({ name, rollout }: StoredGroup): void {
  if (rollout === null || !ACTIVE.has(rollout.state)) return
  throw new ConflictError(
    'rollout-active',
    `the rollout ${rollout.id} of the group ${name} is not over: stop it or wait for its end, or delete the group with allAtOnce=true`,
  )
}

/** The group as if it gave nothing. */
function nothing({ name, revision }: StoredGroup): Parameters<GroupRoutesOptions['effectOf']>[0]['revision'] {
  const { selector, priority, number } = revision
  return { rule: { name, selector: parseSelector(selector), priority, revision: number, configs: [] }, variables: {}, secrets: {}, ownTelemetry: null }
}

function agents(count: number): string {
  return count === 1 ? '1 agent' : `${count} agents`
}
