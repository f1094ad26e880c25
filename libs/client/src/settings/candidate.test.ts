import { describe, expect, it } from 'vitest'
import { type CandidateEvent, type CandidateState, type CandidateStep, stepCandidate } from './candidate.ts'
import { candidate, newSettings, oldSettings, otherSettings } from './test-settings.ts'

const idle: CandidateState = { kind: 'idle', current: oldSettings }

/** The last state, and the effects of the last event. */
function walk(state: CandidateState, ...events: readonly CandidateEvent[]) {
  return events.reduce<CandidateStep>((step, event) => stepCandidate(step.state, event), { state, effects: [] })
}

const offered = { kind: 'offered', candidate: candidate('aa') } as const
const trying = walk(idle, offered).state
const proven = walk(trying, { kind: 'answered' }).state
const reverting = walk(trying, { kind: 'timed-out' }).state

describe('offered OpAMP settings', () => {
  it('go through storing, connecting and the first answer before they are adopted [K-09] [K-11] [K-13]', () => {
    const tried = walk(idle, offered)
    expect(tried.state).toMatchObject({ kind: 'trying', current: oldSettings, stage: 'connecting' })
    expect(tried.effects).toEqual([
      { kind: 'store-candidate', candidate: candidate('aa') },
      { kind: 'connect', settings: newSettings },
    ])
    const connected = walk(tried.state, { kind: 'connected' })
    expect(connected).toMatchObject({ state: { kind: 'trying', current: oldSettings, stage: 'connected' }, effects: [] })
    const answered = walk(connected.state, { kind: 'answered' })
    expect(answered).toMatchObject({ state: { kind: 'proven', current: oldSettings }, effects: [{ kind: 'adopt', candidate: candidate('aa') }] })
    const adopted = walk(answered.state, { kind: 'adopted' })
    expect(adopted.state).toEqual({ kind: 'idle', current: newSettings })
    expect(adopted.effects).toEqual([
      { kind: 'switch', settings: newSettings },
      { kind: 'settle', hash: 'aa' },
    ])
  })

  it('are dropped for the former ones when they fail, the former interval included [K-15]', () => {
    const failed = walk(trying, { kind: 'failed', reason: 'the Server answered 401', isFinal: true })
    expect(failed.state.kind).toBe('reverting')
    expect(failed.effects).toEqual([{ kind: 'abandon' }, { kind: 'drop' }])
    const dropped = walk(failed.state, { kind: 'dropped' })
    expect(dropped.state).toEqual(idle)
    expect(dropped.effects).toEqual([{ kind: 'settle', hash: 'aa', failure: 'the Server answered 401' }])
  })

  it('are tried again after an error that may pass, until their time is over', () => {
    const failed = walk(trying, { kind: 'connected' }, { kind: 'failed', reason: 'nothing accepts connections', isFinal: false })
    expect(failed.state).toMatchObject({ kind: 'trying', stage: 'connecting' })
    expect(failed.effects).toEqual([{ kind: 'reconnect', settings: newSettings }])
    const over = walk(failed.state, { kind: 'timed-out' }, { kind: 'dropped' })
    expect(over.state).toEqual(idle)
    expect(over.effects).toEqual([{ kind: 'settle', hash: 'aa', failure: 'no connection within the time for it; the last error: nothing accepts connections' }])
  })

  it('say whether it was the connection or the answer that did not come in time [K-20]', () => {
    expect(walk(trying, { kind: 'timed-out' }, { kind: 'dropped' }).effects).toMatchObject([{ failure: 'no connection within the time for it' }])
    expect(walk(trying, { kind: 'connected' }, { kind: 'timed-out' }, { kind: 'dropped' }).effects).toMatchObject([
      { failure: expect.stringContaining('did not answer') },
    ])
  })

  it('are dropped when they are proven but cannot be stored', () => {
    const failed = walk(proven, { kind: 'failed', reason: 'the settings could not be stored', isFinal: true })
    expect(failed.effects).toEqual([{ kind: 'abandon' }, { kind: 'drop' }])
    expect(walk(failed.state, { kind: 'dropped' }).state).toEqual(idle)
  })

  it('need no trial when the running connection is the proof: all but the heartbeat interval is the same', () => {
    const slower = { ...oldSettings, heartbeatIntervalSeconds: 90 }
    const step = walk(idle, { kind: 'offered', candidate: candidate('aa', slower) })
    expect(step).toMatchObject({ state: { kind: 'proven' }, effects: [{ kind: 'adopt' }] })
    expect(walk(step.state, { kind: 'adopted' }).state).toEqual({ kind: 'idle', current: slower })
  })

  it('are tried anew after a restart in the midst of their trial [K-09]', () => {
    const step = walk(idle, { kind: 'restarted', candidate: candidate('aa') })
    expect(step).toMatchObject({ state: { kind: 'trying', current: oldSettings }, effects: [{ kind: 'connect', settings: newSettings }] })
  })
})

describe('a newer offer', () => {
  it('takes the place of one on trial', () => {
    const step = walk(trying, { kind: 'offered', candidate: candidate('bb', otherSettings) })
    expect(step.state).toMatchObject({ kind: 'trying', current: oldSettings, candidate: { hash: 'bb' } })
    expect(step.effects.map(({ kind }) => kind)).toEqual(['abandon', 'store-candidate', 'connect'])
  })

  it('of the same connection goes on with the trial of the older', () => {
    const step = walk(trying, { kind: 'connected' }, { kind: 'offered', candidate: candidate('bb') })
    expect(step.state).toMatchObject({ kind: 'trying', stage: 'connected', candidate: { hash: 'bb' } })
    expect(step.effects.map(({ kind }) => kind)).toEqual(['store-candidate'])
  })

  it('of the former settings ends a trial', () => {
    const step = walk(trying, { kind: 'offered', candidate: candidate('bb', oldSettings) })
    expect(step.state.kind).toBe('proven')
    expect(step.effects.map(({ kind }) => kind)).toEqual(['abandon', 'adopt'])
  })

  it('that cannot be used ends a trial', () => {
    expect(walk(trying, { kind: 'superseded' })).toMatchObject({ state: { kind: 'reverting' }, effects: [{ kind: 'abandon' }, { kind: 'drop' }] })
  })

  it('without OpAMP settings makes a trial its own', () => {
    expect(walk(trying, { kind: 'renamed', hash: 'bb' }, { kind: 'answered' }, { kind: 'adopted' }).effects).toContainEqual({ kind: 'settle', hash: 'bb' })
    expect(walk(reverting, { kind: 'renamed', hash: 'bb' }, { kind: 'dropped' }).effects).toMatchObject([{ kind: 'settle', hash: 'bb' }])
    expect(walk(idle, { kind: 'renamed', hash: 'bb' })).toEqual({ state: idle, effects: [] })
  })
})

describe('an event that comes at the wrong time', () => {
  const late: readonly CandidateEvent[] = [
    { kind: 'superseded' },
    { kind: 'connected' },
    { kind: 'answered' },
    { kind: 'timed-out' },
    { kind: 'adopted' },
    { kind: 'dropped' },
    { kind: 'failed', reason: 'late', isFinal: true },
    { kind: 'restarted', candidate: candidate('cc') },
  ]
  const awaited: Readonly<Record<CandidateState['kind'], readonly CandidateEvent['kind'][]>> = {
    idle: ['restarted'],
    trying: ['superseded', 'connected', 'answered', 'timed-out', 'failed'],
    proven: ['adopted', 'failed'],
    reverting: ['dropped'],
  }

  it.each([idle, trying, proven, reverting])('changes nothing (%#)', (state) => {
    for (const event of late.filter(({ kind }) => !awaited[state.kind].includes(kind))) expect(stepCandidate(state, event)).toEqual({ state, effects: [] })
  })
})
