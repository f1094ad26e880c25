/** Writes a change of a rollout with everything that belongs to it: members, decisions, events, and what the group gives from now on. */
import { isOver } from '@drover/fleet'
import type { Decision, Rollout } from '@drover/fleet'
import type { EventLog } from '../../events/event-log.ts'
import type { Tx } from '../../storage/store.ts'
import type { RolloutsOptions } from '../part.ts'
import { insertDecisions, updateRollout, writeMembers } from '../store.ts'
import { decisionEvents } from './events.ts'
import type { Change } from './turn.ts'

export interface RecorderOptions {
  readonly events: EventLog
  readonly setCurrent: RolloutsOptions['setCurrent']
  readonly onGroupsChanged: () => void
}

export class Recorder {
  readonly #options: RecorderOptions

  constructor(options: RecorderOptions) {
    this.#options = options
  }

  async record(tx: Tx, { live, rollout, looks, decisions }: Change): Promise<void> {
    await writeMembers(
      tx,
      live.id,
      looks.filter(({ isChanged }) => isChanged),
    )
    await updateRollout(tx, rollout, isOver(rollout) ? (live.isOver ? live.endedAt : rollout.now) : null)
    await this.recordDecisions(tx, rollout, live.preset, decisions)
    await this.giveToGroup(tx, live.rollout, rollout)
  }

  async recordDecisions(tx: Tx, rollout: Rollout, preset: string | null, decisions: readonly Decision[]): Promise<void> {
    await insertDecisions(tx, rollout.id, decisions)
    await this.#options.events.appendAll(tx, decisionEvents({ rollout, preset }, decisions))
  }

  /** What the group gives to all, once a rollout is through or taken back. */
  async giveToGroup(tx: Tx, before: Rollout, after: Rollout): Promise<void> {
    if (before.state === after.state) return
    if (after.state === 'completed') await this.#options.setCurrent(tx, after.group, after.to)
    else if (after.state === 'rolledBack') await this.#options.setCurrent(tx, after.group, after.from)
    else return
    tx.afterCommit(this.#options.onGroupsChanged)
  }
}
