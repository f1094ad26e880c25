/** Rollouts, their members and decisions in the store. Many members are written with one statement. */
import type { Decision, Member, MemberState, Rollout, RolloutPlan } from '@drover/fleet'
import { memberStates } from '@drover/fleet'
import type { PresetName } from '@drover/api'
import { sql } from 'kysely'
import type { Row } from '../storage/schema.ts'
import type { ReadStore, Tx } from '../storage/store.ts'
import type { Before } from './run/live-rollout.ts'

/** A rollout with what people said about it. */
export interface StoredRollout {
  readonly seq: number
  readonly rollout: Rollout
  readonly plan: RolloutPlan
  readonly preset: PresetName | null
  /** Members at the start. */
  readonly agents: number
  readonly reason: string
  readonly createdBy: string
  readonly createdAt: number
  readonly endedAt: number | null
}

export interface StoredMember {
  readonly member: Member
  readonly before: Before | null
}

/** `after` null: it left. */
export interface MemberChange {
  readonly agent: string
  readonly after: Member | null
  readonly before: Before | null
}

export function toStoredRollout(row: Row<'rollouts'>): StoredRollout {
  return {
    seq: row.seq,
    rollout: JSON.parse(row.rollout_json) as Rollout, // as: only this file writes it
    plan: JSON.parse(row.plan_json) as RolloutPlan, // as: likewise
    preset: row.preset as PresetName | null, // as: likewise
    agents: row.agents,
    reason: row.reason,
    createdBy: row.created_by,
    createdAt: row.created_at,
    endedAt: row.ended_at,
  }
}

/** Returns its number, which is greater than that of every other. */
export async function insertRollout(
  tx: Tx,
  { rollout, plan, preset, agents, reason, createdBy, createdAt, endedAt }: Omit<StoredRollout, 'seq'>,
): Promise<number> {
  const { seq } = await tx
    .insertInto('rollouts')
    .values({
      id: rollout.id,
      group_name: rollout.group,
      from_revision: rollout.from,
      to_revision: rollout.to,
      plan_json: JSON.stringify(plan),
      preset,
      state: rollout.state,
      rollout_json: JSON.stringify(rollout),
      agents,
      reason,
      created_by: createdBy,
      created_at: createdAt,
      started_at: rollout.startedAt,
      ended_at: endedAt,
    })
    .returning('seq')
    .executeTakeFirstOrThrow()
  return seq
}

export async function updateRollout(tx: Tx, rollout: Rollout, endedAt: number | null): Promise<void> {
  await tx
    .updateTable('rollouts')
    .set({ state: rollout.state, rollout_json: JSON.stringify(rollout), ended_at: endedAt })
    .where('id', '=', rollout.id)
    .execute()
}

export async function deleteRollout(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom('rollouts').where('id', '=', id).execute()
}

export async function insertDecisions(tx: Tx, rollout: string, decisions: readonly Decision[]): Promise<void> {
  if (decisions.length === 0) return
  await tx
    .insertInto('rollout_decisions')
    .values(decisions.map((decision) => ({ rollout_id: rollout, seq: decision.seq, decision_json: JSON.stringify(decision) })))
    .execute()
}

const MEMBER_COLUMNS = [
  'rollout_id',
  'agent_id',
  'wave',
  'point',
  'late',
  'holds',
  'state',
  'tries',
  'since',
  'pushed_at',
  'before_json',
] as const satisfies readonly (keyof Row<'rollout_members'>)[]

/**
 * Any number of members as one parameter, so that the statement is always the same and is prepared once. Its place in the order is what a member never
 * changes, and an index that is not touched costs nothing.
 */
export async function writeMembers(tx: Tx, rollout: string, changes: readonly MemberChange[]): Promise<void> {
  const present = changes.flatMap(({ after, before }) => (after === null ? [] : [toColumns(after, before)]))
  const gone = changes.flatMap(({ agent, after }) => (after === null ? [agent] : []))
  if (present.length > 0)
    await tx
      .insertInto('rollout_members')
      .columns([...MEMBER_COLUMNS])
      .expression(
        sql`select ${rollout}, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8, value->>9 from json_each(${JSON.stringify(present)}) where true`,
      )
      .onConflict((conflict) =>
        conflict.columns(['rollout_id', 'agent_id']).doUpdateSet((eb) => ({
          state: eb.ref('excluded.state'),
          tries: eb.ref('excluded.tries'),
          since: eb.ref('excluded.since'),
          pushed_at: eb.ref('excluded.pushed_at'),
          before_json: eb.ref('excluded.before_json'),
        })),
      )
      .execute()
  if (gone.length > 0)
    await tx
      .deleteFrom('rollout_members')
      .where('rollout_id', '=', rollout)
      .where('agent_id', 'in', sql<string>`(select value from json_each(${JSON.stringify(gone)}))`)
      .execute()
}

function toColumns(member: Member, before: Before | null): readonly unknown[] {
  const { agent, wave, point, late, holds, state, tries, since, pushedAt } = member
  return [agent, wave, point, late ? 1 : 0, holds, state, tries, since, pushedAt, before === null ? null : JSON.stringify(before)]
}

const PAGE = 5_000

/** All members of a rollout, a page at a time. */
export async function* readMembers(from: ReadStore, rollout: string): AsyncGenerator<StoredMember[]> {
  let after = ''
  for (;;) {
    const rows = await from
      .selectFrom('rollout_members')
      .selectAll()
      .where('rollout_id', '=', rollout)
      .where('agent_id', '>', after)
      .orderBy('agent_id')
      .limit(PAGE)
      .execute()
    yield rows.map(toStoredMember)
    if (rows.length < PAGE) return
    after = rows.at(-1)?.agent_id ?? after
  }
}

const stateNames = new Map<string, MemberState>(memberStates.map((state) => [state, state]))
const beforeValues = new Map<string, Before>()

/** Equal texts and values are shared: there are as many as members. */
export function toStoredMember(row: Row<'rollout_members'>): StoredMember {
  const { agent_id: agent, wave, point, late, holds, tries, since, pushed_at: pushedAt } = row
  const state = stateNames.get(row.state) ?? row.state
  return { member: { agent, wave, point, late: late === 1, holds, state, tries, since, pushedAt }, before: toBefore(row.before_json) }
}

function toBefore(json: string | null): Before | null {
  if (json === null) return null
  const value = beforeValues.get(json) ?? (JSON.parse(json) as Before) // as: only toColumns writes it
  beforeValues.set(json, value)
  return value
}

/** Of each group the newest that was started, in the order of their starts. */
export async function readNewest(from: ReadStore): Promise<StoredRollout[]> {
  const rows = await from
    .selectFrom('rollouts')
    .selectAll()
    .where('seq', 'in', (eb) =>
      eb
        .selectFrom('rollouts')
        .select((of) => of.fn.max('seq').as('seq'))
        .where('started_at', 'is not', null)
        .groupBy('group_name'),
    )
    .orderBy('seq')
    .execute()
  return rows.map(toStoredRollout)
}

export async function findRollout(from: ReadStore, id: string): Promise<StoredRollout | undefined> {
  const row = await from.selectFrom('rollouts').selectAll().where('id', '=', id).executeTakeFirst()
  return row && toStoredRollout(row)
}
