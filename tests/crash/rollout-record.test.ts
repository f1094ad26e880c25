/** What the kills of a rollout are checked with would notice each thing that must not happen. */
import type { Event, Rollout, RolloutDecision, RolloutMember } from '@drover/api'
import { describe, expect, it } from 'vitest'
import type { CrashAgent, SeenOffer } from './rollout-agents.ts'
import { findFaults } from './rollout-record.ts'
import type { RolloutRecord } from './rollout-record.ts'

const at = (ms: number) => new Date(ms).toISOString()

function decision(seq: number, kind: string, wave: number, ms: number): RolloutDecision {
  return { seq, at: at(ms), kind, cause: 'plan', by: null, wave, sentence: '', reason: '', numbers: {} }
}

function eventOf({ seq, kind }: RolloutDecision): Event {
  return { id: seq, at: at(0), kind: `rollout.${kind}` as Event['kind'], actor: 'system', subject: 'all', summary: '', data: { decision: seq } } // as: the kinds used below are
}

const member: RolloutMember = { agentId: 'agt_1', agentName: 'one', wave: 1, state: 'restored', since: at(0), tries: 0, error: null, connected: true }
const wave: Rollout['waves'][number] = { label: '', agents: 1, counts: { restored: 1 }, soakMs: 0, state: 'open', openedAt: null }
const decisions = [
  decision(1, 'started', 0, 1_000),
  decision(2, 'waveOpened', 0, 1_000),
  decision(3, 'wavePassed', 0, 2_000),
  decision(4, 'waveOpened', 1, 2_000),
  decision(5, 'rollingBack', 1, 3_000),
]
const record = {
  rollout: { waves: [{ ...wave, counts: {} }, wave] } as unknown as RolloutRecord['rollout'], // as: nothing else of it is looked at
  decisions,
  members: [member],
  events: decisions.map(eventOf),
  current: 1,
} satisfies RolloutRecord
const offer: SeenOffer = { at: 2_100, life: 0, connection: 1, hash: 'new', number: 2, before: { hash: 'old', status: 'applied' } }

const faultsOf = (offers: readonly Partial<SeenOffer>[], changed: Partial<RolloutRecord> = {}) => {
  const agent: CrashAgent = { id: 'agt_1', ring: 'rest', running: 1, offers: offers.map((one) => ({ ...offer, ...one })) }
  return findFaults({ ...record, ...changed }, [agent], 2, { at: 3_500, life: 1 })
}

describe('the check of a rollout that was killed', () => {
  it('finds nothing in one that is in order', () => {
    expect(faultsOf([{}])).toEqual([])
    expect(faultsOf([{}, { at: 2_500, connection: 2, before: { hash: 'new', status: 'applying' } }])).toEqual([])
    expect(faultsOf([{}, { at: 2_500, before: { hash: 'new', status: 'failed' } }])).toEqual([])
  })

  it('finds a second offer', () => {
    expect(faultsOf([{}, { before: { hash: 'new', status: 'applying' } }])).toEqual(['agt_1 was offered 2 twice on connection 1, 0 ms apart'])
    expect(faultsOf([{}, { connection: 2, before: { hash: 'new', status: 'applied' } }])).toEqual(['agt_1 was offered 2 although it had said that it runs it'])
  })

  it('finds an offer before its wave, and after the change was taken back', () => {
    expect(faultsOf([{ at: 1_900 }])).toEqual(['agt_1 of wave 1 was offered 2 100 ms before its wave was opened'])
    expect(faultsOf([{ at: 3_600, life: 1 }])).toEqual(['agt_1 of wave 1 was offered 2 600 ms after it was taken back'])
    const [back, again] = [
      { at: 3_100, hash: 'old', number: 1, before: { hash: 'new', status: 'applied' as const } },
      { at: 3_200, connection: 2 },
    ]
    expect(faultsOf([{}, back, again])).toEqual(['agt_1 of wave 1 was offered 2 again after 1'])
  })

  it('finds decisions that are missing, told twice or out of order, and waves that are left out', () => {
    expect(faultsOf([], { decisions: decisions.with(2, decision(4, 'wavePassed', 0, 2_000)) })).toEqual(['decisions are numbered 1 2 4 4 5'])
    expect(faultsOf([], { events: [...record.events, ...record.events.slice(-1)] })).toEqual(['events tell of decisions 1 2 3 4 5 5, and there are 1 2 3 4 5'])
    expect(faultsOf([], { decisions: decisions.with(3, decision(4, 'waveOpened', 2, 2_000)) })).toEqual(['wave 2 was opened after 1 were opened and 1 passed'])
    expect(faultsOf([], { decisions: decisions.with(2, decision(3, 'resumed', 0, 2_000)) })).toEqual(['wave 1 was opened after 1 were opened and 0 passed'])
  })

  it('finds counters that disagree with the members', () => {
    expect(faultsOf([], { members: [{ ...member, state: 'failed' }] })).toEqual(['wave 1 counts restored,1, its members are failed,1'])
  })
})
