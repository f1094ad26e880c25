/** The index behind pages of agents. */
import { describe, expect, it } from 'vitest'
import { SortedIndex } from './sorted-index.ts'

const item = (id: string, key: number) => ({ id, key })

function filled(count: number) {
  const index = new SortedIndex((entry: { id: string; key: number }) => entry.key)
  const items = Array.from({ length: count }, (_, i) => item(`id${String(i).padStart(6, '0')}`, (i * 7919) % 1000))
  for (const entry of items) index.add(entry)
  const inOrder = items.toSorted((a, b) => a.key - b.key || (a.id < b.id ? -1 : 1))
  return { index, items, inOrder }
}

describe('SortedIndex', () => {
  it('walks forwards and backwards in order, equal keys by id', () => {
    const { index, inOrder } = filled(5000)
    expect([...index.after(undefined)]).toEqual(inOrder)
    expect([...index.before(undefined)]).toEqual(inOrder.toReversed())
  })

  it('goes on from a place, whether its item is still there or not', () => {
    const { index, inOrder } = filled(3000)
    for (const at of [0, 1, 511, 512, 1500, 2998, 2999]) {
      const place = inOrder[at]
      if (place === undefined) throw new Error('test data')
      expect([...index.after(place)]).toEqual(inOrder.slice(at + 1))
      expect([...index.before(place)]).toEqual(inOrder.slice(0, at).toReversed())
      index.remove(place)
      expect([...index.after(place)]).toEqual(inOrder.slice(at + 1))
      expect([...index.before(place)]).toEqual(inOrder.slice(0, at).toReversed())
      index.add(place)
    }
  })

  it('forgets what is removed, down to nothing', () => {
    const { index, items } = filled(2000)
    for (const entry of items) index.remove(entry)
    index.remove(item('never', 1))
    expect(index.size).toBe(0)
    expect([...index.after(undefined)]).toEqual([])
    expect([...index.before({ key: 5, id: 'x' })]).toEqual([])
  })
})
