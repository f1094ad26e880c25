/** Choosing events. */
import { EventKind } from '@drover/api'
import { describe, expect, it } from 'vitest'
import { areaState, eventAreas, isChosen, toggleArea, toggleKind, urlError } from './webhook-events.ts'

const secret = eventAreas.find(({ area }) => area === 'secret')
if (secret === undefined) throw new Error('there are events about secrets')

describe('choosing events', () => {
  it('offers every kind once', () => {
    expect(eventAreas.flatMap(({ kinds }) => kinds).toSorted()).toEqual(EventKind.options.toSorted())
  })

  it('takes a whole area by its name, and nothing else is named then', () => {
    const events = toggleArea(['rollout', 'secret.set'], secret)
    expect(events).toEqual(['rollout', 'secret'])
    expect(areaState(events, secret)).toBe('all')
    expect(toggleArea(events, secret)).toEqual(['rollout'])
  })

  it('takes single kinds', () => {
    const events = toggleKind([], 'secret.set', secret)
    expect(events).toEqual(['secret.set'])
    expect(areaState(events, secret)).toBe('some')
    expect(toggleKind(events, 'secret.set', secret)).toEqual([])
  })

  it('leaves the other kinds when one is taken out of a whole area', () => {
    expect(toggleKind(['secret', 'rollout'], 'secret.set', secret)).toEqual(['rollout', 'secret.deleted'])
  })

  it('shows kinds of a whole area as chosen', () => {
    expect(isChosen(['secret'], 'secret.set')).toBe(true)
    expect(isChosen(['secrets'], 'secret.set')).toBe(false)
  })
})

it('wants a whole address', () => {
  expect(urlError('')).toBeUndefined()
  expect(urlError('https://example.com/x')).toBeUndefined()
  expect(urlError('example.com')).toMatch(/whole address/)
  expect(urlError('ftp://example.com')).toMatch(/https/)
})
