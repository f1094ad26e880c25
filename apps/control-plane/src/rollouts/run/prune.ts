/** Members of rollouts that ended long ago: who was in which wave is of no use any more; the rollout itself and its decisions are kept. */
import type { Store } from '../../storage/store.ts'
import type { RolloutMemory } from './memory.ts'

const keptMs = 30 * 24 * 3_600_000

/** One rollout in each transaction, so that nobody waits long. */
export async function pruneMembers(store: Store, memory: RolloutMemory, now: number): Promise<void> {
  const old = await store.read
    .selectFrom('rollouts')
    .select('id')
    .where('ended_at', '<', now - keptMs)
    .where((eb) => eb.exists(eb.selectFrom('rollout_members').select('agent_id').whereRef('rollout_id', '=', 'rollouts.id')))
    .execute()
  for (const { id } of old) {
    if (memory.find(id) !== undefined) continue
    await store.transaction((tx) => tx.deleteFrom('rollout_members').where('rollout_id', '=', id).execute())
  }
}
