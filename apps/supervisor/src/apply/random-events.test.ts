import fc from 'fast-check'
import { expect, it } from 'vitest'
import { stateFileNames } from '../state/state-folder.ts'
import { type Behaviour, copyDisk, createWorld, type World } from './test-world.ts'

const names = Object.values(stateFileNames)

/** A name stands for one configuration with one behaviour. */
const configs = {
  good1: 'good',
  good2: 'good',
  good3: 'good',
  bad1: 'invalid',
  bad2: 'unparsable',
  bad3: 'crashes',
  bad4: 'sick',
  bad5: 'crashes-after-6',
  bad6: 'unstartable',
  bad7: 'killed-after-7',
  empty: 'nothing',
} as const satisfies Record<string, Behaviour | 'nothing'>
type Name = keyof typeof configs
const configNames = Object.keys(configs) as Name[] // as: the keys of the literal above

type Happening =
  | { readonly kind: 'offer'; readonly name: Name }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'crash' | 'restart' | 'kill' | 'uid' }
  | { readonly kind: 'unhealthy' }
  | { readonly kind: 'telemetry'; readonly to: string }
  | { readonly kind: 'server'; readonly reachable: boolean }

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('offer' as const), name: fc.constantFrom(...configNames) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(1, 20, 300, 3000, 5000, 12_000, 70_000, 700_000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('crash' as const, 'restart' as const, 'kill' as const, 'uid' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('unhealthy' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('telemetry' as const), to: fc.constantFrom('http://one/', 'http://two/', 'http://sick/') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('server' as const), reachable: fc.boolean() }) },
)

async function happen(world: World, what: Happening): Promise<World> {
  switch (what.kind) {
    case 'offer':
      await world.offer(what.name, configs[what.name])
      return world
    case 'pass':
      await world.pass(what.ms)
      return world
    case 'crash':
      world.agent.crash()
      break
    case 'restart':
      world.driver.restartAgent()
      break
    case 'uid':
      world.driver.setInstanceUid((await createWorld()).folder.found.instanceUid)
      break
    case 'unhealthy':
      if (world.agent.running !== undefined) world.agent.sayHealth(false)
      break
    case 'telemetry':
      world.driver.setOwnTelemetry({ metrics: { endpoint: what.to, headers: [] } }).catch(() => undefined) // refused, or the process was killed
      break
    case 'server':
      world.driver.hearOfServer(what.reachable)
      break
    case 'kill':
      return createWorld({ disk: await copyDisk(world.disk, names) })
    default:
      return what satisfies never
  }
  await world.driver.whenIdle()
  return world
}

it('whatever happens ends with one agent, on the offered or on the last good configuration, and every status is for an offered hash', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { minLength: 1, maxLength: 25 }), async (happenings) => {
      let world = await createWorld()
      const offered = new Set<string>()
      const said: string[] = []
      for (const what of happenings) {
        if (what.kind === 'offer') offered.add(what.name)
        const before = world
        world = await happen(world, what)
        expect(before.agent.doubles).toBe(0)
        if (before !== world) said.push(...before.statuses)
      }
      // No more of it: everything that was begun comes to its end.
      await world.pass(700_000)
      said.push(...world.statuses)
      expect(world.driver.state.phase.kind).toBe('settled')
      for (const status of said) expect(offered).toContain(status.split(' ')[0])
      const good = world.driver.state.good.remote
      const name = good === undefined ? 'local' : Buffer.from(good.hash, 'hex').toString()
      expect(world.running()).toBe(name === 'empty' ? 'none' : name)
      if (name === 'local') return
      // What it came back to was applied once, and did not fail since.
      const verdicts = said.filter((status) => new RegExp(`^${name} (applied|failed)`).test(status))
      expect(verdicts.at(-1)).toBe(`${name} applied`)
      expect(configs[name as Name]).toMatch(/^(good|nothing)$/)
    }),
    { numRuns: 300, seed: 11 },
  )
})
