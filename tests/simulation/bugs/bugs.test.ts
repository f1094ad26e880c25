/** The simulation is worth what it finds: each known bug, planted, breaks a promise. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { plant, plantedBugs } from './bugs.ts'
import { seek } from './hunt.ts'

const root = new URL('../../../', import.meta.url)

describe('the simulation', () => {
  it.for(plantedBugs.filter(({ missed }) => missed === undefined))('finds the bug: $name', async ({ name }, { signal }) => {
    expect(await seek(name, signal)).not.toBeNull()
  })

  it('knows the place of the one that it does not find', () => {
    const missed = plantedBugs.filter((bug) => bug.missed !== undefined)
    expect(missed).toHaveLength(1)
    for (const bug of missed) expect(plant(bug, readFileSync(new URL(bug.file, root), 'utf8'))).toContain(bug.replace)
  })
})
