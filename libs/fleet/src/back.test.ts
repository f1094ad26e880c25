import { describe, expect, it } from 'vitest'
import { backTarget } from './back.ts'
import { createLedger, emptyLedger, type Ledger, onStatus, openAttempt } from './ledger.ts'
import { offerDecision, type OfferInput } from './offer.ts'

const refused = new Set(['bad'])
const back = (desired: string | null, ledger: Ledger, baseline: string | null = 'base') => backTarget({ desired, refused, ledger, baseline })

/** Offered and applied one after the other. */
function having(...hashes: readonly string[]): Ledger {
  return hashes.reduce((ledger, hash, index) => {
    const opened = openAttempt(ledger, { hash, reason: 'desired', now: 10 * index }).ledger
    return onStatus(opened, { hash, status: 'applied', errorMessage: '', now: 10 * index + 5, desired: hash }).ledger
  }, emptyLedger)
}

describe('backTarget', () => {
  it('is the last good configuration other than what was taken back, else the baseline', () => {
    expect(back('bad', having('good', 'bad'))).toBe('good')
    expect(back('bad', having('older', 'good', 'bad'))).toBe('good')
    expect(back('bad', having('bad'))).toBe('base')
    expect(back('bad', having('bad'), null)).toBeNull()
  })

  it('is nothing for agents that the change never reached: they keep what they have', () => {
    expect(back(null, having('good'))).toBeNull()
    expect(back('bad', having('good'))).toBeNull()
    // It runs the same by another way, and was not to have it from this group.
    expect(back(null, having('bad'))).toBeNull()
  })

  it('counts an offer that was not answered, and what an agent says it runs', () => {
    expect(back('bad', openAttempt(having('good'), { hash: 'bad', reason: 'desired', now: 50 }).ledger)).toBe('good')
    expect(back('bad', createLedger({ attempts: [], reported: { hash: 'bad', status: 'applied', errorMessage: '' } }))).toBe('base')
  })

  it('stays where it is when it is asked again, on the way there and afterwards', () => {
    let ledger = having('good', 'bad')
    ledger = openAttempt(ledger, { hash: 'good', reason: 'restore', now: 100 }).ledger
    expect(back('good', ledger)).toBe('good')
    ledger = onStatus(ledger, { hash: 'good', status: 'applying', errorMessage: '', now: 101, desired: 'good' }).ledger
    expect(back('good', ledger)).toBe('good')
    ledger = onStatus(ledger, { hash: 'good', status: 'applied', errorMessage: '', now: 102, desired: 'good' }).ledger
    expect(back('good', ledger)).toBe('good')
  })
})

describe('offerDecision after a change was taken back', () => {
  const decide = (input: Partial<OfferInput> & Pick<OfferInput, 'ledger'>) =>
    offerDecision({ desired: 'good', accepts: true, reports: true, connected: true, complete: true, lastOffered: null, baseline: 'base', ...input })

  it('gives back what the agent had, and says so', () => {
    expect(decide({ ledger: having('good', 'bad'), isBack: true })).toMatchObject({
      kind: 'offer',
      hash: 'good',
      reason: 'restore',
      explanation: 'The change that it got was taken back, so it gets what it had before.',
    })
    expect(decide({ ledger: having('bad', 'good'), isBack: true })).toMatchObject({ kind: 'none', state: 'applied' })
    expect(decide({ ledger: having('good', 'bad'), isBack: true, connected: false })).toEqual({
      kind: 'none',
      state: 'pending',
      reason: 'The configuration is offered when it connects.',
    })
  })

  it('never restores what was taken back, however well it ran there', () => {
    const ledger = onStatus(openAttempt(having('older', 'bad'), { hash: 'good', reason: 'desired', now: 100 }).ledger, {
      hash: 'good',
      status: 'failed',
      errorMessage: 'x',
      now: 101,
      desired: 'good',
    }).ledger
    expect(decide({ ledger })).toMatchObject({ kind: 'offer', hash: 'bad', reason: 'restore' })
    expect(decide({ ledger, refused })).toMatchObject({ kind: 'offer', hash: 'older', reason: 'restore' })
    expect(decide({ ledger, refused: new Set(['bad', 'older']) })).toMatchObject({ kind: 'offer', hash: 'base', reason: 'restore' })
  })

  it('goes on to the baseline when the agent fails what it had before as well', () => {
    const ledger = onStatus(openAttempt(having('good', 'bad'), { hash: 'good', reason: 'restore', now: 100 }).ledger, {
      hash: 'good',
      status: 'failed',
      errorMessage: 'x',
      now: 101,
      desired: 'good',
    }).ledger
    expect(decide({ ledger, isBack: true, refused })).toMatchObject({ kind: 'offer', hash: 'base', reason: 'restore' })
  })
})

describe('offerDecision for what cannot be rendered', () => {
  it('sends nothing and says why', () => {
    const decision = offerDecision({
      desired: null,
      accepts: true,
      reports: true,
      connected: true,
      complete: true,
      lastOffered: null,
      ledger: having('good'),
      baseline: 'base',
      problem: 'The agent has no label site.',
    })
    expect(decision).toEqual({ kind: 'none', state: 'failed', reason: 'The agent has no label site. Until then nothing is sent, and it keeps what it has.' })
  })
})
