/** Pages of rollouts, decisions and members. */
import type { QueryOf, rolloutRoutes } from '@drover/api'
import { isOver, rolloutActions } from '@drover/fleet'
import type { Decision, MemberState, RolloutStateName } from '@drover/fleet'
import { NotFoundError } from '../../http/errors.ts'
import type { Row } from '../../storage/schema.ts'
import type { ReadStore } from '../../storage/store.ts'
import { findRollout, toStoredMember, toStoredRollout } from '../store.ts'
import type { StoredMember, StoredRollout } from '../store.ts'

/** @throws {NotFoundError} */
export async function findOrThrow(from: ReadStore, id: string): Promise<StoredRollout> {
  const stored = await findRollout(from, id)
  if (stored === undefined) throw new NotFoundError('rollout', id)
  return stored
}

/** One more row than `limit` when there is another page. */
export interface Rows<T> {
  readonly rows: T[]
  readonly total: number
}

type ListQuery = Pick<QueryOf<typeof rolloutRoutes.listRollouts>, 'group' | 'agent' | 'state' | 'limit'> & { readonly before?: number }

const states = Object.keys(rolloutActions) as RolloutStateName[] // as: the keys of a total record
const over = states.filter((state) => isOver({ state }))
/** May still do something by themselves. */
const active = states.filter((state) => !isOver({ state }) && state !== 'draft')

/** Newest first. With an agent: as a member. */
export async function listRollouts(from: ReadStore, { group, agent, state, limit, before }: ListQuery): Promise<Rows<StoredRollout>> {
  let query = from.selectFrom('rollouts')
  if (group !== undefined) query = query.where('group_name', '=', group)
  if (agent !== undefined) query = query.where('id', 'in', (eb) => eb.selectFrom('rollout_members').select('rollout_id').where('agent_id', '=', agent))
  if (state !== undefined) query = query.where('state', 'in', state === 'active' ? active : state === 'over' ? over : [state])
  const { total } = await query.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow()
  const page = before === undefined ? query : query.where('seq', '<', before)
  const rows = await page
    .selectAll()
    .orderBy('seq', 'desc')
    .limit(limit + 1)
    .execute()
  return { rows: rows.map(toStoredRollout), total }
}

/** One agent in several rollouts, by their ids. */
export async function membersOf(from: ReadStore, agent: string, rollouts: readonly string[]): Promise<Map<string, StoredMember>> {
  if (rollouts.length === 0) return new Map()
  const rows = await from.selectFrom('rollout_members').selectAll().where('agent_id', '=', agent).where('rollout_id', 'in', rollouts).execute()
  return new Map(rows.map((row) => [row.rollout_id, toStoredMember(row)]))
}

/** Newest first. */
export async function listDecisions(from: ReadStore, rollout: string, limit: number, before: number | undefined): Promise<Rows<Decision>> {
  const query = from.selectFrom('rollout_decisions').where('rollout_id', '=', rollout)
  const { total } = await query.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow()
  const rows = await (before === undefined ? query : query.where('seq', '<', before))
    .select('decision_json')
    .orderBy('seq', 'desc')
    .limit(limit + 1)
    .execute()
  return { rows: rows.map(({ decision_json: json }) => JSON.parse(json) as Decision), total } // as: only the store of rollouts writes it
}

export interface MemberPlace {
  readonly wave: number
  readonly point: number
  readonly agent: string
}

interface MemberQuery {
  readonly wave?: number | undefined
  readonly state?: MemberState | undefined
  readonly limit: number
  readonly after?: MemberPlace | undefined
}

/** In the order of release. */
export async function listMembers(from: ReadStore, rollout: string, { wave, state, limit, after }: MemberQuery): Promise<Rows<StoredMember>> {
  let query = from.selectFrom('rollout_members').where('rollout_id', '=', rollout)
  if (wave !== undefined) query = query.where('wave', '=', wave)
  if (state !== undefined) query = query.where('state', '=', state)
  const { total } = await query.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow()
  const page =
    after === undefined ? query : query.where((eb) => eb(eb.refTuple('wave', 'point', 'agent_id'), '>', eb.tuple(after.wave, after.point, after.agent)))
  const rows: Row<'rollout_members'>[] = await page
    .selectAll()
    .orderBy('wave')
    .orderBy('point')
    .orderBy('agent_id')
    .limit(limit + 1)
    .execute()
  return { rows: rows.map(toStoredMember), total }
}
