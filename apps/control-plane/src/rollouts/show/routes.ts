/** Rollouts over REST. */
import { rolloutRoutes } from '@drover/api'
import type { Rollout as ShownRollout } from '@drover/api'
import { memberTraits } from '@drover/fleet'
import type { BindRoute, BindStream, Caller } from '../../http/bind-route.ts'
import { ConflictError, NotFoundError } from '../../http/errors.ts'
import { cursorNumber, decodeCursor, encodeCursor, toPage } from '../../http/paging.ts'
import type { RolloutsOptions } from '../part.ts'
import type { RolloutMemory } from '../run/memory.ts'
import { whyGoesBack } from '../run/starter.ts'
import type { Starter } from '../run/starter.ts'
import type { StoredRollout } from '../store.ts'
import type { Actions } from './actions.ts'
import { bindPreviewRoutes } from './preview-routes.ts'
import { findOrThrow, listDecisions, listMembers, listRollouts, membersOf } from './queries.ts'
import { bindSeriesRoute } from './series.ts'
import { showDecision, showMember, showRollout, showSummary } from './show.ts'
import { bindRolloutStream } from './stream.ts'

export interface RolloutRoutesOptions extends RolloutsOptions {
  readonly memory: RolloutMemory
  readonly actions: Actions
  readonly starter: Starter
}

export function bindRolloutRoutes(bind: BindRoute, bindStream: BindStream, options: RolloutRoutesOptions): void {
  bindReading(bind, options)
  bindLists(bind, options)
  bindWriting(bind, options)
  bindPreviewRoutes(bind, options)
  bindSeriesRoute(bind, options)
  bindRolloutStream(bindStream, {
    memory: options.memory,
    timing: options.timing,
    find: async (id, caller) => show(options, await findOrThrow(options.store.read, id), caller),
  })
}

function bindReading(bind: BindRoute, options: RolloutRoutesOptions): void {
  const { store, timing, fleet } = options
  bind(rolloutRoutes.listRollouts, async ({ query }) => {
    const { group, agent, state, limit } = query
    const [before] = decodeCursor(query.cursor, 1) ?? []
    const { rows, total } = await listRollouts(store.read, { group, agent, state, limit, ...(before === undefined ? {} : { before: cursorNumber(before) }) })
    const ids = rows.map(({ rollout }) => rollout.id)
    const members = agent === undefined ? undefined : await membersOf(store.read, agent, ids)
    const page = toPage(
      rows,
      limit,
      total,
      (stored) => stored,
      ({ seq }) => encodeCursor(seq),
    )
    const items = page.items.map((stored) => {
      const member = members?.get(stored.rollout.id)
      const summary = showSummary(stored, timing.now())
      if (member === undefined) return summary
      const { wave, state: memberState, error } = showMember(member, fleet())
      return { ...summary, member: { wave, state: memberState, error } }
    })
    return { data: { ...page, items } }
  })
  bind(rolloutRoutes.getRollout, async ({ params, caller }) => ({ data: show(options, await findOrThrow(store.read, params.rolloutId), caller) }))
}

function bindLists(bind: BindRoute, { store, fleet, readFailures }: RolloutRoutesOptions): void {
  bind(rolloutRoutes.listRolloutDecisions, async ({ params, query }) => {
    await findOrThrow(store.read, params.rolloutId)
    const [before] = decodeCursor(query.cursor, 1) ?? []
    const { rows, total } = await listDecisions(store.read, params.rolloutId, query.limit, before === undefined ? undefined : cursorNumber(before))
    return { data: toPage(rows, query.limit, total, showDecision, ({ seq }) => encodeCursor(seq)) }
  })
  bind(rolloutRoutes.listRolloutMembers, async ({ params, query }) => {
    const { rollout, endedAt } = await findOrThrow(store.read, params.rolloutId)
    const { wave, state, limit } = query
    const cursor = decodeCursor(query.cursor, 3)
    const after = cursor && { wave: cursorNumber(cursor[0]), point: cursorNumber(cursor[1]), agent: cursor[2] ?? '' }
    const { rows, total } = await listMembers(store.read, params.rolloutId, { wave, state, limit, after })
    const ids = rows.map(({ member }) => member.agent)
    const failures = await readFailures(store.read, ids, rollout.startedAt ?? 0, endedAt ?? Number.MAX_SAFE_INTEGER)
    const show = (row: (typeof rows)[number]) => ({ ...showMember(row, fleet()), error: failures.get(row.member.agent) ?? null })
    return { data: toPage(rows, limit, total, show, ({ member }) => encodeCursor(member.wave, member.point, member.agent)) }
  })
}

function bindWriting(bind: BindRoute, options: RolloutRoutesOptions): void {
  const { store, actions } = options
  bind(rolloutRoutes.createRollout, async (call) => {
    const { group, revision: to, ...start } = call.body
    // What was fine when the revision was made may be gone by now: a secret, a config.
    await options.readChange({ group, revision: to })
    return store.transaction(async (tx) => {
      const state = await options.findGroup(tx, group)
      if (state === undefined) throw new NotFoundError('group', group)
      if ((await options.readRevision(tx, group, to)) === undefined) throw new NotFoundError('revision', `${group}@${to}`)
      if (start.draft !== true) refuseWithoutChange(options.memory, group, state.current, to)
      const { id } = await options.starter.begin(tx, { group, state, to, start, by: call.caller.name })
      tx.afterCommit(options.onGroupsChanged)
      return call.answer(tx, { data: show(options, await findOrThrow(tx, id), call.caller) })
    })
  })
  bind(rolloutRoutes.actOnRollout, async ({ params, body, caller }) => {
    const stored = await actions.act(params.rolloutId, { action: params.action, by: caller.name, ...body })
    return { data: show(options, stored, caller) }
  })
  bind(rolloutRoutes.deleteDraftRollout, async ({ params, caller }) => {
    await actions.deleteDraft(params.rolloutId, caller.name)
    return { data: undefined }
  })
}

/** Everybody has it, or is on the way to it. */
function refuseWithoutChange(memory: RolloutMemory, group: string, current: number | null, to: number): void {
  const live = memory.newestOf(group)
  if (live?.rollout.state === 'rollingBack') throw new ConflictError('rolling-back', whyGoesBack(live))
  if (live !== undefined && !live.isOver && live.rollout.to === to)
    throw new ConflictError('under-way', `${live.id} takes the group ${group} to revision ${to} already: wait for it, or act on it`)
  const isDivided = live !== undefined && (!live.isOver || live.rollout.state === 'stopped')
  const isHeldUp = live !== undefined && [...live.entries.values()].some(({ member }) => memberTraits[member.state].judged === 'bad')
  if (current === to && !isDivided && !isHeldUp)
    throw new ConflictError('nothing-to-do', `the group ${group} gives revision ${to} to all its agents already: choose another revision, or change the group`)
}

function show({ memory, timing }: RolloutRoutesOptions, stored: StoredRollout, caller: Caller): ShownRollout {
  return showRollout(stored, memory, caller.name, timing.now())
}
