import { ConnectionSettingsStatuses } from '@drover/protocol'
import { describe, expect, it } from 'vitest'
import { type SettingsEffect, type SettingsEvent, type SettingsOffer, type SettingsState, stepSettings } from './machine.ts'
import { statusMessage } from './offer-status.ts'
import { newSettings, oldSettings, otherSettings } from './test-settings.ts'

const start: SettingsState = { candidate: { kind: 'idle', current: oldSettings }, status: { kind: 'none' } }

/** The last state, and all effects on the way: those that report as the status, the others by their kind. */
function walk(state: SettingsState, ...events: readonly SettingsEvent[]) {
  const effects: SettingsEffect[] = []
  let last = state
  for (const event of events) {
    const step = stepSettings(last, event)
    last = step.state
    effects.push(...step.effects)
  }
  return {
    state: last,
    effects: effects.map((effect) =>
      effect.kind === 'report' ? `${effect.status.kind}${'hash' in effect.status ? ` ${effect.status.hash}` : ''}` : effect.kind,
    ),
  }
}

function offer(hash: string, parts: Partial<SettingsOffer> = {}): SettingsEvent {
  return { kind: 'offered', offer: { hash, hasRest: false, isRetry: false, ...parts } }
}

const opamp = { candidate: newSettings }
const proof: readonly SettingsEvent[] = [{ kind: 'connected' }, { kind: 'answered' }, { kind: 'adopted' }]
const failure: readonly SettingsEvent[] = [{ kind: 'failed', reason: 'the Server answered 401', isFinal: true }, { kind: 'dropped' }]

describe('the status of offered connection settings', () => {
  it('is APPLYING once the candidate is stored and before it is tried, then APPLIED [K-09] [K-10] [K-14]', () => {
    expect(walk(start, offer('aa', { opamp }), ...proof).effects).toEqual(['store-candidate', 'applying aa', 'connect', 'adopt', 'switch', 'applied aa'])
  })

  it('is FAILED with the reason, after the return to the former settings [K-15] [K-16] [K-20]', () => {
    const { state, effects } = walk(start, offer('aa', { opamp }), ...failure)
    expect(effects).toEqual(['store-candidate', 'applying aa', 'connect', 'abandon', 'drop', 'failed aa'])
    expect(state.candidate.current).toBe(oldSettings)
    expect(statusMessage(state.status)).toMatchObject({
      lastConnectionSettingsHash: Uint8Array.of(0xaa),
      status: ConnectionSettingsStatuses.ConnectionSettingsStatuses_FAILED,
      errorMessage: 'the Server answered 401',
    })
  })

  it('is FAILED at once for settings that are refused, which are not tried [K-07] [K-16]', () => {
    const { state, effects } = walk(start, offer('aa', { opamp: { refused: 'the offered endpoint does without TLS' } }))
    expect(effects).toEqual(['failed aa'])
    expect(state.status).toMatchObject({ reason: 'the offered endpoint does without TLS' })
  })

  it('concerns all parts: it is APPLIED when the other settings are as well [OT-06] [K-14]', () => {
    const offered = walk(start, offer('aa', { opamp, hasRest: true }))
    expect(offered.effects).toEqual(['apply-rest', 'store-candidate', 'applying aa', 'connect'])
    expect(walk(offered.state, ...proof).effects).not.toContain('applied aa')
    expect(walk(offered.state, ...proof, { kind: 'rest-settled', hash: 'aa' }).effects).toContain('applied aa')
    expect(walk(offered.state, { kind: 'rest-settled', hash: 'aa' }, ...proof).effects).toContain('applied aa')
    expect(walk(start, offer('aa', { hasRest: true }), { kind: 'rest-settled', hash: 'aa' }).effects).toEqual(['apply-rest', 'applying aa', 'applied aa'])
  })

  it('is FAILED when any part fails, with all reasons [OT-06] [K-16]', () => {
    const { state } = walk(start, offer('aa', { opamp, hasRest: true }), ...failure, { kind: 'rest-settled', hash: 'aa', failure: 'no such exporter' })
    expect(state.status).toEqual({ kind: 'failed', hash: 'aa', reason: 'the Server answered 401; no such exporter' })
    const halfRefused = walk(start, offer('aa', { opamp: { refused: 'no' }, hasRest: true }), { kind: 'rest-settled', hash: 'aa' })
    expect(halfRefused.effects).toEqual(['apply-rest', 'applying aa', 'failed aa'])
  })

  it('leaves OpAMP settings alone when the offer has none [K-22]', () => {
    const { state, effects } = walk(start, offer('aa'))
    expect(effects).toEqual(['applied aa'])
    expect(state.candidate).toBe(start.candidate)
  })

  it('has a reason of bounded length', () => {
    const { state } = walk(start, offer('aa', { opamp: { refused: 'x'.repeat(5_000) } }))
    expect(state.status).toMatchObject({ reason: 'x'.repeat(1_000) })
  })
})

describe('the same offer again', () => {
  it('is answered by its status and changes nothing', () => {
    const trying = walk(start, offer('aa', { opamp, hasRest: true })).state
    const applied = walk(trying, ...proof, { kind: 'rest-settled', hash: 'aa' }).state
    const failed = walk(start, offer('aa', { opamp }), ...failure).state
    for (const [state, report] of [
      [trying, 'applying aa'],
      [applied, 'applied aa'],
      [failed, 'failed aa'],
    ] as const)
      expect(walk(state, offer('aa', { opamp, hasRest: true }))).toEqual({ state, effects: [report] })
  })

  it('is tried again when the Server knows that it failed and means it', () => {
    const failed = walk(start, offer('aa', { opamp }), ...failure).state
    expect(walk(failed, offer('aa', { opamp, isRetry: true }), ...proof).effects.at(-1)).toBe('applied aa')
    const applied = walk(start, offer('aa', { opamp }), ...proof).state
    expect(walk(applied, offer('aa', { opamp, isRetry: true })).effects).toEqual(['applied aa'])
  })

  it('cannot be told without a hash', () => {
    const applied = walk(start, offer('', { opamp }), ...proof).state
    expect(walk(applied, offer('', { opamp: { candidate: otherSettings } })).effects).toContain('connect')
  })
})

describe('a newer offer during a trial', () => {
  const trying = walk(start, offer('aa', { opamp, hasRest: true })).state

  it('replaces it, and only its own fate is told from then on', () => {
    const newer = walk(trying, offer('bb', { opamp: { candidate: otherSettings } }))
    expect(newer.effects).toEqual(['abandon', 'store-candidate', 'applying bb', 'connect'])
    expect(walk(newer.state, { kind: 'rest-settled', hash: 'aa', failure: 'late' }).effects).toEqual([])
    expect(walk(newer.state, ...proof).effects).toEqual(['adopt', 'switch', 'applied bb'])
  })

  it('ends it when it cannot be used itself', () => {
    const refused = walk(trying, offer('bb', { opamp: { refused: 'no' } }))
    expect(refused.effects).toEqual(['abandon', 'drop', 'failed bb'])
    expect(walk(refused.state, { kind: 'dropped' })).toMatchObject({ state: { candidate: { kind: 'idle', current: oldSettings } }, effects: [] })
  })

  it('waits for it when it leaves OpAMP settings as they are', () => {
    const newer = walk(trying, offer('bb', { hasRest: true }), { kind: 'rest-settled', hash: 'bb' })
    expect(newer.effects).toEqual(['apply-rest', 'applying bb'])
    expect(walk(newer.state, ...proof).effects.at(-1)).toBe('applied bb')
    expect(walk(newer.state, ...failure).effects.at(-1)).toBe('failed bb')
  })
})

describe('any order of events', () => {
  /** Deterministic noise. */
  function noise(seed: number): () => number {
    let state = seed
    return () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return state / 2 ** 32
    }
  }

  it('ends with settings that were proven or never left, and with the fate of the newest offer', () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const random = noise(seed)
      let state = start
      let newest = ''
      const provenEndpoints = new Set([oldSettings.endpoint])
      const take = (event: SettingsEvent) => {
        if (event.kind === 'answered' && state.candidate.kind === 'trying') provenEndpoints.add(state.candidate.candidate.settings.endpoint)
        const step = stepSettings(state, event)
        state = step.state
        // What a driver hands in before anything else.
        if (step.effects.some(({ kind }) => kind === 'adopt')) take(random() < 0.9 ? { kind: 'adopted' } : { kind: 'failed', reason: 'disk', isFinal: true })
        if (step.effects.some(({ kind }) => kind === 'drop')) take({ kind: 'dropped' })
        expect(provenEndpoints).toContain(state.candidate.current.endpoint)
      }
      for (let index = 0; index < 30; index += 1) {
        const choice = Math.floor(random() * 8)
        if (choice < 2) {
          newest = String(10 + Math.floor(random() * 5))
          take(
            offer(newest, {
              ...(random() < 0.8 && { opamp: { candidate: [oldSettings, newSettings, otherSettings][Math.floor(random() * 3)]! } }),
              hasRest: random() < 0.5,
              isRetry: random() < 0.5,
            }),
          ) // !: 0, 1 or 2
        } else if (choice === 2) take({ kind: 'rest-settled', hash: newest })
        else
          take(
            [
              { kind: 'connected' },
              { kind: 'answered' },
              { kind: 'timed-out' },
              { kind: 'failed', reason: 'x', isFinal: false },
              { kind: 'failed', reason: 'x', isFinal: true },
            ][choice - 3] as SettingsEvent,
          ) // as: 3 to 7
      }
      take({ kind: 'timed-out' })
      take({ kind: 'rest-settled', hash: newest })
      expect(state.candidate.kind).toBe('idle')
      expect(state.status).toMatchObject(newest === '' ? { kind: 'none' } : { hash: newest, kind: expect.stringMatching(/applied|failed/) })
    }
  })
})
