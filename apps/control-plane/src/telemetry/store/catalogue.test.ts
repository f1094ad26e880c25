/** Which files go when there are too many, too old, or ready to become coarser ones. */
import { beforeEach, describe, expect, it } from 'vitest'
import { Catalogue, parseName, segmentName } from './catalogue.ts'
import { tiers } from './tiers.ts'
import type { Tier } from './tiers.ts'

const [fine, minutes, quarters] = tiers
const T = Date.parse('2026-01-01T00:00:00Z')
const HOUR = 3_600_000
const DAY = 24 * HOUR
let catalogue: Catalogue
beforeEach(() => {
  catalogue = new Catalogue()
})

const add = (tier: Tier, startMs: number, bytes = 10) => catalogue.add({ name: segmentName(tier, startMs), tier, startMs, bytes })
const names = (segments: readonly { readonly tier: Tier; readonly startMs: number }[]) =>
  segments.map(({ tier, startMs }) => `${tier.name}+${(startMs - T) / HOUR}`)

describe('what is too much', () => {
  it('goes from the finest step that is in a coarser one, oldest first, then from the next', () => {
    for (const hour of [1, 0]) add(fine, T + hour * HOUR)
    for (const hour of [0, 1]) add(minutes, T + hour * HOUR)
    add(quarters, T)
    expect(names(catalogue.beyond(50))).toEqual([])
    expect(names(catalogue.beyond(45))).toEqual(['10s+0'])
    expect(names(catalogue.beyond(20))).toEqual(['10s+0', '10s+1', '1m+0'])
  })

  it('takes what is in no coarser step last, and of that the oldest', () => {
    add(fine, T + 25 * HOUR)
    add(minutes, T + 24 * HOUR)
    add(quarters, T - 9 * DAY)
    add(quarters, T)
    expect(names(catalogue.beyond(0))).toEqual(['15m+-216', '15m+0', '1m+24', '10s+25'])
  })
})

describe('what is ready', () => {
  it('has all of its finer files', () => {
    add(fine, T)
    expect(catalogue.ready(minutes, () => false)).toEqual([T])
    expect(catalogue.ready(minutes, () => true)).toEqual([])
    // The day waits for its last hour.
    add(minutes, T + HOUR)
    expect(catalogue.ready(quarters, () => false)).toEqual([])
    add(minutes, T)
    expect(catalogue.ready(minutes, () => false)).toEqual([])
    expect(catalogue.ready(quarters, () => false)).toEqual([T])
  })
})

describe('what is too old', () => {
  it('goes when its time is over and it is in a coarser step, or was waited for', () => {
    add(fine, T)
    expect(names(catalogue.expired(T + 3 * HOUR))).toEqual([])
    add(minutes, T)
    expect(names(catalogue.expired(T + HOUR))).toEqual([])
    expect(names(catalogue.expired(T + 3 * HOUR))).toEqual(['10s+0'])
    catalogue.remove({ name: segmentName(minutes, T), tier: minutes, startMs: T, bytes: 0 })
    expect(names(catalogue.expired(T + 8 * HOUR))).toEqual(['10s+0'])
  })
})

describe('names', () => {
  it('are read as they are written', () => {
    expect(parseName(segmentName(minutes, T), 5)).toEqual({ segment: { name: `1m-${T}.points`, tier: minutes, startMs: T, bytes: 5 } })
    for (const name of ['1m-5.points', `2m-${T}.points`, '10s-.points', 'journal-0.rows', '10s-9999999999999999999.points'])
      expect(parseName(name, 1)).toBeUndefined()
  })
})
