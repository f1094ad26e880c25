/** How the conformance page is made. */
import { describe, expect, it } from 'vitest'
import { conformancePage, emptyPromises, findNamedTests, openDutiesOf, sidesOf, standingOf, strayProofs, unknownIds } from './conformance.ts'
import { sidePlans } from './conformance-plan.ts'

const requirement = (id: string, role: 'server' | 'client' | 'both' = 'server') => ({
  id,
  role,
  level: 'MUST',
  maturity: 'core',
  chapter: 'Chapter',
  section: 'Section',
  text: `Text of ${id}.`,
})
const shownBy =
  (file: string) =>
  (...ids: readonly string[]) => ({ file, name: 'does it', ids })
const inServer = shownBy('libs/server/src/a.test.ts')
const inClient = shownBy('libs/client/src/a.test.ts')
const inProtocol = shownBy('libs/protocol/src/a.test.ts')
const catalogue = {
  specification: 'spec',
  requirements: [requirement('ST-05'), requirement('P-01'), requirement('ST-01', 'client'), requirement('CM-01', 'both')],
  readings: [{ id: 'T-08', where: 'Where', reading: 'How' }],
}
const none = { server: new Set<string>(), client: new Set<string>() }

describe('findNamedTests', () => {
  it('takes the ids out of test names', () => {
    const text = "it('asks for the full state [SC-04] [SC-05]', () => {})\ndescribe(`frames [B-WS-02]`, f)\nit('has none', g)"
    expect(findNamedTests('a.test.ts', text)).toEqual([
      { file: 'a.test.ts', name: 'asks for the full state', ids: ['SC-04', 'SC-05'] },
      { file: 'a.test.ts', name: 'frames', ids: ['B-WS-02'] },
    ])
  })

  it('takes ids that stand beside the title of a scenario', () => {
    const text = "{ title: 'It comes back', shows: '[HL-01] [HL-02]' }, { title: 'It is there', shows: '[AD-04]' }".replaceAll(', ', ',\n')
    expect(findNamedTests('a.ts', text)).toEqual([
      { file: 'a.ts', name: 'It comes back', ids: ['HL-01', 'HL-02'] },
      { file: 'a.ts', name: 'It is there', ids: ['AD-04'] },
    ])
  })

  it('is not led astray by an apostrophe in a comment or by other brackets', () => {
    expect(findNamedTests('a.test.ts', '// the agent\'s word\nit("keeps the agent\'s word [ST-05]", f)\nconst list = x[KEY-1]')).toEqual([
      { file: 'a.test.ts', name: "keeps the agent's word", ids: ['ST-05'] },
    ])
  })
})

describe('sidesOf', () => {
  it('tells by the place of a test whose duties it shows', () => {
    expect(sidesOf('libs/protocol/src/frame.test.ts')).toEqual(['server', 'client'])
    expect(sidesOf('apps/supervisor/src/config/read.test.ts')).toEqual(['client'])
    expect(sidesOf('tests/conformance/client-status.test.ts')).toEqual(['client'])
    expect(sidesOf('tests/conformance/status.test.ts')).toEqual(['server'])
    expect(sidesOf('libs/testing/src/scripted-agent.test.ts')).toEqual([])
  })
})

describe('standingOf', () => {
  it('counts a test more than the plan', () => {
    expect(standingOf('P-01', 'server', [inServer('P-01')]).state).toBe('done')
    expect(standingOf('P-01', 'server', []).state).toBe('later')
    expect(standingOf('PS-03', 'server', []).state).toBe('later')
    expect(standingOf('HL-03', 'server', []).state).toBe('by design')
    expect(standingOf('B-WS-22', 'server', []).state).toBe('otherwise')
    expect(standingOf('ST-05', 'server', []).state).toBe('missing')
  })

  it('wants a duty of both sides shown for each, unless both run the same code', () => {
    expect(standingOf('CM-01', 'client', [inServer('CM-01')]).state).toBe('missing')
    expect(standingOf('CM-01', 'server', [inClient('CM-01')]).state).toBe('missing')
    expect(standingOf('CM-01', 'client', [inServer('CM-01'), inClient('CM-01')])).toEqual({ state: 'done', tests: [inClient('CM-01')] })
    for (const side of ['server', 'client'] as const) expect(standingOf('CM-01', side, [inProtocol('CM-01')]).state).toBe('done')
  })
})

describe('the page', () => {
  const page = conformancePage(catalogue, [inServer('ST-05', 'T-08', 'CM-01'), inClient('ST-01')], none)
  const [server, client] = page.slice(page.indexOf('## The server')).split('## The client')

  it('has the duties of each side with their tests, and the readings', () => {
    expect(server).toContain('| ST-05 | server | MUST | Text of ST-05. | done | `libs/server/src/a.test.ts` › does it |')
    expect(server).toContain('| P-01 | server | MUST | Text of P-01. | later | packages are not offered yet |')
    expect(client).toContain('| ST-01 | client | MUST | Text of ST-01. | done | `libs/client/src/a.test.ts` › does it |')
    expect(server).not.toContain('Text of ST-01')
    expect(client).not.toContain('Text of ST-05')
    expect(page).toContain('| T-08 | Where | How | `libs/server/src/a.test.ts` › does it |')
  })

  it('lists a duty of both sides twice, and counts it for each', () => {
    expect(server).toContain('| CM-01 | both | MUST | Text of CM-01. | done |')
    expect(client).toContain('| CM-01 | both | MUST | Text of CM-01. | missing |')
    expect(page).toContain('| done | 2 | 1 | a test proves it |')
    expect(page).toContain('| missing | 0 | 1 | applies today and no test shows it |')
  })
})

describe('what fails the check', () => {
  it('a test that names an id that does not exist', () => {
    expect(unknownIds(catalogue, [inServer('ST-05', 'ST-99')])[0]).toContain('names ST-99')
  })

  it('a test that names a duty of the other side, or stands where it can show none', () => {
    expect(strayProofs(catalogue, [inServer('ST-05', 'CM-01'), inClient('ST-01', 'CM-01'), inProtocol('ST-01', 'ST-05')])).toEqual([])
    expect(strayProofs(catalogue, [inServer('ST-01')])[0]).toContain('names ST-01, a duty of the client')
    expect(strayProofs(catalogue, [shownBy('libs/testing/src/a.test.ts')('CM-01')])[0]).toContain('names CM-01, a duty of both sides')
  })

  it('a duty that no test shows and that is not explained either, for each side by itself', () => {
    const complaints = openDutiesOf(catalogue, [inServer('ST-05', 'CM-01'), inClient('ST-01')])
    expect(complaints.map((text) => text.split(':')[0])).toEqual(['CM-01 (client)'])
    expect(openDutiesOf(catalogue, [inServer('ST-05', 'CM-01'), inClient('ST-01', 'CM-01')])).toEqual([])
  })

  it('a capability that is advertised without a test for each of its duties', () => {
    const tests = [inServer(...(sidePlans.server.capabilityDuties['AcceptsStatus'] ?? []))]
    expect(emptyPromises({ ...none, server: new Set(['AcceptsStatus']) }, tests)).toEqual([])
    expect(emptyPromises({ ...none, server: new Set(['AcceptsStatus']) }, [])[0]).toContain('AcceptsStatus is advertised, but no test shows CAP-10')
    expect(emptyPromises({ ...none, server: new Set(['OffersPackages']) }, tests)[0]).toContain('knows no requirement')
    expect(emptyPromises({ ...none, client: new Set(['AcceptsRestartCommand']) }, [inServer('S2A-08')])[0]).toContain('no test shows S2A-08')
  })
})
