/** The order in which members are released. */
import { createMember, createRollout, presets } from '@drover/fleet'
import { describe, expect, it } from 'vitest'
import { LiveRollout } from './live-rollout.ts'
import { PendingQueue } from './pending-queue.ts'

const all = () => true

describe('members that wait', () => {
  it('come by their point, then by their id, however they were added', () => {
    const queue = new PendingQueue([
      { agent: 'c', point: 7 },
      { agent: 'a', point: 9 },
    ])
    for (const one of [
      { agent: 'b', point: 7 },
      { agent: 'z', point: 1 },
      { agent: 'm', point: 8 },
    ])
      queue.add(one)
    expect(queue.first(10, all)).toEqual(['z', 'b', 'c', 'm', 'a'])
    expect(queue.first(2, all)).toEqual(['z', 'b'])
  })

  it('are in it once, and passed over while they do not wait', () => {
    const queue = new PendingQueue([{ agent: 'a', point: 1 }])
    queue.add({ agent: 'b', point: 2 })
    queue.add({ agent: 'b', point: 2 })
    expect(queue.first(10, (agent) => agent !== 'a')).toEqual(['b'])
    queue.add({ agent: 'a', point: 1 })
    expect(queue.first(10, all)).toEqual(['a', 'b'])
  })

  it('wait again after they were passed over', () => {
    const rollout = createRollout({ id: 'rol_1', group: 'all', from: 1, to: 2 })
    const member = createMember({ agent: 'a', wave: 0, point: 5, late: false }, 1, 0)
    const live = new LiveRollout({
      seq: 1,
      preset: null,
      endedAt: null,
      plan: presets.standard,
      rollout,
      selectors: new Map(),
      members: [{ member, before: null }],
    })
    const isPending = (agent: string) => live.entries.get(agent)?.member.state === 'pending'
    live.setMember('a', { ...member, state: 'away' }, null)
    expect(live.nextPending(0, 5, isPending)).toEqual([])
    live.setMember('a', member, null)
    expect(live.nextPending(0, 5, isPending)).toEqual(['a'])
  })
})
