/** What people do to rollouts. */
import { RolloutError } from '@drover/fleet'
import type { RolloutActionName } from '@drover/api'
import { ConflictError } from '../../http/errors.ts'
import type { Store, Tx } from '../../storage/store.ts'
import type { RolloutsOptions } from '../part.ts'
import type { Driver } from '../run/driver.ts'
import type { InFlight } from '../run/in-flight.ts'
import type { LiveRollout } from '../run/live-rollout.ts'
import type { RolloutMemory } from '../run/memory.ts'
import type { Recorder } from '../run/recorder.ts'
import { goesBack } from '../run/starter.ts'
import type { Starter } from '../run/starter.ts'
import { computeEvent } from '../run/turn.ts'
import { deleteRollout } from '../store.ts'
import type { StoredRollout } from '../store.ts'
import { findOrThrow } from './queries.ts'
import { notTheNewest, refusal, refuseIdleRetry, refuseOtherWave, stateWords } from './refusals.ts'

export interface ActionsOptions extends Pick<RolloutsOptions, 'events' | 'findGroup' | 'timing' | 'onGroupsChanged'> {
  readonly store: Store
  readonly memory: RolloutMemory
  readonly inFlight: InFlight
  readonly recorder: Recorder
  readonly driver: Driver
  readonly starter: Starter
}

export interface Act {
  readonly action: RolloutActionName
  /** Name of the caller. */
  readonly by: string
  readonly reason: string
  /** Counted from 1: the wave that the caller has seen. */
  readonly wave?: number | undefined
}

/** They let a rollout go on from what somebody has seen. What holds it back is done whatever was seen. */
const onward: ReadonlySet<RolloutActionName> = new Set(['approve', 'resume', 'promote'])

export class Actions {
  readonly #options: ActionsOptions

  constructor(options: ActionsOptions) {
    this.#options = options
  }

  /** Returns what is stored now. @throws {NotFoundError} @throws {ConflictError} with what to do instead. */
  act(id: string, act: Act): Promise<StoredRollout> {
    const { store, inFlight, memory } = this.#options
    return store.transaction(async (tx) => {
      await inFlight.settle(tx)
      const stored = await findOrThrow(tx, id)
      if (act.action === 'start') await this.#start(tx, stored, act)
      else {
        const live = memory.find(id)
        if (live === undefined) throw notTheNewest(stored, act.action, memory)
        await this.#record(tx, live, act)
      }
      return findOrThrow(tx, id)
    })
  }

  deleteDraft(id: string, by: string): Promise<void> {
    const { store, events } = this.#options
    return store.transaction(async (tx) => {
      const { rollout } = await findOrThrow(tx, id)
      const { state, group, to } = rollout
      if (state !== 'draft')
        throw new ConflictError('not-a-draft', `the rollout is ${stateWords[state]}, and what was started stays in the history; only drafts can be deleted`)
      await deleteRollout(tx, id)
      const summary = `${by} deleted the prepared rollout of revision ${to} of ${group}`
      await events.append(tx, { kind: 'rollout.deleted', actor: by, subject: group, summary, data: { rollout: id, group, to } })
    })
  }

  /** The group is deleted in this transaction. */
  async endWith(tx: Tx, group: string, by: string): Promise<void> {
    const { memory, inFlight, driver, recorder, timing } = this.#options
    await inFlight.settle(tx)
    await tx.deleteFrom('rollouts').where('group_name', '=', group).where('state', '=', 'draft').execute()
    const live = memory.newestOf(group)
    if (live === undefined) return
    if (live.rollout.state === 'rollingBack') throw goesBack(live)
    const change = live.isOver ? undefined : computeEvent(live, { kind: 'stop', by, reason: `the group ${group} was deleted` }, timing.now())
    if (change !== undefined) await recorder.record(tx, change)
    inFlight.add(tx, () => {
      if (change !== undefined) live.rollout = change.rollout
      memory.removeGroup(group)
      driver.onOver(live)
    })
  }

  async #start(tx: Tx, stored: StoredRollout, { by, reason }: Act): Promise<void> {
    const { findGroup, starter, onGroupsChanged } = this.#options
    const { state, group, to } = stored.rollout
    if (state !== 'draft') throw refusal(new RolloutError('wrong-state', state, 'start'))
    const found = await findGroup(tx, group)
    if (found === undefined || to < found.firstRevision)
      throw new ConflictError('group-is-gone', `the group ${group} was deleted since this rollout was prepared: delete the rollout too`)
    await starter.startDraft(tx, stored, found, by, reason)
    tx.afterCommit(onGroupsChanged)
  }

  async #record(tx: Tx, live: LiveRollout, { action, by, reason, wave }: Act): Promise<void> {
    const { inFlight, recorder, driver, timing } = this.#options
    if (wave !== undefined && onward.has(action)) refuseOtherWave(live.rollout, wave)
    if (action === 'retry') refuseIdleRetry(live.rollout)
    const change = refusing(() => computeEvent(live, { kind: action as Exclude<RolloutActionName, 'start'>, by, reason } as const, timing.now())) // as: `start` has gone another way
    await recorder.record(tx, change)
    inFlight.add(tx, () => driver.apply(change))
  }
}

function refusing<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof RolloutError) throw refusal(error)
    throw error
  }
}
