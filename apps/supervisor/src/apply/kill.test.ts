import { describe, expect, it } from 'vitest'
import { stateFileNames } from '../state/state-folder.ts'
import { type Behaviour, copyDisk, createDisk, createWorld, type Disk } from './test-world.ts'

const applyTimeoutMs = 5000
const names = Object.values(stateFileNames)

/** A disk on which `a` is the last good one. */
async function diskWithGood(): Promise<Disk> {
  const world = await createWorld()
  await world.offer('a')
  await world.pass(applyTimeoutMs + 600_000)
  return copyDisk(world.disk, names)
}

/** Lets a process live until its write number `writes` is cut off, and gives the disk that it leaves. */
async function liveUntilCut(disk: Disk, behaviour: Behaviour | 'nothing', writes: number): Promise<Disk> {
  const world = await createWorld({ disk })
  disk.writesLeft = writes
  await world.offer('b', behaviour)
  await world.pass(20_000)
  return disk
}

describe.each(['good', 'invalid', 'crashes', 'sick', 'crashes-after-6', 'killed-after-6', 'nothing'] as const)(
  'a supervisor killed at any write while it applies a configuration that is "%s"',
  (behaviour) => {
    it('leaves one whole configuration: the offered or the last good one', async () => {
      let wasCut = true
      let writes = 0
      for (; wasCut; writes++) {
        const disk = await liveUntilCut(await copyDisk(await diskWithGood(), names), behaviour, writes)
        wasCut = disk.isCut
        const next = await createWorld({ disk: await copyDisk(disk, names) })
        expect(
          next.agent.ran.map((text) => text.split('\n')[2] ?? 'nothing').every((text) => /^(a good|b |nothing)/.test(text)),
          `after ${writes} writes`,
        ).toBe(true)
        await next.pass(20_000)
        const running = next.running()
        const isOffered = behaviour === 'nothing' ? running === 'none' : behaviour === 'good' && running === 'b'
        expect(isOffered || running === 'a', `after ${writes} writes: ${running}, ${next.statuses.join('; ')}`).toBe(true)
        expect(next.agent.doubles).toBe(0)
        // What the Server hears of in the end fits what runs.
        if (next.statuses.at(-1) === 'b applied') expect(isOffered).toBe(true)
      }
      expect(writes).toBeGreaterThan(behaviour === 'invalid' ? 2 : 5)
    })

    it('comes to the same end when the server offers it again', async () => {
      for (let writes = 0; writes < 12; writes++) {
        const disk = await liveUntilCut(await copyDisk(await diskWithGood(), names), behaviour, writes)
        const next = await createWorld({ disk: await copyDisk(disk, names) })
        await next.pass(20_000)
        await next.offer('b', behaviour)
        await next.pass(20_000)
        const expected = behaviour === 'nothing' ? 'none' : behaviour === 'good' ? 'b' : 'a'
        expect(next.running(), `after ${writes} writes`).toBe(expected)
        expect(next.statuses.at(-1), `after ${writes} writes`).toMatch(expected === 'a' ? /^b failed/ : /^b applied/)
      }
    })
  },
)

it('keeps what it has when a stock supervisor without last working files wrote it', async () => {
  const first = await createWorld()
  await first.offer('a')
  await first.pass(applyTimeoutMs)
  const disk = createDisk()
  for (const name of [stateFileNames.persistentState, stateFileNames.received]) await disk.write(name, (await first.disk.read(name)) ?? new Uint8Array())
  const world = await createWorld({ disk })
  expect(world.running()).toBe('a')
  disk.writesLeft = 1
  await world.offer('b', 'crashes')
  const next = await createWorld({ disk: await copyDisk(disk, names) })
  expect(next.agent.ran[0]).toContain('a good')
})
