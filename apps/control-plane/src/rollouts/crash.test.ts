/** The server is killed at each commit of a rollout, before it and after it, and started again: nobody can tell afterwards. */
import { presets } from '@drover/fleet'
import type { RolloutPlan } from '@drover/fleet'
import { describe, expect, it } from 'vitest'
import { TestRollouts } from './test-rollouts.ts'

const plan: RolloutPlan = {
  ...presets.standard,
  waves: [
    { kind: 'count', count: 2 },
    { kind: 'percent', percent: 100 },
  ],
  soakMs: 4_000,
  gates: [{ kind: 'health', limit: { maxCount: 0, maxPercent: 0, minSample: 1 } }],
  concurrency: 3,
  retries: { count: 1, delayMs: 2_000 },
  budget: { maxCount: 1, maxPercent: 0, minSample: 1 },
  times: { ...presets.standard.times, gateEveryMs: 2_000 },
}

/** What somebody does at a second; done again when the server died meanwhile and it was not done. */
type Deed = (test: TestRollouts) => Promise<void>
type Story = Readonly<Record<number, Deed>>

const stories: Readonly<Record<string, { readonly react: TestRollouts['fleet']['react']; readonly deeds: Story }>> = {
  'that completes although an agent fails at first': {
    react: (agent) => (agent.id.endsWith('3') && agent.failed.size === 0 && agent.labels['tried'] === undefined ? failOnce(agent.labels) : 'apply'),
    deeds: { 1: begin(2) },
  },
  'of a revision that nobody can work with': { react: (_, revision) => (revision === 2 ? 'fail' : 'apply'), deeds: { 1: begin(2) } },
  'that is taken back, from which agents cannot go back at first': {
    react: (agent, revision) => (revision === 1 && agent.labels['tried'] === undefined ? failOnce(agent.labels) : 'apply'),
    deeds: { 1: begin(2), 2: act('rollBack', 'rollingBack', 'rolledBack') },
  },
  'that another one takes over from': { react: () => 'apply', deeds: { 1: begin(2), 3: begin(3) } },
  'that a person pauses, resumes and rolls back': {
    react: () => 'apply',
    deeds: { 1: begin(2), 2: act('pause', 'paused'), 4: act('resume', 'soaking', 'running', 'waiting'), 10: act('rollBack', 'rollingBack', 'rolledBack') },
  },
}

function failOnce(labels: Record<string, string>): 'fail' {
  labels['tried'] = 'yes'
  return 'fail'
}

function begin(to: number): Deed {
  return async (test) => {
    test.nextId = `rol_${to}`
    const known = await test.store.read.selectFrom('rollouts').select('id').where('to_revision', '=', to).executeTakeFirst()
    if (known === undefined) await test.begin('all', to, { plan: structuredClone(plan) as never }) // as: the shape of the API is the same, without readonly
  }
}

function act(action: 'pause' | 'resume' | 'rollBack', ...done: readonly string[]): Deed {
  return async (test) => {
    if (!done.includes((await test.state('rol_2')).state)) await test.act('rol_2', action)
  }
}

async function tell({ react, deeds }: { react: TestRollouts['fleet']['react']; deeds: Story }, killAt: TestRollouts['killAt']) {
  await using test = await TestRollouts.open()
  test.fleet.add(9)
  test.fleet.react = react
  await test.group('all', 3)
  await test.give('all', 1)
  test.killAt = killAt
  const lastDeed = Math.max(...Object.keys(deeds).map(Number))
  for (let second = 0; second < 28; second++) {
    const deed = deeds[second]
    if (deed !== undefined) await Promise.race([deed(test), test.died])
    await test.pass(1_000)
    if (!test.isDead) {
      if (second > lastDeed && (await test.isQuiet())) break
      continue
    }
    await test.restart()
    await test.settle()
    if (deed !== undefined) await deed(test)
    await test.settle()
  }
  const rollouts = await test.store.read.selectFrom('rollouts').select(['id', 'state']).orderBy('seq').execute()
  return {
    killed: test.killed,
    commits: test.commits,
    end: {
      rollouts: await Promise.all(rollouts.map(async ({ id, state }) => ({ id, state, members: await test.members(id), decisions: await test.decisions(id) }))),
      events: (await test.events()).map(({ kind }) => kind),
      current: await test.current('all'),
      runs: [...test.fleet.all.values()].map(({ runs }) => runs.get('all')),
      offers: test.fleet.offers.toSorted(),
    },
  }
}

describe('a server that is killed', () => {
  for (const [name, story] of Object.entries(stories))
    for (const when of ['before', 'after'] as const)
      it(`${when} each commit of a rollout ${name} goes on where it was`, async () => {
        const whole = await tell(story, null)
        expect(whole.end.rollouts.at(-1)?.state).toMatch(/completed|rolledBack/)
        for (let commit = 1; commit <= whole.commits; commit++) {
          const told = await tell(story, { commit, when })
          expect({ commit, killed: told.killed, ...told.end }).toEqual({ commit, killed: 1, ...whole.end })
        }
      }, 60_000)
})
