/** How the conformance page is made. */
import { describe, expect, it } from 'vitest'
import { conformancePage, emptyPromises, findNamedTests, standingOf, unknownIds } from './conformance.ts'
import { capabilityDuties } from './conformance-plan.ts'

const requirement = (id: string, role: 'server' | 'client' | 'both' = 'server') => ({
  id,
  role,
  level: 'MUST',
  maturity: 'core',
  chapter: 'Chapter',
  section: 'Section',
  text: `Text of ${id}.`,
})
const named = (...ids: readonly string[]) => ({ file: 'a.test.ts', name: 'does it', ids })
const catalogue = {
  specification: 'spec',
  requirements: [requirement('ST-05'), requirement('P-01'), requirement('X-01', 'client')],
  readings: [{ id: 'T-08', where: 'Where', reading: 'How' }],
}

describe('findNamedTests', () => {
  it('takes the ids out of test names', () => {
    const text = "it('asks for the full state [SC-04] [SC-05]', () => {})\ndescribe(`frames [B-WS-02]`, f)\nit('has none', g)"
    expect(findNamedTests('a.test.ts', text)).toEqual([
      { file: 'a.test.ts', name: 'asks for the full state', ids: ['SC-04', 'SC-05'] },
      { file: 'a.test.ts', name: 'frames', ids: ['B-WS-02'] },
    ])
  })

  it('is not led astray by an apostrophe in a comment or by other brackets', () => {
    expect(findNamedTests('a.test.ts', '// the agent\'s word\nit("keeps the agent\'s word [ST-05]", f)\nconst list = x[KEY-1]')).toEqual([
      { file: 'a.test.ts', name: "keeps the agent's word", ids: ['ST-05'] },
    ])
  })
})

describe('standingOf', () => {
  it('counts a test more than the plan', () => {
    expect(standingOf('P-01', [named('P-01')]).state).toBe('done')
    expect(standingOf('P-01', []).state).toBe('later')
    expect(standingOf('PS-03', []).state).toBe('later')
    expect(standingOf('HL-03', []).state).toBe('by design')
    expect(standingOf('B-WS-22', []).state).toBe('otherwise')
    expect(standingOf('ST-05', []).state).toBe('missing')
  })
})

describe('the page', () => {
  it('has server rows with their tests, sums up the client, and lists readings', () => {
    const page = conformancePage(catalogue, [named('ST-05', 'T-08')], new Set())
    expect(page).toContain('| ST-05 | server | MUST | Text of ST-05. | done | `a.test.ts` › does it |')
    expect(page).toContain('| P-01 | server | MUST | Text of P-01. | later | packages are not offered yet |')
    expect(page).toContain('The 1 requirements of the client role are not started')
    expect(page).toContain('| T-08 | Where | How | `a.test.ts` › does it |')
    expect(page).not.toContain('Text of X-01')
  })
})

describe('what fails the check', () => {
  it('a test that names an id that does not exist', () => {
    expect(unknownIds(catalogue, [named('ST-05', 'ST-99')])[0]).toContain('names ST-99')
  })

  it('a capability that is advertised without a test for each of its duties', () => {
    const tests = [named(...(capabilityDuties['AcceptsStatus'] ?? []))]
    expect(emptyPromises(new Set(['AcceptsStatus']), tests)).toEqual([])
    expect(emptyPromises(new Set(['AcceptsStatus']), [])[0]).toContain('AcceptsStatus is advertised, but no test shows CAP-10')
    expect(emptyPromises(new Set(['OffersPackages']), tests)[0]).toContain('knows no requirement')
  })
})
