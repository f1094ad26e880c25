/** Makes rollouts and starts them, inside the transaction of whoever changes the group. */
import { randomBytes } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { PresetName } from '@drover/api'
import { createMember, createRollout, matches, placeMembers, step } from '@drover/fleet'
import type { Candidate, Effect, Member, Rollout, RolloutPlan, Selector, Step } from '@drover/fleet'
import { ConflictError } from '../../http/errors.ts'
import type { CheckPlan, FleetForRollouts } from '../../seams.ts'
import type { Tx } from '../../storage/store.ts'
import type { Beginning, GroupState, RolloutsOptions } from '../part.ts'
import { choosePlan } from '../plans.ts'
import { deleteRollout, insertRollout, updateRollout, writeMembers } from '../store.ts'
import type { StoredRollout } from '../store.ts'
import { blockerName } from './blockers.ts'
import type { Driver } from './driver.ts'
import type { InFlight } from './in-flight.ts'
import { LiveRollout } from './live-rollout.ts'
import type { RolloutMemory } from './memory.ts'
import type { Recorder } from './recorder.ts'

export interface StarterOptions {
  readonly memory: RolloutMemory
  readonly inFlight: InFlight
  readonly recorder: Recorder
  readonly driver: Driver
  readonly fleet: () => FleetForRollouts
  readonly now: () => number
  readonly checkPlan: CheckPlan
  readonly readRevision: RolloutsOptions['readRevision']
  readonly events: RolloutsOptions['events']
  readonly newId: () => string
}

/** A rollout that is to be started; `by` starts it. */
interface Starting {
  readonly id: string
  readonly group: string
  readonly state: GroupState
  readonly to: number
  readonly plan: RolloutPlan
  readonly preset: PresetName | null
  readonly reason: string
  readonly createdBy: string
  readonly createdAt: number
  readonly by: string
}

interface Chosen {
  readonly candidates: readonly Candidate[]
  /** What each has now. */
  readonly holds: ReadonlyMap<string, number | null>
}

const agentsPerTurn = 1_000
const membersPerStatement = 500

export class Starter {
  readonly #options: StarterOptions

  constructor(options: StarterOptions) {
    this.#options = options
  }

  async begin(tx: Tx, { group, state, to, start, by }: Beginning): Promise<{ id: string; state: Rollout['state'] }> {
    const chosen = choosePlan(this.#options.checkPlan, start, state.plan, 'body.rollout')
    const id = this.#options.newId()
    const now = this.#options.now()
    const about = { id, group, to, ...chosen, reason: start.reason ?? '', createdBy: by, createdAt: now }
    if (start.draft !== true) return { id, state: (await this.#start(tx, { ...about, state, by })).state }
    const rollout = createRollout({ id, group, from: state.current, to })
    await insertRollout(tx, { rollout, ...chosen, agents: 0, reason: about.reason, createdBy: by, createdAt: now, endedAt: null })
    await this.#options.events.append(tx, {
      kind: 'rollout.created',
      actor: by,
      subject: group,
      summary: `${by} prepared a rollout of revision ${to} of ${group}, which is not started`,
      data: { rollout: id, group, from: state.current, to },
    })
    return { id, state: 'draft' }
  }

  /** It counts as new from here on: later than all that were started before. */
  async startDraft(tx: Tx, draft: StoredRollout, state: GroupState, by: string, reason: string): Promise<void> {
    const { rollout, plan, preset, createdBy, createdAt } = draft
    const { id, group, to } = rollout
    await deleteRollout(tx, id)
    await this.#start(tx, { id, group, to, state, plan, preset, reason: reason === '' ? draft.reason : reason, createdBy, createdAt, by })
  }

  async #start(tx: Tx, starting: Starting): Promise<Rollout> {
    const { memory, inFlight, recorder } = this.#options
    await inFlight.settle(tx)
    const { id, group, to, state, plan, preset, reason, by } = starting
    const old = memory.newestOf(group)
    if (old?.rollout.state === 'rollingBack') throw goesBack(old)
    const selectors = await this.#readSelectors(tx, group, [to, state.current, ...(old?.revisions() ?? [])])
    const chosen = await this.#choose(starting, selectors)
    const { waves, placements } = placeMembers(plan, id, chosen.candidates)
    const blockers = memory.over(group, chosen.holds.keys()).map((live) => blockerName(live.group))
    const now = this.#options.now()
    const members = placements.map((placement) => createMember(placement, chosen.holds.get(placement.agent) ?? null, now))
    const draft = createRollout({ id, group, from: state.current, to })
    const started = step(plan, draft, { kind: 'start', by, reason, waves, blockers }, now)
    const superseded = await this.#supersede(tx, old, id, by, now)
    const { seq, endedAt } = await this.#insert(tx, starting, started, members)
    await recorder.recordDecisions(tx, started.rollout, preset, started.decisions)
    await recorder.giveToGroup(tx, draft, started.rollout)
    const seen = new Set(chosen.candidates.flatMap(({ agent, reachable }) => (reachable ? [agent] : [])))
    const entries = members.map((member) => ({ member, before: null, seen: seen.has(member.agent) }))
    const live = new LiveRollout({ seq, preset, endedAt, plan, rollout: started.rollout, selectors, members: entries })
    inFlight.add(tx, () => this.#apply(live, started.effects, superseded))
    return started.rollout
  }

  async #readSelectors(tx: Tx, group: string, numbers: readonly (number | null)[]): Promise<Map<number, Selector>> {
    const selectors = new Map<number, Selector>()
    for (const number of new Set(numbers)) {
      const revision = number === null ? undefined : await this.#options.readRevision(tx, group, number)
      if (number !== null && revision !== undefined) selectors.set(number, revision.rule.selector)
    }
    return selectors
  }

  /** Agents that the revision before or after chooses, and those that still have another one of the group. */
  async #choose({ group, state, to }: Starting, selectors: ReadonlyMap<number, Selector>): Promise<Chosen> {
    const { fleet, memory } = this.#options
    const candidates: Candidate[] = []
    const holds = new Map<string, number | null>()
    let looked = 0
    for (const { id: agent, lookup, offlineSince } of fleet().agents()) {
      if (++looked % agentsPerTurn === 0) await setImmediate()
      const { revision } = memory.revisionFor(group, state.current, agent)
      const isChosen = [...new Set([to, state.current, revision])].some((number) => {
        const selector = number === null ? undefined : selectors.get(number)
        return selector !== undefined && matches(selector, lookup)
      })
      if (!isChosen) continue
      candidates.push({ agent, lookup, reachable: offlineSince === null })
      holds.set(agent, revision)
    }
    return { candidates, holds }
  }

  async #supersede(
    tx: Tx,
    old: LiveRollout | undefined,
    id: string,
    by: string,
    now: number,
  ): Promise<{ old: LiveRollout | undefined; rollout: Rollout | undefined }> {
    if (old === undefined || old.isOver) return { old, rollout: undefined }
    const { rollout, decisions } = step(old.plan, old.rollout, { kind: 'supersede', rollout: id, by, reason: '' }, now)
    await updateRollout(tx, rollout, rollout.now)
    await this.#options.recorder.recordDecisions(tx, rollout, old.preset, decisions)
    return { old, rollout }
  }

  async #insert(tx: Tx, { plan, preset, reason, createdBy, createdAt }: Starting, { rollout }: Step, members: readonly Member[]) {
    const endedAt = rollout.state === 'completed' ? rollout.now : null
    const seq = await insertRollout(tx, { rollout, plan, preset, agents: members.length, reason, createdBy, createdAt, endedAt })
    for (let at = 0; at < members.length; at += membersPerStatement) {
      if (at > 0) await setImmediate()
      await writeMembers(
        tx,
        rollout.id,
        members.slice(at, at + membersPerStatement).map((member) => ({ agent: member.agent, after: member, before: null })),
      )
    }
    return { seq, endedAt }
  }

  #apply(live: LiveRollout, effects: readonly Effect[], { old, rollout }: { old: LiveRollout | undefined; rollout: Rollout | undefined }): void {
    const { memory, driver } = this.#options
    if (old !== undefined && rollout !== undefined) {
      old.rollout = rollout
      old.endedAt = rollout.now
    }
    memory.add(live)
    // Whoever waited for the one before waits no more, and not for this one, which is younger.
    if (old !== undefined && rollout !== undefined) driver.onOver(old)
    driver.begin(live, effects)
  }
}

/** 80 random bits, lower-case base 32. */
export function newRolloutId(): string {
  return `rol_${Array.from(randomBytes(16), (byte) => '0123456789abcdefghijklmnopqrstuv'[byte & 31]).join('')}`
}

export function goesBack(live: LiveRollout): ConflictError {
  return new ConflictError('rolling-back', whyGoesBack(live))
}

export function whyGoesBack({ rollout }: LiveRollout): string {
  return `revision ${rollout.to} of ${rollout.group} is being taken back by ${rollout.id}: wait until that is done, or stop it when agents do not answer; then change the group`
}
