/** Groups over REST. What changes for agents becomes a revision, and a rollout takes the agents there; nothing reaches them from here. */
import { groupRoutes } from '@drover/api'
import type { Group, RolloutStart } from '@drover/api'
import { parseSelector } from '@drover/fleet'
import type { RolloutPlan } from '@drover/fleet'
import type { BindRoute, Call } from '../http/bind-route.ts'
import { ConflictError, requireMatch } from '../http/errors.ts'
import { cursorNumber, decodeCursor, encodeCursor, toPage } from '../http/paging.ts'
import type { ReadStore, Tx } from '../storage/store.ts'
import { bindDeleting } from './delete-route.ts'
import { checkInput, checkedPlan } from './input.ts'
import { findGroup } from './options.ts'
import type { GroupRoutesOptions } from './options.ts'
import type { Input } from './input.ts'
import { changesBetween } from './revision.ts'
import { etagOf, showGroup, showRevision } from './show.ts'
import type { Change, StoredGroup } from './store.ts'

export function bindGroupRoutes(bind: BindRoute, options: GroupRoutesOptions): void {
  bindReading(bind, options)
  bindWriting(bind, options)
  bindDeleting(bind, options)
  bind(groupRoutes.previewGroup, async ({ body }) => {
    const before = body.name === undefined ? undefined : await options.groups.find(options.store.read, body.name)
    const { values, selector, findings } = await checkInput(options, options.store.read, body, before?.revision)
    const draft = { ...values, selector, ...(body.name === undefined ? {} : { name: body.name }) }
    return { data: await options.preview(draft, findings) }
  })
}

function bindReading(bind: BindRoute, { store, groups, countsByGroup }: GroupRoutesOptions): void {
  bind(groupRoutes.listGroups, async ({ query }) => {
    const cursor = decodeCursor(query.cursor, 2)
    const after = cursor && { priority: cursorNumber(cursor[0]), name: String(cursor[1]) }
    const page = await groups.list(store.read, { limit: query.limit, ...(after ? { after } : {}) })
    const counts = countsByGroup()
    const show = (group: StoredGroup): Group => showGroup(group, counts.get(group.name))
    return { data: toPage(page.groups, query.limit, page.total, show, ({ name, revision }) => encodeCursor(revision.priority, name)) }
  })
  bind(groupRoutes.getGroup, async ({ params }) => {
    const group = await findGroup(groups, store.read, params.name)
    return { data: showGroup(group, countsByGroup().get(group.name)), etag: etagOf(group) }
  })
  bind(groupRoutes.listRevisions, async ({ params, query }) => {
    const group = await findGroup(groups, store.read, params.name)
    const [before] = decodeCursor(query.cursor, 1) ?? []
    const { revisions, total } = await groups.listRevisions(store.read, group, {
      limit: query.limit,
      ...(before === undefined ? {} : { before: cursorNumber(before) }),
    })
    return { data: toPage(revisions, query.limit, total, showRevision, (revision) => encodeCursor(revision.number)) }
  })
}

function bindWriting(bind: BindRoute, options: GroupRoutesOptions): void {
  const { store, events, groups } = options
  bind(groupRoutes.createGroup, (call) =>
    store.transaction(async (tx) => {
      const { name, description, message, rollout } = call.body
      if (await groups.find(tx, name)) throw new ConflictError('already-exists', `there is a group ${name} already: change it, or choose another name`)
      const { values } = await checkInput(options, tx, call.body, undefined)
      const plan = ownPlan(options, call.body, null)
      const author = call.caller.name
      const { revision } = await groups.create(tx, name, { description, plan }, values, { author, message })
      const { selector, priority, configs } = values
      await events.append(tx, {
        kind: 'group.created',
        actor: author,
        subject: name,
        summary: `${author} created the group ${name}${manner(rollout)}`,
        data: { revision: revision.number, selector, priority, configs, ...startData(rollout) },
      })
      await begin(options, tx, name, rollout, { author, message })
      return call.answer(tx, await showChanged(options, tx, name))
    }),
  )
  bind(groupRoutes.setGroup, (call) => store.transaction((tx) => setGroup(options, tx, call)))
}

async function setGroup(
  options: GroupRoutesOptions,
  tx: Tx,
  { params, body, caller, ifMatch }: Call<typeof groupRoutes.setGroup>,
): Promise<{ data: Group; etag: string }> {
  const { groups, events } = options
  const before = await findGroup(groups, tx, params.name)
  const { name } = before
  requireMatch(ifMatch, `the group ${name}`, etagOf(before), showGroup(before, options.countsByGroup().get(name)))
  const { values } = await checkInput(options, tx, body, before.revision)
  const own = ownPlan(options, body, before.plan)
  const changed = changesBetween(before.revision, values)
  const reason = changed.length === 0 ? null : options.rollouts.whyNotChangeable(name)
  if (reason !== null) throw new ConflictError('not-changeable-now', reason)
  await groups.setTexts(tx, before, { description: body.description, plan: own })
  const author = caller.name
  const to = changed.length === 0 ? before.revision.number : await groups.addRevision(tx, before, values, { author, message: body.message })
  const what = changed.length === 0 ? `changed the group ${name}` : `made revision ${to} of the group ${name}${manner(body.rollout)}`
  await events.append(tx, {
    kind: 'group.changed',
    actor: author,
    subject: name,
    summary: `${author} ${what}`,
    data: { revision: to, previousRevision: before.revision.number, changed, ...startData(changed.length === 0 ? undefined : body.rollout) },
  })
  if (changed.length > 0) await begin(options, tx, name, body.rollout, { author, message: body.message })
  return showChanged(options, tx, name)
}

/** To the revision that was just stored. */
async function begin(options: GroupRoutesOptions, tx: Tx, name: string, start: RolloutStart | undefined, { author, message }: Change): Promise<void> {
  const state = await options.groups.readState(tx, name)
  if (state === undefined) throw new Error(`the group ${name} is missing`)
  await options.rollouts.begin(tx, { group: name, state, to: state.revision, start: { reason: message, ...start }, by: author })
  tx.afterCommit(options.onGroupsChanged)
}

function ownPlan({ checkPlan }: GroupRoutesOptions, { plan }: Input, before: RolloutPlan | null): RolloutPlan | null {
  if (plan === undefined) return before
  return plan === null ? null : checkedPlan(checkPlan, plan, 'body.plan')
}

/** No staged rollout is called one. */
function manner(start: RolloutStart | undefined): string {
  if (start?.draft) return ', to be rolled out later'
  return start?.plan === undefined && start?.preset === 'everyone' ? ', for all agents at once' : ''
}

function startData(start: RolloutStart | undefined): { allAtOnce?: true; draft?: true } {
  return { ...(start?.plan === undefined && start?.preset === 'everyone' ? { allAtOnce: true } : {}), ...(start?.draft ? { draft: true } : {}) }
}

/** Members of a group that was just changed are known a moment later; the answer counts whom the selector chooses. */
async function showChanged({ groups, countsOf }: GroupRoutesOptions, from: ReadStore, name: string): Promise<{ data: Group; etag: string }> {
  const group = await findGroup(groups, from, name)
  return { data: showGroup(group, countsOf(parseSelector(group.revision.selector))), etag: etagOf(group) }
}
