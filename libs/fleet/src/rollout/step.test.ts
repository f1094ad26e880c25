import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { outstandingEffects } from './effects.ts'
import { memberTraits } from './member-state.ts'
import { defaultPlan, presets, type RolloutPlan } from './plan.ts'
import { type Rollout, type RolloutAction, rolloutActions, RolloutError, type RolloutStateName } from './rollout.ts'
import { passing, TestFleet } from './test-fleet.ts'

const minuteMs = 60_000
const counts: RolloutPlan = {
  ...defaultPlan,
  waves: [
    { kind: 'count', count: 3 },
    { kind: 'count', count: 10 },
  ],
  retries: { count: 0, delayMs: 0 },
}
const failing = { verdict: 'fail', text: 'refused is 9, those without the change 1', numbers: { now: 9 } } as const
const unclear = { verdict: 'inconclusive', text: 'the query gave no series', numbers: {} } as const

describe('a rollout', () => {
  it('goes through its waves, soaks, and completes', () => {
    const fleet = new TestFleet(counts, 20).start()
    expect(fleet.rollout).toMatchObject({ state: 'soaking', wave: 0 })
    expect(fleet.states()).toEqual({ applied: 3, pending: 17 })
    fleet.pass(5 * minuteMs - 1)
    expect(fleet.rollout).toMatchObject({ state: 'soaking', wave: 0 })
    fleet.pass(1)
    expect(fleet.rollout).toMatchObject({ state: 'soaking', wave: 1 })
    expect(fleet.states()).toEqual({ applied: 13, pending: 7 })
    fleet.finish()
    expect(fleet.rollout.state).toBe('completed')
    expect(fleet.states()).toEqual({ applied: 20 })
    expect(fleet.told()).toEqual([
      'ann started the rollout.',
      'Drover opened wave 1: 3 agents.',
      'Drover has the outcomes of wave 1 and watches it: 3 agents applied it.',
      'Drover passed wave 1: the soak is over and every gate passes.',
      'Drover opened wave 2: 10 agents.',
      'Drover has the outcomes of wave 2 and watches it: 10 agents applied it.',
      'Drover passed wave 2: the soak is over and every gate passes.',
      'Drover opened wave 3: the rest.',
      'Drover has the outcomes of wave 3 and watches it: 7 agents applied it.',
      'Drover passed wave 3: the soak is over and every gate passes.',
      'Drover completed the rollout: 20 agents applied it.',
    ])
    expect(fleet.decisions.map(({ seq }) => seq)).toEqual(Array.from({ length: 11 }, (_, index) => index + 1))
  })

  it('completes at once for a group without Agents, and who joins gets the new revision', () => {
    const fleet = new TestFleet(counts, 0).start()
    expect(fleet.rollout.state).toBe('completed')
    expect(fleet.join('new').states()).toEqual({ applied: 1 })
  })

  it('takes itself back when too many fail', () => {
    const fleet = new TestFleet(counts, 20)
    fleet.answer = (_, revision) => (revision === 2 ? 'failed' : 'applied')
    fleet.start()
    expect(fleet.rollout).toMatchObject({ state: 'rolledBack', cause: 'gate' })
    // The third was never offered it.
    expect(fleet.states()).toEqual({ restored: 2, pending: 18 })
    expect(fleet.told().slice(-2)).toEqual([
      'Drover takes the change back: 2 of 2 agents (100 %) of this wave failed or did not answer.',
      'Drover took the change back: 2 agents have the earlier revision again.',
    ])
    for (const agent of fleet.agents) expect(fleet.revision(agent)).toBe(1)
  })

  it('does not go on with one failure when nobody applied it', () => {
    const fleet = new TestFleet({ ...counts, waves: [{ kind: 'count', count: 1 }] }, 5)
    fleet.answer = (_, revision) => (revision === 2 ? 'failed' : 'applied')
    expect(fleet.start().rollout.state).toBe('rolledBack')
    expect(fleet.told()).toContain('Drover takes the change back: of 1 agent with an outcome in this wave, not one applied it.')
  })

  it.each([
    ['pause', 'paused'],
    ['stop', 'stopped'],
  ] as const)('can %s instead', (onFail, state) => {
    const fleet = new TestFleet({ ...counts, onFail }, 20)
    fleet.answer = () => 'failed'
    expect(fleet.start().rollout.state).toBe(state)
    const [released = ''] = fleet.of(0)
    expect(fleet.revision(released)).toBe(2)
    expect(fleet.revision(fleet.of(1)[0] ?? '')).toBe(1)
  })

  it('tries a failed Agent again by itself before it counts', () => {
    const fleet = new TestFleet({ ...counts, retries: { count: 1, delayMs: 1000 } }, 20)
    fleet.answer = () => 'failed'
    fleet.start()
    expect(fleet.states()).toMatchObject({ retrying: 3 })
    expect(fleet.rollout.state).toBe('running')
  })

  it('goes on with what failed when a person has seen it, and stops for what fails then', () => {
    const fleet = new TestFleet({ ...counts, onFail: 'pause', gates: [] }, 20)
    const bad = new Set(new TestFleet(counts, 20).start().of(0).slice(0, 2))
    fleet.answer = (agent) => (bad.has(agent) ? 'failed' : 'applied')
    fleet.start()
    expect(fleet.rollout).toMatchObject({ state: 'paused', cause: 'budget' })
    fleet.act('resume', 'bob', 'known to be broken')
    expect(fleet.rollout.state).toBe('soaking')
    fleet.pass(5 * minuteMs)
    expect(fleet.rollout).toMatchObject({ state: 'soaking', wave: 1 })
    const [one = '', two = ''] = fleet.of(1)
    bad.add(one).add(two)
    fleet.look(one).look(two)
    expect(fleet.rollout).toMatchObject({ state: 'paused', wave: 1 })
    expect(fleet.told()).toContain('bob resumed wave 1: known to be broken.')
  })

  it('retries only the failed', () => {
    const fleet = new TestFleet({ ...counts, gates: [], budget: { maxCount: 5, maxPercent: 100, minSample: 20 } }, 20)
    let broken = true
    fleet.answer = (agent, revision) => (agent === 'a7' && revision === 2 && broken ? 'failed' : 'applied')
    fleet.start().finish()
    expect(fleet.rollout.state).toBe('completed')
    expect(fleet.states()).toEqual({ applied: 19, failed: 1 })
    broken = false
    fleet.act('retry', 'ann', 'disk is larger now')
    expect(fleet.states()).toEqual({ applied: 20 })
    expect(fleet.rollout).toMatchObject({ state: 'completed', sweep: null })
  })
})

describe('gates', () => {
  const withGate = (): RolloutPlan => ({ ...counts, gates: [{ kind: 'promql', url: 'http://p', query: 'q', operator: '<', threshold: 1 }] })

  it('fail after two rounds in a row, not after one', () => {
    const fleet = new TestFleet(withGate(), 20)
    fleet.verdict = failing
    fleet.start().pass(30_000)
    expect(fleet.rollout.state).toBe('soaking')
    fleet.verdict = passing
    fleet.pass(30_000)
    fleet.verdict = failing
    fleet.pass(30_000)
    expect(fleet.rollout.state).toBe('soaking')
    fleet.pass(30_000)
    expect(fleet.rollout).toMatchObject({ state: 'rolledBack', reason: 'refused is 9, those without the change 1' })
    expect(fleet.rollout.judged).toMatchObject({ wave: 0, gates: [{ gate: 0, verdict: 'fail' }] })
  })

  it('pause when they are inconclusive for too long, and never roll back', () => {
    const fleet = new TestFleet(withGate(), 20)
    fleet.verdict = unclear
    fleet.start()
    for (let minute = 0; minute < 14; minute++) fleet.pass(minuteMs)
    expect(fleet.rollout.state).toBe('soaking')
    fleet.pass(minuteMs)
    expect(fleet.rollout).toMatchObject({ state: 'paused', cause: 'inconclusive', reason: 'the query gave no series' })
    fleet.act('resume')
    fleet.verdict = passing
    fleet.pass(minuteMs)
    expect(fleet.rollout).toMatchObject({ state: 'soaking', wave: 1 })
  })

  it('pause when nobody answers', () => {
    const fleet = new TestFleet(withGate(), 20)
    fleet.verdict = null
    fleet.start().finish()
    expect(fleet.rollout).toMatchObject({ state: 'paused', cause: 'inconclusive', reason: 'the PromQL gate gave no answer' })
  })

  it('take no answer to an earlier round, nor a second one', () => {
    const fleet = new TestFleet(withGate(), 20)
    fleet.verdict = null
    fleet.start().pass(30_000)
    const { rollout } = fleet
    if (rollout.state !== 'soaking') throw new Error(rollout.state)
    fleet.send({ kind: 'verdict', round: rollout.soak.round - 1, gate: 0, verdict: failing })
    expect(fleet.rollout).toEqual(rollout)
    fleet
      .send({ kind: 'verdict', round: rollout.soak.round, gate: 0, verdict: failing })
      .send({ kind: 'verdict', round: rollout.soak.round, gate: 0, verdict: failing })
    expect(fleet.rollout).toMatchObject({ state: 'soaking', soak: { gates: [{ failedInRow: 1 }] } })
  })

  it('have to pass once more when the soak is over', () => {
    const fleet = new TestFleet(withGate(), 20).start()
    fleet.pass(4 * minuteMs)
    fleet.verdict = unclear
    fleet.pass(minuteMs)
    expect(fleet.rollout).toMatchObject({ state: 'soaking', wave: 0 })
  })

  it('are passed over by a person', () => {
    const fleet = new TestFleet(withGate(), 20)
    fleet.verdict = unclear
    fleet.start().act('promote', 'ann', 'looks good')
    expect(fleet.rollout).toMatchObject({ state: 'soaking', wave: 1 })
    fleet.act('promote').act('promote')
    expect(fleet.rollout.state).toBe('completed')
  })

  it('can be a person, and another one', () => {
    const plan: RolloutPlan = { ...counts, gates: [{ kind: 'approval', after: 'firstWave', byAnother: true }], approval: 'anotherPerson' }
    const fleet = new TestFleet(plan, 20).start()
    expect(fleet.rollout).toMatchObject({ state: 'waiting', hindrance: { kind: 'approval' } })
    expect(() => fleet.act('approve', 'ann')).toThrow(expect.objectContaining({ code: 'same-person' }))
    fleet.act('approve', 'bob')
    expect(fleet.rollout).toMatchObject({ state: 'soaking', wave: 0 })
    expect(() => fleet.act('approve', 'bob')).toThrow(RolloutError)
    fleet.pass(5 * minuteMs)
    expect(fleet.rollout).toMatchObject({ state: 'waiting', wave: 1 })
    fleet.act('approve', 'bob').finish()
    expect(fleet.rollout.state).toBe('completed')
  })
})

describe('Agents that are not there', () => {
  it('hold nobody up, and get the new revision when they return', () => {
    const fleet = new TestFleet(counts, 20)
    for (const agent of ['a1', 'a2']) fleet.offline.set(agent, -1e9)
    fleet.start().finish()
    expect(fleet.rollout.state).toBe('completed')
    expect(fleet.states()).toEqual({ applied: 18, away: 2 })
    expect(fleet.told().at(-1)).toBe('Drover completed the rollout: 18 agents applied it, 2 get it when they return.')
    expect(fleet.connect('a1').states()).toEqual({ applied: 19, away: 1 })
  })

  it('get the earlier one when they return after a rollback', () => {
    const fleet = new TestFleet(counts, 20).start()
    const [gone = ''] = fleet.of(0)
    fleet.disconnect(gone)
    fleet.answer = (agent, revision) => (agent === gone && fleet.offline.has(gone) && revision === 1 ? 'none' : 'applied')
    fleet.act('rollBack', 'ann', 'wrong one')
    expect(fleet.rollout.state).toBe('rolledBack')
    expect(fleet.states()).toEqual({ pending: 17, restored: 2, restoringAway: 1 })
    expect(fleet.connect(gone).states()).toEqual({ pending: 17, restored: 3 })
    expect(fleet.revision('whoever joins')).toBe(1)
  })

  it('pause the rollout when they went away just before their turn: an outage is no evidence', () => {
    const fleet = new TestFleet({ ...counts, approval: 'anotherPerson' }, 20)
    fleet.answer = (agent) => (fleet.offline.has(agent) ? 'none' : 'applied')
    fleet.start()
    for (const agent of fleet.of(0)) fleet.disconnect(agent)
    fleet.act('approve', 'bob')
    expect(fleet.states()).toEqual({ released: 3, pending: 17 })
    fleet.pass(2 * minuteMs)
    expect(fleet.rollout).toMatchObject({ state: 'paused', cause: 'noEvidence' })
    expect(fleet.told().at(-1)).toBe('Drover paused in wave 1: 3 agents of this wave went away before they could be reached, and only 0 have an outcome.')
    expect(fleet.states()).toEqual({ away: 3, pending: 17 })
    fleet
      .connect(fleet.of(0)[0] ?? '')
      .connect(fleet.of(0)[1] ?? '')
      .act('resume')
    expect(fleet.rollout).toMatchObject({ state: 'soaking', wave: 0 })
    for (const agent of fleet.of(1)) fleet.disconnect(agent)
    fleet.pass(5 * minuteMs).pass(2 * minuteMs)
    expect(fleet.rollout).toMatchObject({ state: 'paused', cause: 'noEvidence', wave: 1 })
  })

  it('are passed over when a ring had nobody to reach from the start', () => {
    const fleet = new TestFleet(
      {
        ...counts,
        waves: [
          { kind: 'ring', name: 'away', selector: 'x = y' },
          { kind: 'count', count: 2 },
        ],
      },
      4,
    )
    fleet.lookup = (agent) => (agent === 'a0' ? 'y' : undefined)
    fleet.offline.set('a0', -1e9)
    fleet.start()
    expect(fleet.told()).toContain('Drover passed wave 1: nobody in it could be reached.')
    expect(fleet.rollout).toMatchObject({ state: 'soaking', wave: 1 })
  })

  it('are released a few at a time when they return all at once', () => {
    const fleet = new TestFleet({ ...counts, concurrency: 2 }, 20)
    for (const agent of fleet.agents.slice(5)) fleet.offline.set(agent, -1e9)
    fleet.start().finish()
    expect(fleet.states()).toEqual({ applied: 5, away: 15 })
    fleet.answer = () => 'offered'
    for (const agent of fleet.agents) if (fleet.offline.has(agent)) fleet.connect(agent)
    expect(fleet.states()).toEqual({ applied: 5, pending: 13, offered: 2 })
  })

  it('count as lost when they go away after the push, unless all others do too', () => {
    const plan: RolloutPlan = { ...counts, waves: [{ kind: 'count', count: 10 }] }
    const lose = (fleet: TestFleet): TestFleet => {
      fleet.start()
      for (const agent of fleet.of(0).slice(0, 5)) fleet.disconnect(agent)
      return fleet
    }
    const bad = lose(new TestFleet(plan, 60)).pass(2 * minuteMs)
    expect(bad.rollout).toMatchObject({ state: 'rolledBack', cause: 'gate' })
    const split = lose(new TestFleet(plan, 60))
      .send({ kind: 'presence', control: { bad: 25, of: 50 } })
      .pass(2 * minuteMs)
    expect(split.rollout).toMatchObject({ state: 'paused', cause: 'partition' })
    expect(split.told().at(-1)).toContain('but so were 25 of 50 agents (50 %) without the change')
  })

  it('count as bad when they leave the group as such', () => {
    const fleet = new TestFleet({ ...counts, gates: [], onFail: 'pause' }, 20)
    fleet.answer = (agent) => (agent === fleet.of(0)[0] || agent === 'x0' ? 'failed' : 'applied')
    fleet.start()
    fleet.leave(fleet.of(0)[0] ?? '')
    expect(fleet.rollout.waves[0]).toMatchObject({ leftBad: 1, counters: { applied: 2 } })
    expect(fleet.counts()).toBe(true)
  })
})

describe('a schedule', () => {
  const dayMs = 24 * 60 * minuteMs
  const schedule = { notBefore: dayMs, windows: [{ days: ['sat'], from: '02:00', to: '03:00', timeZone: 'UTC' }] } as const

  it('waits for its time and its window, and releases nobody outside of it', () => {
    // 1970-01-03 was a Saturday.
    const fleet = new TestFleet({ ...counts, schedule, soakMs: 2 * 60 * minuteMs }, 20).start()
    expect(fleet.rollout).toMatchObject({ state: 'waiting', hindrance: { kind: 'time', at: dayMs }, wakeAt: dayMs })
    fleet.pass(dayMs)
    expect(fleet.rollout).toMatchObject({ state: 'waiting', hindrance: { kind: 'window', opensAt: 2 * dayMs + 120 * minuteMs } })
    fleet.pass((fleet.rollout.wakeAt ?? 0) - fleet.now)
    expect(fleet.rollout).toMatchObject({ state: 'soaking', wave: 0 })
    fleet.pass(2 * 60 * minuteMs)
    expect(fleet.rollout).toMatchObject({ state: 'waiting', wave: 1, hindrance: { kind: 'window' } })
    fleet.finish()
    expect(fleet.rollout.state).toBe('completed')
  })

  it('stops releasing in the middle of a wave when its window closes', () => {
    const fleet = new TestFleet({ ...counts, schedule, concurrency: 1, waves: [{ kind: 'percent', percent: 100 }] }, 5)
    fleet.answer = (_, revision) => (revision === 2 ? 'applying' : 'applied')
    fleet.now = 2 * dayMs + 179 * minuteMs
    fleet.start()
    expect(fleet.states()).toEqual({ applying: 1, pending: 4 })
    fleet.now += minuteMs
    fleet.answer = () => 'applied'
    fleet.look(fleet.of(0)[0] ?? '')
    expect(fleet.rollout).toMatchObject({ state: 'waiting', wave: 0 })
    expect(fleet.states()).toEqual({ applied: 1, pending: 4 })
    fleet.pass((fleet.rollout.wakeAt ?? 0) - fleet.now)
    expect(fleet.states().pending).toBeUndefined()
    expect(fleet.told()).toContain('Drover resumed wave 1: nothing hinders it any more.')
  })

  it('pauses once at its deadline', () => {
    const fleet = new TestFleet({ ...counts, deadlineMs: 7 * minuteMs }, 20).start()
    fleet.finish()
    expect(fleet.rollout).toMatchObject({ state: 'paused', cause: 'deadline', deadlineAt: null })
    expect(fleet.act('resume').finish().rollout.state).toBe('completed')
  })
})

describe('other rollouts', () => {
  it('are waited for by name', () => {
    const fleet = new TestFleet(counts, 20).start('ann', ['base 3', 'edge 7'])
    expect(fleet.told().at(-1)).toBe('Drover waits: for base 3, edge 7 to end, which some of the same agents are in.')
    fleet.send({ kind: 'blockers', names: ['edge 7'] })
    expect(fleet.rollout.state).toBe('waiting')
    expect(fleet.send({ kind: 'blockers', names: [] }).rollout.state).toBe('soaking')
  })

  it('keep what they gave to an Agent that is in both, until they end', () => {
    const fleet = new TestFleet(counts, 5)
    fleet.busy.add('a1')
    fleet.start().finish()
    expect(fleet.rollout.state).toBe('completed')
    expect([fleet.revision('a1'), fleet.revision('a2')]).toEqual([1, 2])
    fleet.busy.delete('a1')
    fleet.look('a1')
    expect(fleet.revision('a1')).toBe(2)
    expect(fleet.states()).toEqual({ applied: 5 })
  })

  it('that are newer of the same group take over where it stands, and go back to what was completed', () => {
    const old = new TestFleet(counts, 6).start().send({ kind: 'supersede', rollout: 'r2', by: 'ann', reason: '' })
    expect(old.rollout).toMatchObject({ state: 'superseded', by: 'r2' })
    const newer = new TestFleet(counts, 6)
    newer.rollout = { ...newer.rollout, id: 'r2', to: 3 }
    newer.answer = () => 'applied'
    newer.start()
    for (const agent of old.agents) {
      const member = newer.members.get(agent)
      if (member?.state === 'pending') newer.members.set(agent, { ...member, holds: old.revision(agent) })
    }
    const kept = [...newer.members.values()].filter(({ state }) => state === 'pending').map(({ agent }) => newer.revision(agent))
    expect(kept).toEqual(expect.arrayContaining([...new Set(kept)]))
    newer.act('rollBack')
    for (const agent of newer.agents) expect(newer.revision(agent)).toBe(1)
    expect(newer.rollout.state).toBe('rolledBack')
  })

  it('cannot take over in the middle of a rollback, which cannot be rolled back either', () => {
    const fleet = new TestFleet(counts, 20).start()
    fleet.acts = false
    fleet.act('rollBack')
    expect(fleet.rollout.state).toBe('rollingBack')
    expect(() => fleet.act('rollBack')).toThrow(RolloutError)
    expect(() => fleet.send({ kind: 'supersede', rollout: 'r2', by: null, reason: '' })).toThrow(RolloutError)
    fleet.acts = true
    expect(fleet.carryOutAgain().rollout.state).toBe('rolledBack')
  })

  it('end also when the earlier revision fails', () => {
    const fleet = new TestFleet(counts, 20).start()
    fleet.answer = () => 'failed'
    fleet.act('rollBack')
    expect(fleet.states()).toEqual({ restoreRetrying: 3, pending: 17 })
    expect(fleet.rollout.state).toBe('rollingBack')
    fleet.pass(5 * minuteMs).pass(5 * minuteMs)
    expect(fleet.rollout.state).toBe('rolledBack')
    expect(fleet.told().at(-1)).toBe(
      'Drover took the change back: 0 agents have the earlier revision again, 3 failed that too and keep what last worked for them.',
    )
  })
})

describe('actions', () => {
  const all: Readonly<Record<RolloutStateName, () => TestFleet>> = {
    draft: () => new TestFleet(counts, 20),
    waiting: () => new TestFleet({ ...counts, approval: 'anotherPerson' }, 20).start('eve'),
    running: () => {
      const fleet = new TestFleet(counts, 20)
      fleet.answer = () => 'offered'
      return fleet.start()
    },
    soaking: () => new TestFleet(counts, 20).start(),
    paused: () => new TestFleet(counts, 20).start().act('pause'),
    stopped: () => new TestFleet(counts, 20).start().act('stop'),
    rollingBack: () => {
      const fleet = new TestFleet(counts, 20).start()
      fleet.answer = () => 'offered'
      return fleet.act('rollBack')
    },
    rolledBack: () => new TestFleet(counts, 20).start().act('rollBack'),
    completed: () => new TestFleet(counts, 20).start().finish(),
    superseded: () => new TestFleet(counts, 20).start().send({ kind: 'supersede', rollout: 'r2', by: null, reason: '' }),
  }

  it.each(Object.keys(all) as RolloutStateName[])('of %s are those of the table, and no others', (state) => {
    const actions: readonly RolloutAction[] = ['start', 'approve', 'pause', 'resume', 'promote', 'retry', 'stop', 'rollBack', 'supersede']
    const taken = actions.filter((action) => {
      const fleet = all[state]()
      expect(fleet.rollout.state).toBe(state)
      try {
        if (action === 'start') fleet.send({ kind: 'start', by: 'ann', reason: '', waves: [], blockers: [] })
        else if (action === 'supersede') fleet.send({ kind: 'supersede', rollout: 'r9', by: 'ann', reason: '' })
        else fleet.act(action)
        return true
      } catch (error) {
        if (error instanceof RolloutError && error.code === 'wrong-state') return false
        throw error
      }
    })
    expect(taken).toEqual(rolloutActions[state])
  })

  it('take a paused rollout on from where it was', () => {
    const running = all.running()
    expect(running.act('pause').act('resume').rollout.state).toBe('running')
    expect(all.waiting().act('pause').act('resume').rollout.state).toBe('waiting')
    expect(all.paused().act('resume').rollout.state).toBe('soaking')
    expect(() => all.waiting().act('pause').act('promote')).toThrow(expect.objectContaining({ code: 'wave-not-open' }))
  })

  it('leave the group divided when they stop it', () => {
    const fleet = all.stopped()
    expect([fleet.revision(fleet.of(0)[0] ?? ''), fleet.revision(fleet.of(1)[0] ?? ''), fleet.join('n').revision('n')]).toEqual([2, 1, 1])
    fleet.act('rollBack')
    expect(fleet.agents.map((agent) => fleet.revision(agent))).toEqual(Array.from({ length: 20 }, () => 1))
  })
})

describe('the engine', () => {
  it('is small, whatever the size of the fleet', () => {
    const size = (count: number): number => JSON.stringify(new TestFleet(presets.careful, count).start().rollout).length
    expect(size(2000)).toBeLessThan(size(200) * 1.2)
  })

  it('repeats what was stored and not done, and nothing else', () => {
    const fleet = new TestFleet(counts, 20)
    fleet.acts = false
    fleet.start()
    const keys = outstandingEffects(fleet.plan, fleet.rollout).map(({ key }) => key)
    expect(keys).toEqual(['r1/release/0/3'])
    fleet.acts = true
    fleet.carryOutAgain().carryOutAgain()
    expect(fleet.states()).toEqual({ applied: 3, pending: 17 })
  })

  it('stands still when the clock jumps back', () => {
    const fleet = new TestFleet(counts, 20).start()
    fleet.now -= 500
    fleet.send({ kind: 'tick' })
    expect(fleet.rollout.now).toBe(1000)
  })

  it('refuses counters that cannot be', () => {
    const fleet = new TestFleet(counts, 20).start()
    expect(() => fleet.send({ kind: 'moved', moves: [{ wave: 0, from: 'failed', to: null, late: false }] })).toThrow(RangeError)
    expect(() => fleet.send({ kind: 'moved', moves: [{ wave: 9, from: null, to: 'pending', late: false }] })).toThrow(RangeError)
  })
})

type Happening =
  | {
      readonly kind: 'answer'
      readonly agent: number
      readonly outcome: 'none' | 'offered' | 'applying' | 'applied' | 'failed' | 'timedOut' | 'silent' | 'ineligible'
    }
  | { readonly kind: 'disconnect' | 'connect' | 'join' | 'leave' | 'busy' | 'free'; readonly agent: number }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'verdict'; readonly verdict: 'pass' | 'fail' | 'inconclusive' }
  | { readonly kind: 'act'; readonly action: 'pause' | 'resume' | 'promote' | 'retry' | 'stop' | 'rollBack' }
  | { readonly kind: 'crash' }

const agent = fc.integer({ min: 0, max: 14 })
const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('answer' as const),
      agent,
      outcome: fc.constantFrom(
        'none' as const,
        'offered' as const,
        'applying' as const,
        'applied' as const,
        'failed' as const,
        'timedOut' as const,
        'silent' as const,
        'ineligible' as const,
      ),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('disconnect' as const, 'connect' as const, 'join' as const, 'leave' as const, 'busy' as const, 'free' as const),
      agent,
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(1000, 30_000, 120_000, 300_000, 3_600_000) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('verdict' as const), verdict: fc.constantFrom('pass' as const, 'fail' as const, 'inconclusive' as const) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('act' as const),
      action: fc.constantFrom('pause' as const, 'resume' as const, 'promote' as const, 'retry' as const, 'stop' as const, 'rollBack' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const) }) },
)

function happen(fleet: TestFleet, outcomes: Map<string, ReturnType<TestFleet['answer']>>, one: Happening): void {
  switch (one.kind) {
    case 'answer':
      outcomes.set(`a${one.agent}`, one.outcome)
      fleet.look(`a${one.agent}`)
      return
    case 'join':
      if (!fleet.members.has(`a${one.agent}`)) fleet.join(`a${one.agent}`)
      return
    case 'leave':
    case 'disconnect':
    case 'connect':
      fleet[one.kind](`a${one.agent}`)
      return
    case 'busy':
      fleet.busy.add(`a${one.agent}`)
      return
    case 'free':
      fleet.busy.delete(`a${one.agent}`)
      fleet.look(`a${one.agent}`)
      return
    case 'pass':
      fleet.pass(one.ms)
      return
    case 'verdict':
      fleet.verdict = { ...passing, verdict: one.verdict }
      return
    case 'act':
      try {
        fleet.act(one.action)
      } catch (error) {
        if (!(error instanceof RolloutError)) throw error
      }
      return
    case 'crash':
      // Whatever was decided from here on until the next line is stored and not acted upon.
      fleet.acts = false
      fleet.pass(1)
      fleet.acts = true
      fleet.carryOutAgain()
      return
    default:
      one satisfies never
  }
}

describe('whatever happens', () => {
  const plan: RolloutPlan = {
    ...counts,
    concurrency: 3,
    retries: { count: 1, delayMs: 1000 },
    waves: [
      { kind: 'count', count: 2 },
      { kind: 'percent', percent: 60 },
    ],
  }
  const run = (story: readonly Happening[], check: (fleet: TestFleet) => void): TestFleet => {
    const fleet = new TestFleet(plan, 12)
    const outcomes = new Map<string, ReturnType<TestFleet['answer']>>()
    fleet.answer = (name, revision) => (revision === 2 ? (outcomes.get(name) ?? 'applied') : 'applied')
    fleet.offline.set('a3', -1e9)
    fleet.start()
    for (const one of story) {
      happen(fleet, outcomes, one)
      check(fleet)
    }
    return fleet
  }
  const stories = fc.array(happening, { maxLength: 60 })
  const isBack = ({ state }: Rollout): boolean => state === 'rolledBack' || state === 'rollingBack'

  it('its counters equal a recount', () => {
    fc.assert(
      fc.property(stories, (story) => void run(story, (fleet) => expect(fleet.counts()).toBe(true))),
      { numRuns: 300 },
    )
  })

  it('nobody outside the waves that were opened has the target, and nobody at all once it is taken back', () => {
    fc.assert(
      fc.property(stories, (story) => {
        run(story, (fleet) => {
          for (const { agent: name, wave } of fleet.members.values()) {
            if (isBack(fleet.rollout)) expect(fleet.revision(name)).toBe(1)
            else if (fleet.rollout.state !== 'completed' && fleet.rollout.waves[wave]?.openedAt === null) expect(fleet.revision(name)).toBe(1)
          }
        })
      }),
      { numRuns: 300 },
    )
  })

  it('no more are under way than may be', () => {
    const inFlight = (fleet: TestFleet): number => [...fleet.members.values()].filter(({ state }) => memberTraits[state].inFlight).length
    fc.assert(
      fc.property(stories, (story) => {
        const fleet = new TestFleet(plan, 12)
        const outcomes = new Map<string, ReturnType<TestFleet['answer']>>()
        fleet.answer = (name) => outcomes.get(name) ?? 'offered'
        fleet.start()
        for (const one of story) {
          // Who has had it and is offered it again is under way without being released.
          if ((one.kind === 'answer' && one.outcome !== 'applied') || one.kind === 'disconnect' || one.kind === 'busy' || one.kind === 'act') continue
          happen(fleet, outcomes, one)
          expect(inFlight(fleet)).toBeLessThanOrEqual(plan.concurrency)
        }
      }),
      { numRuns: 200 },
    )
  })

  it('it ends when people and Agents behave from then on', () => {
    fc.assert(
      fc.property(stories, (story) => {
        const fleet = run(story, () => undefined)
        fleet.answer = () => 'applied'
        fleet.verdict = passing
        fleet.busy.clear()
        for (const name of fleet.offline.keys()) fleet.connect(name)
        for (let turn = 0; turn < 20 && !['completed', 'rolledBack', 'stopped'].includes(fleet.rollout.state); turn++) {
          if (fleet.rollout.state === 'paused') fleet.act(turn > 3 ? 'promote' : 'resume')
          fleet.pass(minuteMs).carryOutAgain().finish()
        }
        expect(fleet.rollout.state).toMatch(/completed|rolledBack|stopped/)
        if (fleet.rollout.state === 'rolledBack') for (const { state } of fleet.members.values()) expect(['pending', 'restored', 'unheard']).toContain(state)
      }),
      { numRuns: 300 },
    )
  })
})
