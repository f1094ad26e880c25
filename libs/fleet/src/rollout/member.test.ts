import { describe, expect, it } from 'vitest'
import { allowRetry, emptyLedger, type Ledger, onStatus, openAttempt, timeOutAttempt } from '../ledger.ts'
import { createMember, memberDeadline, moveOf, releaseMember, restoreMember, retryMember } from './member.ts'
import { combineOutcomes, configurationOutcome, type Outcome, settingsOutcome } from './outcome.ts'
import { defaultPlan } from './plan.ts'
import { see, sight } from './test-sight.ts'

const { applyTimeoutMs, lostGraceMs, lostWithinMs } = defaultPlan.times
const fresh = createMember({ agent: 'a', wave: 0, point: 7, late: false }, 1, 100)
const released = releaseMember(defaultPlan, fresh, sight('none'), 200)
const offered = see(released, 'offered', 300)

describe('a member', () => {
  it('goes from pending to applied', () => {
    const applying = see(offered, 'applying', 400)
    const applied = see(applying, 'applied', 500)
    expect([fresh, released, offered, applying, applied].map(({ state, since, pushedAt }) => [state, since, pushedAt])).toEqual([
      ['pending', 100, null],
      ['released', 200, null],
      ['offered', 300, 300],
      ['applying', 400, 300],
      ['applied', 500, 300],
    ])
    expect(see(applied, 'applied', 600)).toBe(applied)
    expect(moveOf(offered, applying)).toEqual({ wave: 0, from: 'offered', to: 'applying', late: false })
    expect(moveOf(applying, applying)).toBeNull()
    expect(moveOf(null, fresh)).toMatchObject({ from: null, to: 'pending' })
    expect(moveOf(fresh, null)).toMatchObject({ from: 'pending', to: null })
  })

  it('is not released twice, nor by being seen', () => {
    expect(releaseMember(defaultPlan, offered, sight('none'), 400)).toBe(offered)
    expect(see(fresh, 'applied', 400)).toBe(fresh)
  })

  it('queues again when it was away or busy', () => {
    const away = releaseMember(defaultPlan, fresh, sight('none', { offlineSince: 200 - lostGraceMs }), 200)
    const busy = releaseMember(defaultPlan, fresh, sight('none', { busy: true }), 200)
    expect([away.state, busy.state]).toEqual(['away', 'busy'])
    expect(see(away, 'none', 300, { offlineSince: 1 })).toBe(away)
    expect(see(busy, 'none', 300, { busy: true })).toBe(busy)
    // Who was there a moment ago is waited for.
    const blinking = releaseMember(defaultPlan, fresh, sight('none', { offlineSince: 150 }), 200)
    expect(blinking.state).toBe('released')
    expect(memberDeadline(defaultPlan, blinking, sight('none', { offlineSince: 150 }))).toBe(150 + lostGraceMs)
    expect(see(blinking, 'none', 150 + lostGraceMs, { offlineSince: 150 }).state).toBe('away')
    expect([see(away, 'none', 300).state, see(busy, 'none', 300).state]).toEqual(['pending', 'pending'])
  })

  it('never goes back into the queue when it may have the revision', () => {
    const gone = { offlineSince: 1000 }
    const late = 1000 + lostGraceMs
    const applied = see(offered, 'applied', 400)
    // Another group changed while it was away, so that there is something to be offered again.
    expect(see(applied, 'none', late - 1, gone).state).toBe('applied')
    expect(see(applied, 'none', late, gone).state).toBe('lost')
    expect(see(applied, 'none', late).state).toBe('released')
    const again = retryMember(see(see(see(offered, 'failed', 400), 'failed', 500), 'failed', 600), 900)
    expect(see(again, 'none', 1001, gone).state).toBe('released')
    expect(see(again, 'none', late, gone).state).toBe('lost')
    expect(see(see(again, 'offered', 950), 'none', late, gone).state).toBe('lost')
  })

  it('times out, stays so until it answers, and may answer late', () => {
    const due = memberDeadline(defaultPlan, offered, sight('offered'))
    expect(due).toBe(300 + applyTimeoutMs)
    expect(see(offered, 'offered', 300 + applyTimeoutMs - 1)).toBe(offered)
    const timedOut = see(offered, 'offered', 300 + applyTimeoutMs)
    expect(timedOut.state).toBe('timedOut')
    expect(see(timedOut, 'offered', 900_000).state).toBe('timedOut')
    expect(see(timedOut, 'none', 900_000).state).toBe('timedOut')
    expect(see(timedOut, 'applied', 900_000).state).toBe('applied')
    expect(see(released, 'none', 200 + applyTimeoutMs).state).toBe('timedOut')
  })

  it('is tried again by itself, as often as the plan says', () => {
    const failed = see(offered, 'failed', 400)
    expect(failed.state).toBe('retrying')
    expect(see(failed, 'failed', 500)).toBe(failed)
    expect(memberDeadline(defaultPlan, failed, sight('failed'))).toBe(400 + defaultPlan.retries.delayMs)
    const again = retryMember(failed, 900)
    expect(again).toMatchObject({ state: 'released', tries: 1, pushedAt: 300 })
    const twice = see(see(again, 'offered', 1000), 'failed', 1100)
    expect(twice.state).toBe('failed')
    expect(retryMember(twice, 1200)).toMatchObject({ state: 'released', tries: 0 })
    expect(retryMember(fresh, 1200)).toBe(fresh)
    expect(see(twice, 'applied', 1300).state).toBe('applied')
  })

  it('is lost when it goes soon after the push and stays away', () => {
    const applied = see(offered, 'applied', 400)
    const gone = { offlineSince: 500 }
    expect(memberDeadline(defaultPlan, applied, sight('applied', gone))).toBe(500 + lostGraceMs)
    expect(see(applied, 'applied', 499 + lostGraceMs, gone).state).toBe('applied')
    const lost = see(applied, 'applied', 500 + lostGraceMs, gone)
    expect(lost.state).toBe('lost')
    expect(see(lost, 'applied', 900_000, gone)).toBe(lost)
    expect(see(lost, 'applied', 900_000).state).toBe('applied')
    expect(see(lost, 'offered', 900_000)).toMatchObject({ state: 'offered', pushedAt: 900_000 })
    const later = { offlineSince: 301 + lostWithinMs }
    expect(memberDeadline(defaultPlan, applied, sight('applied', later))).toBeNull()
    expect(see(applied, 'applied', 9_000_000, later).state).toBe('applied')
    expect(see(offered, 'offered', 500 + lostGraceMs, gone).state).toBe('lost')
  })

  it('says nothing when it cannot', () => {
    expect(see(released, 'ineligible', 300).state).toBe('unheard')
    expect(see(released, 'silent', 300).state).toBe('unheard')
    expect(restoreMember(see(released, 'silent', 300), 1, null, 400).state).toBe('unheard')
  })

  it('goes back when it may have the target, or something else than it should', () => {
    const back = restoreMember(offered, 1, null, 400)
    expect(back.state).toBe('restoring')
    expect(restoreMember(back, 1, null, 500)).toBe(back)
    expect(restoreMember(fresh, 1, null, 400)).toBe(fresh)
    expect(restoreMember({ ...fresh, holds: 5 }, 1, null, 400).state).toBe('restoring')
    expect(restoreMember({ ...fresh, state: 'busy' }, 1, null, 400).state).toBe('pending')
    expect(restoreMember(offered, 1, 1, 400).state).toBe('restoringAway')
    expect(see(back, 'applied', 500).state).toBe('restored')
    expect(see(back, 'offered', 399 + applyTimeoutMs)).toBe(back)
    expect(memberDeadline(defaultPlan, back, sight('offered'))).toBe(400 + applyTimeoutMs)
    const away = see(back, 'offered', 500, { offlineSince: 450 })
    expect(away.state).toBe('restoringAway')
    expect(see(away, 'none', 600).state).toBe('restoring')
    expect(see(see(back, 'failed', 500), 'applied', 600).state).toBe('restored')
  })
})

describe('outcomes', () => {
  const of = (ledger: Ledger, more: Partial<Parameters<typeof configurationOutcome>[0]> = {}): Outcome =>
    configurationOutcome({ desired: 'bb', accepts: true, reports: true, ledger, ...more })
  const offer = (ledger: Ledger, hash: string): Ledger => openAttempt(ledger, { hash, reason: 'desired', now: 10 }).ledger
  const says = (ledger: Ledger, status: 'unset' | 'applying' | 'applied' | 'failed', hash: string): Ledger =>
    onStatus(ledger, { hash, status, errorMessage: status === 'failed' ? 'boom' : '', now: 20, desired: 'bb' }).ledger
  const running = says(offer(emptyLedger, 'aa'), 'applied', 'aa')
  const sent = offer(running, 'bb')

  it('follow the ledger', () => {
    expect([of(running), of(sent), of(says(sent, 'applying', 'bb')), of(says(sent, 'applied', 'bb')), of(says(sent, 'failed', 'bb'))]).toEqual([
      'none',
      'offered',
      'applying',
      'applied',
      'failed',
    ])
    expect(of(timeOutAttempt(sent, 100, 1).ledger)).toBe('timedOut')
    expect(of(says(timeOutAttempt(sent, 100, 1).ledger, 'applied', 'bb'))).toBe('applied')
  })

  it('are not moved by statuses that nobody asked for', () => {
    for (const status of ['unset', 'applying', 'applied', 'failed'] as const)
      for (const hash of ['', 'ff', 'aa']) expect(of(says(sent, status, hash))).toBe('offered')
    expect(of(emptyLedger, { desired: null })).toBe('applied')
  })

  it('keep a failure when the Agent goes back by itself, until somebody asks for a retry', () => {
    const back = says(says(sent, 'failed', 'bb'), 'applied', 'aa')
    expect(of(back)).toBe('failed')
    expect(of(allowRetry(back, 'bb'))).toBe('none')
    expect(of(back, { desired: 'aa' })).toBe('applied')
  })

  it('notice what was superseded, what runs no more, and what was applied before there was a ledger', () => {
    expect(of(offer(sent, 'cc'))).toBe('none')
    expect(of(says(says(sent, 'applied', 'bb'), 'applied', 'aa'))).toBe('offered')
    const reported = { hash: 'bb', status: 'applied', errorMessage: '' } as const
    expect(of({ ...emptyLedger, reported })).toBe('applied')
    expect(of({ ...emptyLedger, reported: { ...reported, status: 'unset' } })).toBe('none')
  })

  it('know Agents that take nothing, or say nothing', () => {
    expect(of(sent, { accepts: false })).toBe('ineligible')
    expect(of(sent, { reports: false })).toBe('silent')
    expect(of(sent, { reports: false, effectiveMatches: true })).toBe('applied')
    expect(of(sent, { reports: false, effectiveMatches: false })).toBe('offered')
  })

  it('of settings follow their status, for the settings it names', () => {
    const settings = (more: Partial<Parameters<typeof settingsOutcome>[0]>): Outcome =>
      settingsOutcome({ desired: 's2', accepts: true, reports: true, offered: 's2', status: null, ...more })
    expect(settings({})).toBe('offered')
    expect(settings({ offered: 's1' })).toBe('none')
    expect(settings({ status: { hash: 's1', status: 'failed' } })).toBe('offered')
    expect(settings({ status: { hash: 's2', status: 'failed' } })).toBe('failed')
    expect(settings({ status: { hash: 's2', status: 'unset' } })).toBe('offered')
    expect(settings({ status: { hash: 's2', status: 'applied' }, offered: null })).toBe('applied')
    expect(settings({ reports: false })).toBe('silent')
    const refused = { refused: true, status: { hash: 's1', status: 'applied' } } as const
    expect([settings(refused), settings({ ...refused, status: { hash: 's2', status: 'applied' } })]).toEqual(['failed', 'applied'])
    expect([settings({ accepts: false }), settings({ desired: null })]).toEqual(['ineligible', 'applied'])
  })

  it('of several kinds are as far as the part that is least far', () => {
    expect(combineOutcomes({ configuration: 'applied', ownTelemetry: 'applied' })).toBe('applied')
    expect(combineOutcomes({ configuration: 'applied', ownTelemetry: 'failed' })).toBe('failed')
    expect(combineOutcomes({ configuration: 'applying', ownTelemetry: 'offered' })).toBe('offered')
    expect(combineOutcomes({ configuration: 'applied', ownTelemetry: 'ineligible' })).toBe('applied')
    expect(combineOutcomes({ configuration: 'ineligible', ownTelemetry: 'ineligible' })).toBe('ineligible')
    expect(combineOutcomes({ configuration: 'applied', ownTelemetry: 'silent' })).toBe('silent')
    expect(combineOutcomes({})).toBe('applied')
  })
})
