import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assign, createAssigner, type GroupRule } from './assignment.ts'
import { type DesiredFile, hashFiles, nothingDesired, renderDesired } from './desired.ts'
import { emptyLedger } from './ledger.ts'
import type { GivenRevision } from './rollout/revision-for.ts'
import { offerDecision } from './offer.ts'
import { parseSelector } from './selector.ts'
import { explain } from './why.ts'

const group = (name: string, priority: number, configs: readonly string[], selector = '*', revision = 1): GroupRule => ({
  name,
  selector: parseSelector(selector, 'group'),
  priority,
  revision,
  configs: configs.map((text) => {
    const [config = '', version = ''] = text.split('@')
    return { config, version: Number(version) }
  }),
})
const refs = (groups: readonly GroupRule[], attributes: Record<string, string> = {}) =>
  assign(groups, (key) => attributes[key]).refs.map(({ group, config, version }) => `${group}/${config}@${version}`)
const yaml = (name: string, body: string): DesiredFile => ({ name, contentType: 'text/yaml', body })

describe('assign', () => {
  it('puts lower priorities first, and of equal ones the earlier name', () => {
    expect(refs([group('high', 10, ['h@1']), group('b', 0, ['b@1']), group('a', 0, ['a@1']), group('low', -5, ['l@1'])])).toEqual([
      'low/l@1',
      'a/a@1',
      'b/b@1',
      'high/h@1',
    ])
  })

  it('takes only groups that select the agent', () => {
    const groups = [group('all', 0, ['base@1']), group('ber', 1, ['ber@1'], 'label.site = ber'), group('ham', 1, ['ham@1'], 'label.site = ham')]
    expect(assign(groups, (key) => (key === 'label.site' ? 'ber' : undefined)).groups).toEqual(['all', 'ber'])
    expect(refs(groups, { 'label.site': 'ham' })).toEqual(['all/base@1', 'ham/ham@1'])
  })

  it('counts a config version of two groups once, at its highest precedence', () => {
    const assignment = assign([group('all', 0, ['base@1', 'x@1']), group('top', 5, ['base@1'])], () => undefined)
    expect(assignment.refs.map(({ group, config }) => `${group}/${config}`)).toEqual(['all/x', 'top/base'])
    expect(assignment.skipped).toEqual([{ group: 'all', reason: 'base@1 is given by group top with higher precedence' }])
  })

  it('lets the group with the highest precedence choose the version of a config', () => {
    const assignment = assign([group('all', 0, ['base@3']), group('canary', 5, ['base@4'])], () => undefined)
    expect(assignment.refs).toEqual([{ group: 'canary', priority: 5, revision: 1, config: 'base', version: 4 }])
    expect(assignment.skipped).toEqual([{ group: 'all', reason: 'base@3 is replaced by base@4, given by group canary with higher precedence' }])
  })

  it('says which matching groups add nothing', () => {
    expect(assign([group('empty', 0, [])], () => undefined)).toMatchObject({
      groups: ['empty'],
      refs: [],
      skipped: [{ group: 'empty', reason: 'has no configs' }],
    })
  })

  it('has equal keys exactly for the same revisions of the same groups in the same order', () => {
    const key = (...groups: GroupRule[]) => assign(groups, () => undefined).key
    expect(key(group('a', 0, ['x@1']), group('b', 1, ['y@1']))).toBe(key(group('b', 9, ['y@1']), group('a', 0, ['x@1'], 'not exists(y)')))
    const keys = [key(), key(group('a', 0, ['x@1'])), key(group('a', 0, ['x@1'], '*', 2)), key(group('b', 0, ['x@1']))]
    const both = [key(group('a', 0, ['x@1']), group('b', 1, [])), key(group('a', 1, ['x@1']), group('b', 0, []))]
    expect(new Set([...keys, ...both]).size).toBe(6)
  })
})

describe('createAssigner', () => {
  const groups = [group('z', 0, ['z@1'], 'label.site = ber'), group('all', 0, ['base@1'])]
  const revised = (...rules: readonly GroupRule[]) =>
    [...Map.groupBy(rules, ({ name }) => name)].map(([name, own]) => ({ name, revisions: new Map(own.map((rule) => [rule.revision, { rule }])) }))
  const giving =
    (given: Readonly<Record<string, number | null>>, because: GivenRevision['because'] = 'target') =>
    (name: string): GivenRevision => ({ revision: given[name] ?? null, because })
  const first = giving({ z: 1, all: 1 })

  it('gives the same as assign, and one value to agents that get the same revisions', () => {
    const assigner = createAssigner(revised(...groups))
    const ber = assigner.assign((key) => (key === 'label.site' ? 'ber' : undefined), first)
    expect(ber).toEqual(assign(groups, (key) => (key === 'label.site' ? 'ber' : undefined)))
    expect(assigner.assign((key) => (key === 'label.site' ? 'ber' : 'other'), first)).toBe(ber)
    expect(assigner.assign(() => undefined, first)).not.toBe(ber)
  })

  it('takes selector, priority and configs from the revision that a group gives', () => {
    const assigner = createAssigner(
      revised(group('all', 5, ['base@1']), group('edge', 0, ['edge@1'], 'label.site = ber', 1), group('edge', 9, ['edge@2', 'more@1'], '*', 2)),
    )
    const refsOf = (lookup: (key: string) => string | undefined, edge: number | null) =>
      assigner.assign(lookup, giving({ all: 1, edge })).refs.map(({ group: of, revision, config, version }) => `${of}#${revision} ${config}@${version}`)
    const ber = (key: string) => (key === 'label.site' ? 'ber' : undefined)
    expect(refsOf(ber, 1)).toEqual(['edge#1 edge@1', 'all#1 base@1'])
    expect(refsOf(ber, 2)).toEqual(['all#1 base@1', 'edge#2 edge@2', 'edge#2 more@1'])
    // Its old selector does not choose this one, its new one does.
    expect(refsOf(() => undefined, 1)).toEqual(['all#1 base@1'])
    expect(refsOf(() => undefined, 2)).toEqual(['all#1 base@1', 'edge#2 edge@2', 'edge#2 more@1'])
    expect(refsOf(ber, null)).toEqual(['all#1 base@1'])
  })

  it('counts an agent to a group when any revision in use selects it, whatever it is given', () => {
    const assigner = createAssigner(
      revised(group('edge', 0, [], 'label.site = ber', 1), group('edge', 0, [], 'label.site = ham', 2), group('z', 0, [], 'exists(z)')),
    )
    const groupsOf = (site: string) => assigner.select((key) => (key === 'label.site' ? site : undefined)).groups
    expect([groupsOf('ber'), groupsOf('ham'), groupsOf('muc')]).toEqual([['edge'], ['edge'], []])
    expect(assigner.select(() => 'ber')).toBe(assigner.select(() => 'ber'))
  })

  it('remembers which groups took a change back, and which of them give nothing now', () => {
    const assigner = createAssigner(revised(group('new', 0, ['x@1']), group('old', 0, ['y@1'], 'exists(a)', 1), group('old', 0, ['y@2'], '*', 2)))
    const given = (name: string): GivenRevision => ({ revision: name === 'new' ? null : 1, because: 'back' })
    expect(assigner.assign(() => 'a', given)).toMatchObject({
      groups: ['old'],
      back: [
        { group: 'new', to: null },
        { group: 'old', to: 1 },
      ],
    })
    // What it goes back to never selected this agent: that is nothing as well.
    expect(assigner.assign((key) => (key === 'a' ? undefined : 'b'), given)).toMatchObject({ groups: [], back: [{ to: null }, { group: 'old', to: null }] })
    expect(assigner.assign(() => 'a', given).key).not.toBe(assigner.assign(() => 'a', giving({ old: 1 })).key)
  })
})

describe('renderDesired', () => {
  const bodies: Record<string, DesiredFile[]> = {
    'base@1': [yaml('base.yaml', 'exporters: {debug: {verbosity: basic}}\nservice: {extensions: [a]}\n')],
    'top@1': [
      yaml('b.yaml', 'exporters: {debug: {verbosity: detailed}}\n'),
      yaml('', 'service: {extensions: [b]}\n'),
      yaml('a.yaml', 'exporters: {debug: {verbosity: normal}}\n'),
    ],
    'empty@1': [],
  }
  const render = (...groups: GroupRule[]) =>
    renderDesired(
      assign(groups, () => undefined),
      ({ config, version }) => bodies[`${config}@${version}`] ?? [],
    )

  it('lets one file keep its name', () => {
    const desired = render(group('all', 0, ['base@1']))
    expect(desired.files).toEqual(bodies['base@1'])
    expect(desired.hash).toBe(hashFiles(bodies['base@1'] ?? []))
    expect(desired.overrides).toEqual([])
  })

  it('numbers several, so that the order of names is our precedence', () => {
    const desired = render(group('z-all', 0, ['base@1']), group('a-top', 1, ['top@1']))
    expect(desired.files.map(({ name }) => name)).toEqual(['000-z-all-base-base.yaml', '001-a-top-top-a.yaml', '002-a-top-top-b.yaml', '003-a-top-top'])
    expect(desired.merged).toBe('exporters:\n  debug:\n    verbosity: detailed\nservice:\n  extensions:\n    - a\n    - b\n')
    expect(desired.overrides).toEqual([{ path: 'exporters.debug.verbosity', winner: 2, losers: [0, 1] }])
    expect(desired.fragments[2]).toEqual({
      group: 'a-top',
      priority: 1,
      revision: 1,
      config: 'top',
      version: 1,
      file: '002-a-top-top-b.yaml',
      contentType: 'text/yaml',
      body: bodies['top@1']?.[0]?.body,
    })
    expect(desired.findings).toEqual([])
  })

  it('cuts names that would be too long for the agent', () => {
    const long = yaml(`${'x'.repeat(250)}.yaml`, 'a: 1')
    const desired = renderDesired(
      assign([group('g', 0, ['a@1', 'b@1'])], () => undefined),
      () => [long],
    )
    expect(desired.files.map(({ name }) => name.length)).toEqual([255, 255])
    expect(desired.findings).toEqual([])
  })

  it('desires nothing when no group gives anything', () => {
    expect(render()).toBe(nothingDesired)
    expect(render(group('all', 0, ['empty@1'])).hash).toBeNull()
  })

  it('has a hash that depends on what is offered and on nothing else', () => {
    const files = fc.uniqueArray(
      fc.record({ name: fc.string({ maxLength: 8 }), contentType: fc.constantFrom('', 'text/yaml'), body: fc.string({ maxLength: 20 }) }),
      { selector: ({ name }) => name, maxLength: 5 },
    )
    fc.assert(
      fc.property(files, fc.integer(), (list, seed) => {
        const shuffled = list.toSorted((a, b) => ((a.body.length * 31 + seed) % 7) - ((b.body.length * 31 + seed) % 7))
        const hash = hashFiles(list)
        expect(hash).toMatch(/^[0-9a-f]{64}$/)
        expect(hashFiles(shuffled)).toBe(hash)
        expect(hashFiles([...list, yaml('one more name', '')])).not.toBe(hash)
        expect(hashFiles(list.map((file) => ({ ...file, body: `${file.body}.` }))) === hash).toBe(list.length === 0)
      }),
    )
  })

  it('keeps the hash of an agent when a group that adds nothing comes or goes', () => {
    expect(render(group('all', 0, ['base@1']), group('other', 9, [])).hash).toBe(render(group('all', 0, ['base@1'], '*', 5)).hash)
  })
})

describe('explain', () => {
  const decide = (desired: string | null) =>
    offerDecision({ desired, accepts: true, reports: true, connected: true, complete: true, lastOffered: desired, ledger: emptyLedger, baseline: null })

  it('names what the agent should have and how far that is', () => {
    expect(
      explain(
        assign([group('all', 0, ['base@3']), group('top', 1, ['x@1'])], () => undefined),
        decide('aa'),
      ),
    ).toBe(
      'It should have base@3 (group all) and x@1 (group top), of which a later one wins over an earlier one. The configuration was offered; the agent has not answered yet.',
    )
  })

  it('says when no group matches, or the groups have nothing', () => {
    expect(
      explain(
        assign([], () => undefined),
        decide(null),
      ),
    ).toBe('No group gives this agent a configuration, so it keeps what it has.')
    expect(
      explain(
        assign([group('a', 0, []), group('b', 0, [])], () => undefined),
        decide(null),
      ),
    ).toBe('The groups a and b select this agent but have no configs. No group gives this agent a configuration, so it keeps what it has.')
  })
})
