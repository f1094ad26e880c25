/** Attempts on disk: every change of a ledger is written there, and ledgers are made from them at start. */
import { setImmediate } from 'node:timers/promises'
import { createLedger } from '@drover/fleet'
import type { Attempt, Ledger, ReportedStatus } from '@drover/fleet'
import type { NewRow, Row } from '../storage/schema.ts'
import type { ReadStore, Store, Tx } from '../storage/store.ts'
import type { AgentRecord } from './agent-record.ts'

export interface AttemptOf {
  readonly record: Pick<AgentRecord, 'id' | 'forgotten'>
  readonly attempt: Attempt
  readonly source: string
}

/** In the order they happened; attempts of agents that are forgotten by now are left out. */
export async function saveAttempts(tx: Tx, changes: readonly AttemptOf[]): Promise<void> {
  // An attempt may have gone on since it was handed in: its latest state is what counts.
  const latest = new Map(changes.filter(({ record }) => !record.forgotten).map((change) => [`${change.record.id} ${change.attempt.seq}`, change]))
  if (latest.size === 0) return
  await tx
    .insertInto('attempts')
    .values([...latest.values()].map(toRow))
    .onConflict((conflict) =>
      conflict.columns(['agent_id', 'seq']).doUpdateSet((eb) => ({
        state: eb.ref('excluded.state'),
        error_message: eb.ref('excluded.error_message'),
        restored_hash: eb.ref('excluded.restored_hash'),
        updated_at: eb.ref('excluded.updated_at'),
      })),
    )
    .execute()
}

function toRow({ record, attempt, source }: AttemptOf): NewRow<'attempts'> {
  return {
    agent_id: record.id,
    seq: attempt.seq,
    hash: attempt.hash,
    source,
    state: attempt.state,
    reason: attempt.reason,
    error_message: 'errorMessage' in attempt ? attempt.errorMessage : null,
    restored_hash: 'restoredHash' in attempt ? attempt.restoredHash : null,
    offered_at: attempt.offeredAt,
    updated_at: attempt.updatedAt,
  }
}

/** A person's wish to try a failed configuration again; null once it is offered. */
export async function saveRetry(tx: Tx, agentId: string, hash: string | null): Promise<void> {
  await tx.updateTable('agents').set({ retry_hash: hash }).where('id', '=', agentId).execute()
}

function attemptFromRow(row: Row<'attempts'>): Attempt {
  const base = { seq: row.seq, hash: row.hash, reason: row.reason, offeredAt: row.offered_at, updatedAt: row.updated_at }
  switch (row.state) {
    case 'failed':
      return { ...base, state: 'failed', errorMessage: row.error_message ?? '' }
    case 'rolledBack':
      return { ...base, state: 'rolledBack', errorMessage: row.error_message ?? '', restoredHash: row.restored_hash ?? '' }
    default:
      return { ...base, state: row.state }
  }
}

/** So many of an agent's newest attempts are kept for people to read. */
const KEPT_ATTEMPTS = 100
/** Agents that are tidied in one transaction. */
const TIDIED_TOGETHER = 50

/** Deletes what is older than the newest of each agent, except what its ledger needs. Looks at the store only for agents that have more. */
export async function pruneAttempts(store: Pick<Store, 'transaction'>, records: Iterable<AgentRecord>): Promise<void> {
  const long = [...records].filter(({ ledger }) => ledger.nextSeq - 1 > KEPT_ATTEMPTS)
  for (let done = 0; done < long.length; done += TIDIED_TOGETHER) {
    await setImmediate()
    await store.transaction(async (tx) => {
      for (const { id, ledger } of long.slice(done, done + TIDIED_TOGETHER)) {
        await tx
          .deleteFrom('attempts')
          .where('agent_id', '=', id)
          .where('seq', '<', ledger.nextSeq - KEPT_ATTEMPTS)
          .where(
            'seq',
            'not in',
            ledger.attempts.map(({ seq }) => seq),
          )
          .execute()
      }
    })
  }
}

/** Per agent and hash the rules ask for the latest attempt and the latest verdict; older ones are only for people to read. */
export async function readLedgers(
  from: ReadStore,
  reported: (agentId: string) => { readonly reported: ReportedStatus | null; readonly retry: string | null },
): Promise<Map<string, Ledger>> {
  const latest = from
    .selectFrom('attempts')
    .select((eb) => eb.fn.max('id').as('id'))
    .groupBy(['agent_id', 'hash'])
  const verdicts = latest.where('state', 'in', ['applied', 'failed', 'rolledBack'])
  const byAgent = new Map<string, Attempt[]>()
  const size = 2000
  for (let after = 0; ; ) {
    const rows = await from
      .selectFrom('attempts')
      .selectAll()
      .where('id', '>', after)
      .where((eb) => eb.or([eb('id', 'in', latest), eb('id', 'in', verdicts)]))
      .orderBy('id')
      .limit(size)
      .execute()
    for (const row of rows) {
      const attempts = byAgent.get(row.agent_id) ?? []
      attempts.push(attemptFromRow(row))
      byAgent.set(row.agent_id, attempts)
    }
    const last = rows.at(-1)
    if (last === undefined || rows.length < size) break
    after = last.id
  }
  return new Map([...byAgent].map(([agentId, attempts]) => [agentId, createLedger({ attempts, ...reported(agentId) })]))
}

/** In which words agents failed something for the first time within a span; those that did not are left out. */
export async function readFailures(from: ReadStore, agentIds: readonly string[], fromMs: number, toMs: number): Promise<Map<string, string>> {
  const rows = await from
    .selectFrom('attempts')
    .select(['agent_id', 'error_message'])
    .where('agent_id', 'in', agentIds)
    .where('state', 'in', ['failed', 'rolledBack'])
    .where('updated_at', '>=', fromMs)
    .where('updated_at', '<=', toMs)
    .orderBy('id', 'desc')
    .execute()
  // The earliest comes last and stays.
  return new Map(rows.flatMap(({ agent_id: id, error_message: text }) => (text === null || text === '' ? [] : [[id, text] as const])))
}
