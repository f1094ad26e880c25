/** kill -9 at any point of a rollout: it ends as it would have ended, with nothing done twice, too early, or left out. */
import { expect, it } from 'vitest'
import { createTemporaryFolder } from '../harness/index.ts'
import { integrityOf } from './integrity.ts'
import { measures } from './rollout-course.ts'
import { CrashFleet, stories } from './rollout-fleet.ts'
import type { Story, Told } from './rollout-fleet.ts'

/** 12 in `npm test`; 300 are close enough to each other to be in each moment of it. */
const runs = Number(process.env['DROVER_CRASH_RUNS'] ?? 12)
/** `2/4`: the second quarter of them, spread as all are, so that many can be done side by side. */
const [part = 1, parts = 1] = (process.env['DROVER_CRASH_PART'] ?? '1/1').split('/').map(Number)
const runLimitMs = 120_000

interface Kill {
  readonly story: Story
  readonly measure: (typeof measures)[number]
  /** Of the length of a rollout that nobody kills. */
  readonly share: number
}

/** As many in each story by each measure, evenly over its length. */
function spread(): readonly Kill[] {
  const kinds = stories.flatMap((story) => measures.map((measure) => ({ story, measure })))
  const rounds = Math.ceil(runs / kinds.length)
  const all = Array.from({ length: rounds }, (_, round) => kinds.map((kind) => ({ ...kind, share: (round + 0.5) / rounds })))
  return all.filter((_, round) => round % parts === part - 1).flat()
}

const kills = spread()

it(`ends a rollout as if it had not been killed (${kills.length} times)`, { timeout: (kills.length + 3) * runLimitMs }, async () => {
  await using folder = await createTemporaryFolder()
  await using fleet = await CrashFleet.start(folder.path)
  const ends = new Map<Story, Told['end']>()
  const lengths = new Map<Story, NonNullable<Told['length']>>()
  for (const story of stories) {
    const { faults, end, length } = await fleet.tell(story)
    expect({ faults, state: end.state }).toEqual({ faults: [], state: story })
    ends.set(story, end)
    if (length !== undefined) lengths.set(story, length)
  }
  const tally = new Map<string, number>()
  let repeats = 0
  for (const [index, { story, measure, share }] of kills.entries()) {
    const length = lengths.get(story)?.[measure] ?? 0
    const at = length * share
    const what = `kill ${index + 1}, ${story}, ${measure} ${Math.round(at)} of ${Math.round(length)}`
    const told = await fleet.tell(story, { measure, at }).catch((error: unknown) => {
      throw new Error(what, { cause: error })
    })
    expect({ what, faults: told.faults, end: told.end }).toEqual({ what, faults: [], end: ends.get(story) })
    const { killedWhile = '' } = told
    // It was quicker than the one before, so the points of those after it move closer to each other.
    if (told.length !== undefined) lengths.set(story, told.length)
    tally.set(killedWhile, (tally.get(killedWhile) ?? 0) + 1)
    repeats += told.repeats
  }
  const where = [...tally].toSorted((a, b) => b[1] - a[1]).map(([words, count]) => `${count} ${words}`)
  console.info(`${kills.length} kills, all ends the same; ${repeats} offers repeated on a new connection, none otherwise. While: ${where.join(', ')}`)
  expect(await fleet.stop()).toBe('exit code 0')
  expect(await integrityOf(fleet.dataDir)).toEqual(['ok'])
})
