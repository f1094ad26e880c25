/** Which cached answers an event makes stale. */
import { EventKind } from '@drover/api'
import { describe, expect, it } from 'vitest'
import { kindMatches, staleKeys, staleKeysOf } from './invalidation.ts'

const keys = (kind: EventKind, subject = 'agt_1') => staleKeys({ kind, subject }).map((key) => key.join('/'))

describe('an event', () => {
  it('about an agent makes that agent’s page stale, and the list', () => {
    expect(keys('agent.health', 'agt_7')).toEqual(expect.arrayContaining(['agent/agt_7', 'agents/list', 'agents/counts']))
  })

  it('about an attempt makes counts and group progress stale', () => {
    expect(keys('attempt.failed')).toEqual(expect.arrayContaining(['agent/agt_1', 'agents/counts', 'agents/failed', 'groups']))
  })

  it('about a group makes every agent’s page stale, since what they should have may change', () => {
    expect(keys('group.changed', 'everything')).toEqual(expect.arrayContaining(['agent', 'groups', 'configs']))
  })

  it('about a wave makes rollouts and every agent’s page stale, since agents get something else from then on', () => {
    expect(keys('rollout.waveOpened', 'rol_1')).toEqual(expect.arrayContaining(['rollouts', 'groups', 'agent']))
  })

  it.each(EventKind.options)('of kind %s makes only known reads stale', (kind) => {
    const known = /^(agents\/(list|counts|attributes|failed)|agent(\/agt_1)?|groups|rollouts|configs|secrets|webhooks|tokens|status)$/
    expect(keys(kind).filter((key) => !known.test(key))).toEqual([])
  })

  it('of a kind that this page does not know makes nothing else stale', () => {
    expect(staleKeys({ kind: 'dance.started' as EventKind, subject: 'x' })).toEqual([])
  })
})

it('names each read once for a burst, and leaves out what a shorter key covers', () => {
  const stale = staleKeysOf([
    { kind: 'agent.health', subject: 'agt_1' },
    { kind: 'agent.health', subject: 'agt_1' },
    { kind: 'group.changed', subject: 'g' },
  ]).map((key) => key.join('/'))
  expect(stale).toEqual([...new Set(stale)])
  expect(stale).toContain('agent')
  expect(stale).not.toContain('agent/agt_1')
})

it('reads a filter of kinds as the events API does: whole words and prefixes', () => {
  expect(kindMatches(undefined, 'agent.health')).toBe(true)
  expect(kindMatches('agent', 'agent.health')).toBe(true)
  expect(kindMatches('attempt,agent.health', 'agent.health')).toBe(true)
  expect(kindMatches('age', 'agent.health')).toBe(false)
})
