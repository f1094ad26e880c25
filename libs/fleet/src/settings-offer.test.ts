import { describe, expect, it } from 'vitest'
import { settingsDecision, type SettingsInput } from './settings-offer.ts'

const base: SettingsInput = { desired: 'aa', reports: true, connected: true, complete: true, lastOffered: null, offered: null, status: null, retry: false }
const decide = (input: Partial<SettingsInput>) => {
  const decision = settingsDecision({ ...base, ...input })
  return decision.kind === 'offer' ? decision.hash : 'none'
}
const status = (hash: string, status: 'unset' | 'applying' | 'applied' | 'failed' = 'applied') => ({ hash, status })

describe('settingsDecision', () => {
  it('offers settings to whoever reports other ones or none [K-18] [K-19]', () => {
    expect(decide({})).toBe('aa')
    expect(decide({ status: status('') })).toBe('aa')
    expect(decide({ status: status('aa', 'unset') })).toBe('aa')
    expect(decide({ status: status('bb') })).toBe('aa')
    // It came back with old ones: what was offered does not count.
    expect(decide({ status: status('bb'), offered: 'aa' })).toBe('aa')
  })

  it('offers nothing that the agent has, is applying or failed [OT-04]', () => {
    for (const what of ['applying', 'applied', 'failed'] as const) expect(decide({ status: status('aa', what) })).toBe('none')
  })

  it('goes by the last offer for agents that report no status', () => {
    expect(decide({ reports: false })).toBe('aa')
    expect(decide({ reports: false, offered: 'bb' })).toBe('aa')
    expect(decide({ reports: false, offered: 'aa' })).toBe('none')
  })

  it('never repeats an offer on a connection, unless somebody asked to try again', () => {
    expect(decide({ lastOffered: 'aa', offered: 'aa', status: status('bb') })).toBe('none')
    expect(decide({ lastOffered: 'aa', offered: 'aa', status: status('aa', 'failed'), retry: true })).toBe('aa')
  })

  it('waits for agents that are away or owe their full state, and takes nothing away', () => {
    expect([decide({ connected: false }), decide({ complete: false }), decide({ desired: null, status: status('bb') })]).toEqual(['none', 'none', 'none'])
    expect(decide({ connected: false, retry: true })).toBe('none')
  })
})
