/** What people do to agents: each decision is on disk before it is answered or carried out. */
import { allowRetry, isHeldBack } from '@drover/fleet'
import type { OpampServer } from '@drover/server'
import type { EventLog } from '../events/event-log.ts'
import { ConflictError, NotFoundError, requireMatch } from '../http/errors.ts'
import type { Store } from '../storage/store.ts'
import type { AgentRecord } from './agent-record.ts'
import type { Assignments } from './assignments.ts'
import { saveRetry } from './attempts.ts'
import { forgetUnsent } from './driver.ts'
import type { Driver } from './driver.ts'
import type { Offers } from './offers.ts'
import type { OwnTelemetryOffers } from './own-telemetry.ts'
import type { Registry } from './registry.ts'
import type { AgentStore } from './store.ts'

export interface CommandsOptions {
  readonly store: Store
  readonly events: EventLog
  readonly agentStore: AgentStore
  readonly registry: Registry
  readonly assignments: Assignments
  readonly offers: Offers
  readonly ownTelemetry: OwnTelemetryOffers
  readonly driver: Driver
  /** Where the agent stands may be another than before. */
  readonly onStanding: (record: AgentRecord) => void
  readonly onForgotten: (agentId: string) => void
}

export class Commands {
  readonly #options: CommandsOptions
  #server: Pick<OpampServer, 'offer' | 'disconnect'> | undefined

  constructor(options: CommandsOptions) {
    this.#options = options
  }

  attach(server: Pick<OpampServer, 'offer' | 'disconnect'>): void {
    this.#server = server
  }

  /** `show`: the agent as it is now, for a caller whose `ifMatch` is out of date. */
  async setLabels(record: AgentRecord, labels: Readonly<Record<string, string>>, ifMatch: string, show: () => Promise<unknown>, actor: string): Promise<void> {
    const { store, events, agentStore, registry, assignments } = this.#options
    await agentStore.flush()
    const current = await show()
    const edit = await store.transaction(async (tx) => {
      const row = await tx.selectFrom('agents').select('edit').where('id', '=', record.id).executeTakeFirst()
      if (row === undefined) throw new NotFoundError('agent', record.id)
      requireMatch(ifMatch, `agent ${record.name}`, String(row.edit), current)
      await tx
        .updateTable('agents')
        .set({ labels_json: JSON.stringify(labels), edit: row.edit + 1 })
        .where('id', '=', record.id)
        .execute()
      await events.append(tx, {
        kind: 'agent.labelled',
        actor,
        subject: record.id,
        summary: `${actor} set the labels of ${record.name}`,
        data: { agentName: record.name, labels },
      })
      return row.edit + 1
    })
    registry.setLabels(record, labels)
    record.edit = edit
    assignments.reselect(record)
    // Also where the groups stay: a label may be named in what they give.
    await this.#decideAndSend(record)
  }

  /** Returns the hash that is offered again. */
  async retry(record: AgentRecord, actor: string): Promise<string> {
    const { store, events, agentStore } = this.#options
    const hash = record.desiredHash
    if (record.problem !== null) throw new ConflictError('nothing-to-retry', record.problem)
    if (hash === null) throw new ConflictError('nothing-to-retry', `no group gives ${record.name} a configuration: add it to one first`)
    const failed = isHeldBack(record.ledger, hash)
    if (!failed && record.configState !== 'timedOut')
      throw new ConflictError('nothing-to-retry', `${record.name} did not fail its configuration: there is nothing to try again`)
    await agentStore.flush()
    await store.transaction(async (tx) => {
      if (failed) await saveRetry(tx, record.id, hash)
      await events.append(tx, {
        kind: 'attempt.retried',
        actor,
        subject: record.id,
        summary: `${actor} asked ${record.name} to try its configuration again`,
        data: { agentName: record.name, hash },
      })
    })
    record.ledger = allowRetry(record.ledger, hash)
    record.lastOffered = null
    await this.#decideAndSend(record)
    return hash
  }

  /** For a rollout: what these failed of what they should have is forgiven, the configuration and where own telemetry goes. */
  async forgive(agentIds: Iterable<string>): Promise<void> {
    const { store, agentStore, registry, ownTelemetry } = this.#options
    const failed: { record: AgentRecord; hash: string }[] = []
    for (const id of agentIds) {
      const record = registry.byId(id)
      if (record === undefined) continue
      if (ownTelemetry.allowRetry(record)) agentStore.changed(record)
      record.lastOffered = null
      const hash = record.desiredHash
      if (hash !== null && isHeldBack(record.ledger, hash)) failed.push({ record, hash })
    }
    if (failed.length === 0) return
    await agentStore.flush()
    await store.transaction(async (tx) => {
      for (const { record, hash } of failed) await saveRetry(tx, record.id, hash)
    })
    for (const { record, hash } of failed) record.ledger = allowRetry(record.ledger, hash)
  }

  async restart(record: AgentRecord, actor: string): Promise<'sent' | 'queued'> {
    const { store, events } = this.#options
    if (record.connection === undefined) throw new ConflictError('not-connected', `${record.name} is not connected: restart it when it is back`)
    if (!record.capabilities.has('AcceptsRestartCommand')) throw new ConflictError('not-supported', `${record.name} does not accept restart commands`)
    await store.transaction((tx) =>
      events.append(tx, {
        kind: 'agent.restartRequested',
        actor,
        subject: record.id,
        summary: `${actor} asked ${record.name} to restart`,
        data: { agentName: record.name },
      }),
    )
    const delivery = this.#server?.offer(record.uid, { restart: true }) ?? 'absent'
    if (delivery === 'absent') throw new ConflictError('not-connected', `${record.name} is not connected any more: restart it when it is back`)
    return delivery === 'sent' ? 'sent' : 'queued'
  }

  async forget(record: AgentRecord, actor: string): Promise<void> {
    const { store, events, agentStore, registry } = this.#options
    await agentStore.flush()
    // From here on nothing that is still under way may write it again.
    record.forgotten = true
    try {
      await store.transaction(async (tx) => {
        await tx.deleteFrom('agents').where('id', '=', record.id).execute()
        await events.append(tx, {
          kind: 'agent.forgotten',
          actor,
          subject: record.id,
          summary: `${actor} made Drover forget ${record.name}`,
          data: { agentName: record.name, instanceUid: record.uid },
        })
      })
    } catch (error) {
      record.forgotten = false
      throw error
    }
    registry.remove(record)
    for (const deadline of [record.staleCheck, record.attemptTimeout, record.healthCheck]) deadline?.cancel()
    this.#server?.disconnect(record.uid, 'forgotten')
    this.#options.onForgotten(record.id)
  }

  async #decideAndSend(record: AgentRecord): Promise<void> {
    const { offers, agentStore, driver, onStanding } = this.#options
    const outgoing = await offers.decide(record)
    onStanding(record)
    try {
      await agentStore.flush()
    } catch (error) {
      forgetUnsent(record)
      throw error
    }
    if (outgoing !== undefined) driver.send(record, outgoing)
  }
}
