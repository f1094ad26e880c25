/** What agents get while rollouts move them: each the revision that the rule gives, and what rollouts are told. */
import { agentRoutes } from '@drover/api'
import { agentTraits } from '@drover/testing'
import { describe, expect, it } from 'vitest'
import { BAD, GOOD, TestFleet } from './test-fleet.ts'

const APPLY_MS = 6_000
const params = (index: number) => ({ agentId: agentTraits(index).uid })
const BETTER = GOOD.replace('debug: {}', 'debug:\n    verbosity: detailed')

async function detail(fleet: TestFleet, index: number) {
  return (await fleet.call(agentRoutes.getAgent, { params: params(index) })).data
}

async function idOf(fleet: TestFleet, index: number): Promise<string> {
  return (await detail(fleet, index)).id
}

const one = { name: 'all', configs: ['base@1'] }
const two = { name: 'all', revision: 2, configs: ['base@2'] }

/** Three agents on revision 1 of a group, and a rollout to revision 2 that has released nobody. */
async function midway(second = BETTER) {
  const fleet = await TestFleet.open()
  fleet.config('base@1', GOOD)
  fleet.config('base@2', second)
  const agents = await Promise.all([1, 2, 3].map((index) => fleet.connected(index)))
  await fleet.setGroups(one)
  await fleet.clock.advanceAsync(APPLY_MS)
  const ids = await Promise.all([1, 2, 3].map((index) => idOf(fleet, index)))
  fleet.rollouts.start('all', 1, 2, ids)
  await fleet.setRevisions({ current: 1, revisions: [one, two] })
  await fleet.clock.advanceAsync(APPLY_MS)
  const release = async (...which: readonly number[]) => {
    for (const index of which) fleet.rollouts.move('all', ids[index - 1] ?? '', 'released')
    fleet.agents.fleet.reconsider(which.map((index) => ids[index - 1] ?? ''))
    await fleet.agents.settled()
  }
  const outcome = (index: number) => fleet.agents.fleet.outcome(ids[index - 1] ?? '', 'all')
  return { fleet, agents, ids, release, outcome, offers: () => agents.map((agent) => agent.tally.offers.length) }
}

describe('a new revision', () => {
  it('goes to nobody but those who were released', async () => {
    const { fleet, agents, release, outcome, offers } = await midway()
    await using _ = fleet
    expect(offers()).toEqual([1, 1, 1])
    expect([outcome(1), outcome(2)]).toEqual(['applied', 'applied'])
    await release(2)
    expect(outcome(2)).toMatch(/offered|applying/)
    await fleet.clock.advanceAsync(APPLY_MS)
    expect(offers()).toEqual([1, 2, 1])
    expect(outcome(2)).toBe('applied')
    // Neither a new connection nor a restart of the server changes that.
    for (const agent of agents) agent.loseConnection()
    await fleet.clock.advanceAsync(APPLY_MS)
    await fleet.stop()
    await fleet.start()
    await fleet.clock.advanceAsync(60_000)
    expect(offers()).toEqual([1, 2, 1])
  })

  it('counts as not offered until the agent was looked at, whatever it applied before', async () => {
    const { fleet, ids, outcome, offers } = await midway()
    await using _ = fleet
    fleet.rollouts.move('all', ids[0] ?? '', 'released')
    expect(outcome(1)).toBe('none')
    fleet.agents.fleet.reconsider([ids[0] ?? ''])
    await fleet.agents.settled()
    await fleet.clock.advanceAsync(10)
    expect(offers()).toEqual([2, 1, 1])
  })

  it('counts as not offered while the agents part has not read it', async () => {
    const { fleet, agents, ids, outcome } = await midway()
    await using _ = fleet
    fleet.rollouts.start('all', 1, 3, ids)
    fleet.rollouts.move('all', ids[0] ?? '', 'released')
    expect(outcome(1)).toBe('none')
    agents[0]?.setHealth(false, 'a report')
    await fleet.clock.advanceAsync(100)
    // And nothing of what it has is touched.
    expect(await detail(fleet, 1)).toMatchObject({ configState: 'applied', groups: ['all'] })
  })

  it('that fails is tried again after it was forgiven', async () => {
    const { fleet, agents, ids, release, outcome } = await midway(BAD)
    await using _ = fleet
    await release(1)
    await fleet.clock.advanceAsync(APPLY_MS)
    expect(outcome(1)).toBe('failed')
    expect(agents[0]?.tally.offers).toHaveLength(3)
    expect(fleet.agents.fleet.agent(ids[0] ?? '')).toMatchObject({ configError: expect.stringContaining('exit code 1') })
    await fleet.agents.fleet.allowRetry(ids)
    expect(outcome(1)).toBe('none')
    fleet.agents.fleet.reconsider(ids)
    await fleet.agents.settled()
    await fleet.clock.advanceAsync(APPLY_MS)
    expect(agents.map((agent) => agent.tally.offers.length)).toEqual([5, 1, 1])
    expect(outcome(1)).toBe('failed')
  })

  it('that is taken back leaves everybody with what they had, also who was away', async () => {
    const { fleet, agents, ids, release, outcome } = await midway()
    await using _ = fleet
    await release(1, 2)
    await fleet.clock.advanceAsync(APPLY_MS)
    const [first = ''] = agents[0]?.tally.offers ?? []
    agents[1]?.kill()
    await fleet.clock.advanceAsync(1_000)
    fleet.rollouts.to('all', 'rollingBack')
    fleet.agents.fleet.reconsider(ids)
    await fleet.agents.settled()
    await fleet.clock.advanceAsync(APPLY_MS)
    expect(agents[0]?.tally.offers.at(-1)).toBe(first)
    expect(outcome(1)).toBe('applied')
    expect(outcome(2)).not.toBe('applied')
    agents[1]?.start()
    await fleet.clock.advanceAsync(3 * APPLY_MS)
    expect(agents.map((agent) => agent.tally.offers.at(-1))).toEqual([first, first, first])
    expect(outcome(2)).toBe('applied')
  })

  it('goes with the first answer to who connects after the release, though nobody looked at the agent yet', async () => {
    const { fleet, agents, ids, outcome } = await midway()
    await using _ = fleet
    agents[0]?.stop()
    await fleet.clock.advanceAsync(1_000)
    fleet.rollouts.move('all', ids[0] ?? '', 'released')
    const received = agents[0]?.tally.messagesReceived ?? 0
    agents[0]?.start()
    while (agents[0]?.tally.messagesReceived === received) await fleet.clock.advanceAsync(1)
    expect(agents[0]?.tally.offers).toHaveLength(2)
    expect(outcome(1)).toMatch(/offered|applying/)
  })

  it('is not offered any more once it was taken back, though nobody looked at the agent yet', async () => {
    const { fleet, agents, release } = await midway()
    await using _ = fleet
    agents[0]?.stop()
    await fleet.clock.advanceAsync(1_000)
    await release(1)
    fleet.rollouts.to('all', 'rollingBack')
    agents[0]?.start()
    await fleet.clock.advanceAsync(APPLY_MS)
    expect(agents[0]?.tally.offers).toHaveLength(1)
  })
})

describe('the first revision of a group, taken back', () => {
  async function first(hadBefore: boolean) {
    const fleet = await TestFleet.open()
    fleet.config('base@1', GOOD)
    fleet.config('new@1', BETTER)
    const agents = await Promise.all([1, 2].map((index) => fleet.connected(index)))
    if (hadBefore) {
      await fleet.setGroups({ name: 'old', configs: ['base@1'] })
      await fleet.clock.advanceAsync(APPLY_MS)
    }
    const ids = await Promise.all([1, 2].map((index) => idOf(fleet, index)))
    fleet.rollouts.start('new', null, 1, ids)
    await fleet.setRevisions({ current: null, revisions: [{ name: 'new', configs: ['new@1'] }] })
    fleet.rollouts.move('new', ids[0] ?? '', 'released')
    fleet.agents.fleet.reconsider(ids)
    await fleet.agents.settled()
    await fleet.clock.advanceAsync(APPLY_MS)
    fleet.rollouts.to('new', 'rollingBack')
    fleet.agents.fleet.reconsider(ids)
    await fleet.agents.settled()
    await fleet.clock.advanceAsync(APPLY_MS)
    const offers = () => agents.map((agent) => agent.tally.offers)
    return { fleet, agents, ids, offers, outcome: (index: number) => fleet.agents.fleet.outcome(ids[index - 1] ?? '', 'new') }
  }

  it('brings the last good configuration back to who had it, and touches nobody else', async () => {
    const { fleet, offers, outcome } = await first(true)
    await using _ = fleet
    const [released = [], other = []] = offers()
    expect(other).toHaveLength(1)
    expect(released).toHaveLength(3)
    expect(released[2]).toBe(released[0])
    expect([outcome(1), outcome(2)]).toEqual(['applied', 'applied'])
    expect(await detail(fleet, 1)).toMatchObject({ configState: 'applied', groups: [] })
    const { data } = await fleet.call(agentRoutes.getDesiredConfig, { params: params(1) })
    expect(data).toMatchObject({ hash: released[0], reason: expect.stringContaining('Group new took revision 1 back and gives it nothing') })
    expect(data.files[0]?.body).toBe(GOOD)
  })

  it('brings the baseline without pipelines to who never had anything else', async () => {
    const { fleet, agents, offers } = await first(false)
    await using _ = fleet
    expect(offers().map((all) => all.length)).toEqual([2, 0])
    expect(agents[0]?.healthy).toBe(true)
    const { data } = await fleet.call(agentRoutes.getEffectiveConfig, { params: params(1) })
    expect(data.files[0]?.body).toContain('nop')
    // It stays there over a restart, and is not offered again.
    await fleet.stop()
    await fleet.start()
    await fleet.clock.advanceAsync(60_000)
    expect(offers().map((all) => all.length)).toEqual([2, 0])
  })
})

describe('rollouts are told', () => {
  it('which groups select an agent by any revision, once for each change', async () => {
    await using fleet = await TestFleet.open()
    fleet.config('base@1', GOOD)
    const ber = { name: 'site', selector: 'label.site = ber', configs: ['base@1'] }
    await fleet.setRevisions({ current: 1, revisions: [ber, { ...ber, revision: 2, selector: 'label.site in (ber, ham)' }] })
    await fleet.connected(1)
    const id = await idOf(fleet, 1)
    const set = async (site: string) => {
      const { etag = '' } = await fleet.call(agentRoutes.getAgent, { params: params(1) })
      await fleet.call(agentRoutes.setLabels, { params: params(1), body: { labels: { site } }, ifMatch: etag })
    }
    await set('ham')
    // By the revision that it is given it is no member, and people do not see it there.
    expect((await detail(fleet, 1)).groups).toEqual([])
    await set('ber')
    expect((await detail(fleet, 1)).groups).toEqual(['site'])
    await set('muc')
    expect(fleet.rollouts.memberships.filter(({ agentId }) => agentId === id).map(({ groups }) => groups)).toEqual([[], ['site'], []])
  })

  it('when something is heard of an agent, but nothing for an unchanged heartbeat', async () => {
    await using fleet = await TestFleet.open()
    fleet.config('base@1', GOOD)
    await fleet.setGroups(one)
    const agent = await fleet.connected(1)
    await fleet.clock.advanceAsync(60_000)
    const id = await idOf(fleet, 1)
    const { calls } = fleet.rollouts
    const operations = { ...fleet.operations }
    const received = agent.tally.messagesSent
    await fleet.clock.advanceAsync(600_000)
    expect(agent.tally.messagesSent).toBeGreaterThan(received + 10)
    expect(fleet.rollouts.calls).toBe(calls)
    expect(fleet.operations).toEqual(operations)
    fleet.rollouts.changed.length = 0
    agent.setHealth(false, 'x')
    await fleet.clock.advanceAsync(10)
    expect(fleet.rollouts.changed).toEqual([id])
    expect(fleet.agents.fleet.agent(id)).toMatchObject({ healthy: false, offlineSince: null, name: agentTraits(1).nonIdentifying['host.name'] })
    agent.stop()
    await fleet.clock.advanceAsync(10)
    expect(fleet.rollouts.changed.length).toBeGreaterThan(1)
    expect(fleet.agents.fleet.agent(id)?.offlineSince).toBeGreaterThan(0)
    await fleet.call(agentRoutes.forgetAgent, { params: params(1) })
    expect(fleet.rollouts.forgotten).toEqual([id])
    expect(fleet.agents.fleet.agent(id)).toBeUndefined()
    expect(fleet.agents.fleet.outcome(id, 'all')).toBe('none')
  })

  it('that everybody is away since a restart of the server', async () => {
    await using fleet = await TestFleet.open()
    const agent = await fleet.connected(1)
    agent.kill()
    await fleet.stop()
    await fleet.clock.advanceAsync(5_000)
    const restarted = fleet.clock.now()
    await fleet.start()
    expect([...fleet.agents.fleet.agents()].map(({ offlineSince }) => offlineSince)).toEqual([restarted])
  })
})

describe('drift', () => {
  it('is compared when somebody asks, and told when it is known', async () => {
    const { fleet, ids } = await midway()
    await using _ = fleet
    const [id = ''] = ids
    expect(fleet.agents.fleet.agent(id)?.drifted).toBeNull()
    fleet.rollouts.changed.length = 0
    const told = Promise.withResolvers<void>()
    fleet.rollouts.onAgentChanged = (agentId) => void (agentId === id && told.resolve())
    await told.promise
    expect(fleet.agents.fleet.agent(id)?.drifted).toBe(false)
  })
})

describe('the reason of what an agent has', () => {
  it('tells of a rollout that has not come to it, that came, and that was taken back', async () => {
    const { fleet, ids, release } = await midway()
    await using _ = fleet
    const reason = async (index: number) => (await fleet.call(agentRoutes.getDesiredConfig, { params: params(index) })).data.reason
    expect(await reason(1)).toContain('Group all gives it revision 1; revision 2 is on its way: wave 1 of 3, and it is in wave 2.')
    await release(1)
    expect(await reason(1)).toContain('Group all gives it revision 2, which is on its way to the others: wave 1 of 3.')
    fleet.rollouts.to('all', 'stopped')
    expect(await reason(2)).toContain('Group all gives it revision 1; the rollout of revision 2 was stopped before it came here.')
    fleet.rollouts.to('all', 'rolledBack')
    fleet.agents.fleet.reconsider(ids)
    await fleet.agents.settled()
    expect(await reason(1)).toContain('Group all took revision 2 back and gives it revision 1.')
    fleet.rollouts.end('all')
    expect(await reason(1)).not.toContain('revision')
  })
})
