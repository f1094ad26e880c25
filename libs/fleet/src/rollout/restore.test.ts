/** Agents that fail what they should go back to, and what a rollout that is over still learns. */
import { describe, expect, it } from 'vitest'
import { createMember, type Member, memberDeadline, observeMember, releaseMember, restoreMember, retryDueAt, retryMember } from './member.ts'
import { defaultPlan, type RolloutPlan } from './plan.ts'
import { TestFleet } from './test-fleet.ts'
import { see, sight } from './test-sight.ts'

const secondMs = 1000
const minuteMs = 60 * secondMs
const { applyTimeoutMs } = defaultPlan.times
const fresh = createMember({ agent: 'a', wave: 0, point: 7, late: false }, 1, 0)
const applied = see(releaseMember(defaultPlan, fresh, sight('none'), 0), 'applied', 0)
const restoring = restoreMember(applied, 1, null, 0)

/** Fails whenever it is tried. Returns when each try began, and the member at the end. */
function failing(plan: RolloutPlan, from: Member): { readonly triesAt: readonly number[]; readonly member: Member } {
  const triesAt: number[] = []
  let member = from
  for (let now = from.since; ; now = retryDueAt(plan, member) ?? now) {
    member = retryMember(member, now)
    triesAt.push(now)
    member = observeMember(plan, member, sight('failed'), now)
    if (member.state !== 'restoreRetrying') return { triesAt, member }
    expect(memberDeadline(plan, member, sight('failed'))).toBe(retryDueAt(plan, member))
  }
}

describe('an agent that fails to go back', () => {
  it('is tried again twice, and waits longer each time, before it counts', () => {
    const { triesAt, member } = failing(defaultPlan, restoring)
    expect(triesAt).toEqual([0, 30 * secondMs, 90 * secondMs])
    expect(member).toMatchObject({ state: 'restoreFailed', tries: 3, pushedAt: 90 * secondMs })
    expect(see(member, 'failed', 10 * minuteMs)).toBe(member)
    expect(retryDueAt(defaultPlan, member)).toBeNull()
    expect(see(member, 'applied', 10 * minuteMs).state).toBe('restored')
  })

  it('is tried as often as the change when the plan allows that more tries', () => {
    const triesWith = (retries: RolloutPlan['retries']) => failing({ ...defaultPlan, retries }, restoring).triesAt
    expect(triesWith({ count: 0, delayMs: 0 })).toEqual([0, 10 * secondMs, 30 * secondMs])
    expect(triesWith({ count: 9, delayMs: minuteMs })).toEqual([0, 1, 3, 7, 15, 25, 35, 45, 55, 65].map((minutes) => minutes * minuteMs))
    expect(triesWith({ count: 0, delayMs: 60 * minuteMs })).toEqual([0, 60 * minuteMs, 120 * minuteMs])
  })

  it('is tried again when it does not answer in time, too', () => {
    const first = see(restoring, 'offered', applyTimeoutMs)
    expect(first).toMatchObject({ state: 'restoreRetrying', tries: 1 })
    const again = retryMember(first, applyTimeoutMs + 30 * secondMs)
    expect(again.state).toBe('restoring')
    // The attempt that timed out is the latest until it is offered again.
    expect(see(again, 'timedOut', applyTimeoutMs + 30 * secondMs)).toBe(again)
    expect(see(again, 'timedOut', 2 * applyTimeoutMs + 30 * secondMs)).toMatchObject({ state: 'restoreRetrying', tries: 2 })
  })

  it('is tried again when it was away and returns, but not all the time', () => {
    const { member } = failing(defaultPlan, restoring)
    const away = see(member, 'failed', 100 * secondMs, { offlineSince: 95 * secondMs })
    expect(away.state).toBe('restoringAway')
    const soon = see(away, 'failed', 101 * secondMs)
    expect(soon.state).toBe('restoreRetrying')
    expect(retryDueAt(defaultPlan, soon)).toBe(90 * secondMs + 2 * minuteMs)
    const later = see(away, 'failed', 20 * minuteMs)
    expect(retryDueAt(defaultPlan, later)).toBeLessThan(20 * minuteMs)
    const failed = see(retryMember(later, 20 * minuteMs), 'failed', 21 * minuteMs)
    expect(failed).toMatchObject({ state: 'restoreFailed', tries: 4 })
    expect(see(away, 'offered', 101 * secondMs).state).toBe('restoring')
    expect(see(see(away, 'offered', 101 * secondMs), 'applied', 102 * secondMs).state).toBe('restored')
  })

  it('is tried again after a connection that nobody saw end', () => {
    const { member } = failing(defaultPlan, restoring)
    expect(see(member, 'failed', 99 * secondMs, { connectedSince: 0 })).toBe(member)
    const back = see(member, 'failed', 10 * minuteMs, { connectedSince: 9 * minuteMs })
    expect(back.state).toBe('restoreRetrying')
    const failed = see(retryMember(back, 10 * minuteMs), 'failed', 11 * minuteMs, { connectedSince: 9 * minuteMs })
    expect(failed).toMatchObject({ state: 'restoreFailed', tries: 4 })
    expect(see(failed, 'failed', 60 * minuteMs, { connectedSince: 9 * minuteMs })).toBe(failed)
    // It did not answer, and is offered it again on each connection.
    expect(see(member, 'offered', 10 * minuteMs, { connectedSince: 9 * minuteMs }).state).toBe('restoring')
  })

  it('is tried at once on its return when nobody has seen it fail', () => {
    const away = restoreMember(applied, 1, 5, 10)
    const back = see(away, 'failed', minuteMs)
    expect(back.state).toBe('restoreRetrying')
    expect(retryDueAt(defaultPlan, back)).toBe(minuteMs)
  })

  it('does not go on while it is away', () => {
    const retrying = see(restoring, 'failed', 0)
    expect(see(retrying, 'failed', 5, { offlineSince: 4 })).toMatchObject({ state: 'restoringAway', tries: 1, pushedAt: 0 })
    expect(see(restoring, 'failed', 5, { offlineSince: 4 })).toMatchObject({ state: 'restoringAway', tries: 1, pushedAt: 5 })
  })
})

const plan: RolloutPlan = { ...defaultPlan, waves: [{ kind: 'percent', percent: 100 }], concurrency: 2, gates: [], soakMs: 0 }

describe('a rollback', () => {
  it('waits for those that are tried again, and ends with all of them back', () => {
    const fleet = new TestFleet(plan, 4).start()
    const failed = new Set(fleet.agents)
    fleet.answer = (agent) => (failed.has(agent) ? 'failed' : 'applied')
    fleet.act('rollBack')
    expect(fleet.states()).toEqual({ restoreRetrying: 4 })
    fleet.pass(29 * secondMs)
    expect(fleet.rollout.state).toBe('rollingBack')
    failed.clear()
    fleet.pass(secondMs)
    expect(fleet.rollout.state).toBe('rolledBack')
    expect(fleet.states()).toEqual({ restored: 4 })
    expect(fleet.counts()).toBe(true)
  })

  it('ends when a person no longer waits for those that do not answer, and not before everybody was told', () => {
    const fleet = new TestFleet(plan, 4).start()
    const silent = fleet.agents[0] ?? ''
    fleet.answer = (agent) => (agent === silent ? 'offered' : 'applied')
    fleet.acts = false
    fleet.act('rollBack')
    expect(() => fleet.act('stop')).toThrow(expect.objectContaining({ code: 'still-giving-back' }))
    fleet.acts = true
    fleet.carryOutAgain()
    expect(fleet.rollout.state).toBe('rollingBack')
    fleet.act('stop', 'bob', 'its disk is broken')
    expect(fleet.rollout).toMatchObject({ state: 'rolledBack', cause: 'person' })
    expect(fleet.told().at(-1)).toBe(
      'bob ended the rollback: its disk is broken; 3 agents have the earlier revision again, 1 is still going back and not waited for.',
    )
    expect(fleet.decisions.at(-1)?.numbers).toEqual({ back: 3, away: 0, failed: 0, left: 1 })
    // What it gets does not change by that, and what it says is still heard.
    expect(fleet.revision(silent)).toBe(1)
    expect(fleet.states()).toEqual({ restored: 3, restoring: 1 })
    fleet.answer = () => 'applied'
    expect(fleet.look(silent).states()).toEqual({ restored: 4 })
    expect(fleet.send({ kind: 'supersede', rollout: 'r2', by: null, reason: '' }).rollout.state).toBe('superseded')
  })

  it('can be tried again by a person for those that failed to go back, a few at a time', () => {
    const fleet = new TestFleet(plan, 4).start()
    fleet.answer = () => 'failed'
    fleet
      .act('rollBack')
      .pass(minuteMs)
      .pass(2 * minuteMs)
    expect(fleet.states()).toEqual({ restoreFailed: 4 })
    fleet.answer = () => 'applied'
    fleet.act('retry')
    expect(fleet.states()).toEqual({ restored: 4 })
    expect(fleet.rollout).toMatchObject({ state: 'rolledBack', sweep: null })
    expect(fleet.decisions.at(-1)).toMatchObject({ kind: 'retrying', numbers: { bad: 4 } })
  })
})

describe('a rollout that is over', () => {
  it('keeps what it found, whatever its agents say later', () => {
    const fleet = new TestFleet(plan, 3).start()
    expect(fleet.states()).toEqual({ applied: 3 })
    const { waves } = fleet.rollout
    for (const outcome of ['none', 'offered', 'failed', 'timedOut', 'silent'] as const) {
      fleet.answer = () => outcome
      fleet.pass(20 * minuteMs)
    }
    for (const agent of fleet.agents) fleet.disconnect(agent)
    fleet.pass(20 * minuteMs)
    expect(fleet.rollout.waves).toEqual(waves)
    fleet.answer = () => 'offered'
    fleet.act('rollBack')
    expect(fleet.states()).toEqual({ restoringAway: 3 })
    fleet.answer = () => 'applied'
    for (const agent of fleet.agents) fleet.connect(agent)
    expect(fleet.states()).toEqual({ restored: 3 })
    fleet.answer = () => 'failed'
    expect(fleet.pass(minuteMs).states()).toEqual({ restored: 3 })
  })

  it('learns of an agent that returns only what is not due to the rollout of another group', () => {
    const away: Member = { ...restoreMember(applied, 1, 5, 10), since: 10 }
    const elsewhere = { standing: 'elsewhere' as const }
    for (const outcome of ['none', 'offered', 'failed'] as const) expect(see(away, outcome, minuteMs, elsewhere)).toBe(away)
    expect(see(away, 'applied', minuteMs, elsewhere).state).toBe('restored')
    expect(see(away, 'failed', minuteMs, { standing: 'over' }).state).toBe('restoreRetrying')
    const retrying = see(restoring, 'failed', 0)
    expect(memberDeadline(defaultPlan, retrying, sight('none', elsewhere))).toBeNull()
    const waiting = releaseMember(defaultPlan, fresh, sight('none', { busy: true }), 0)
    expect(see(waiting, 'none', minuteMs, elsewhere).state).toBe('pending')
  })
})
