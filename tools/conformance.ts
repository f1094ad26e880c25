/** Writes docs/conformance.md from the requirement list, the ids in test names and conformance-plan.ts; `--check` compares only. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { provenSides, sidePlans } from './conformance-plan.ts'
import type { Side } from './conformance-plan.ts'
import { isMain, repositoryRoot } from './repository.ts'

export interface Requirement {
  readonly id: string
  readonly role: Side | 'both'
  readonly level: string
  readonly maturity: string
  readonly chapter: string
  readonly section: string
  readonly text: string
}

/** Where the specification leaves room, and how it is read here. */
export interface Reading {
  readonly id: string
  readonly where: string
  readonly reading: string
}

export interface Catalogue {
  readonly specification: string
  readonly requirements: readonly Requirement[]
  readonly readings: readonly Reading[]
}

/** A test that names requirement ids. */
export interface NamedTest {
  readonly file: string
  readonly name: string
  readonly ids: readonly string[]
}

export type Standing =
  | { readonly state: 'done'; readonly tests: readonly NamedTest[] }
  | { readonly state: 'by design'; readonly reason: string }
  | { readonly state: 'otherwise'; readonly reason: string }
  | { readonly state: 'later'; readonly reason: string }
  | { readonly state: 'missing' }

/** What the programs of each side advertise. */
export type Advertised = Readonly<Record<Side, ReadonlySet<string>>>

const sides: readonly Side[] = ['server', 'client']

// Within one line, so that an apostrophe in a comment spoils at most its own line.
const stringPattern = /(['"`])((?:\\.|(?!\1)[^\\\n])*?)\1/g
const idPattern = /\[([A-Z][A-Z0-9]*(?:-[A-Z]+)?-\d+)\]/g

/** The tests of one file that name ids; an id stands in brackets in the test's name, or beside the title of a scenario. */
export function findNamedTests(file: string, text: string): readonly NamedTest[] {
  return [...text.matchAll(stringPattern)].flatMap((match) => {
    const literal = match[2] ?? ''
    const ids = [...literal.matchAll(idPattern)].map(([, id = '']) => id)
    const name = literal.replaceAll(idPattern, '').trim()
    return ids.length === 0 ? [] : [{ file, name: (name === '' ? titleBefore(text, match.index) : name).replaceAll(/\\(.)/g, '$1'), ids }]
  })
}

/** A scenario has its ids beside its title. */
function titleBefore(text: string, index: number): string {
  return [...text.slice(0, index).matchAll(/\btitle: (['"`])(.*)\1/g)].at(-1)?.[2] ?? ''
}

/** Whose duties the tests of a file can show. */
export function sidesOf(file: string): readonly Side[] {
  return provenSides.find(({ path }) => file.startsWith(path))?.sides ?? []
}

/** How a requirement stands for one side. A test counts more than the plan, so that the plan cannot hide what is proven. */
export function standingOf(id: string, side: Side, tests: readonly NamedTest[]): Standing {
  const { byDesign, departures, later } = sidePlans[side]
  const proving = tests.filter(({ file, ids }) => ids.includes(id) && sidesOf(file).includes(side))
  if (proving.length > 0) return { state: 'done', tests: proving }
  const reason = byDesign[id]
  if (reason !== undefined) return { state: 'by design', reason }
  const departure = departures[id]
  if (departure !== undefined) return { state: 'otherwise', reason: departure }
  const postponed = later.find(({ prefix }) => (prefix.endsWith('-') ? id.startsWith(prefix) : id === prefix))
  return postponed === undefined ? { state: 'missing' } : { state: 'later', reason: postponed.reason }
}

/** Ids in test names, and in the plan, that the catalogue does not have. */
export function unknownIds(catalogue: Catalogue, tests: readonly NamedTest[]): readonly string[] {
  const known = new Set([...catalogue.requirements, ...catalogue.readings].map(({ id }) => id))
  const fromTests = tests.flatMap((test) =>
    test.ids.filter((id) => !known.has(id)).map((id) => `${test.file}: "${test.name}" names ${id}, which is not in docs/conformance/requirements.json`),
  )
  const planned = Object.values(sidePlans).flatMap((plan) => [
    ...Object.keys(plan.byDesign),
    ...Object.keys(plan.departures),
    ...Object.values(plan.capabilityDuties).flat(),
  ])
  const fromPlan = planned.filter((id) => !known.has(id))
  return [...fromTests, ...fromPlan.map((id) => `tools/conformance-plan.ts: ${id} is not in docs/conformance/requirements.json`)]
}

/** Tests that claim to show a duty of a side that they do not exercise. */
export function strayProofs(catalogue: Catalogue, tests: readonly NamedTest[]): readonly string[] {
  const roles = new Map(catalogue.requirements.map(({ id, role }) => [id, role]))
  return tests.flatMap(({ file, name, ids }) =>
    ids.flatMap((id) => {
      const role = roles.get(id)
      const shown = sidesOf(file)
      const counts = role === undefined || (role === 'both' ? shown.length > 0 : shown.includes(role))
      return counts
        ? []
        : [`${file}: "${name}" names ${id}, a duty of ${role === 'both' ? 'both sides' : `the ${role}`}, which tests in this place do not show`]
    }),
  )
}

/** Duties that no test shows and that the plan has no word on. */
export function openDutiesOf(catalogue: Catalogue, tests: readonly NamedTest[]): readonly string[] {
  return sides.flatMap((side) =>
    dutiesOf(catalogue, side)
      .filter(({ id }) => standingOf(id, side, tests).state === 'missing')
      .map(({ id, text }) => `${id} (${side}): no test shows it, and tools/conformance-plan.ts gives no reason: ${text}`),
  )
}

const meanings: Readonly<Record<Standing['state'], string>> = {
  done: 'a test proves it',
  'by design': 'cannot be tested; the reason is given',
  otherwise: 'a recommendation or a permission that is not followed, with the reason',
  later: 'its feature does not exist yet and is not advertised',
  missing: 'applies today and no test shows it',
}

/** The page as Markdown. */
export function conformancePage(catalogue: Catalogue, tests: readonly NamedTest[], advertised: Advertised): string {
  const counts = Object.fromEntries(sides.map((side) => [side, countStandings(catalogue, side, tests)]))
  const states = Object.keys(meanings) as Standing['state'][] // as: the keys of the record above
  return [
    '# Conformance',
    '',
    '<!-- Written by tools/conformance.ts from docs/conformance/requirements.json and the ids in test names. Do not edit. -->',
    '',
    `What the OpAMP specification (${catalogue.specification}) asks of each side, in our words, and which test shows it. A test names the requirements it proves`,
    'in brackets. A requirement on both sides is listed twice and has to be shown twice: what proves it for the server says nothing about the client.',
    '',
    '| State | Server | Client | Meaning |',
    '|---|---:|---:|---|',
    ...states.map((state) => `| ${state} | ${counts['server']?.get(state) ?? 0} | ${counts['client']?.get(state) ?? 0} | ${meanings[state]} |`),
    '',
    ...sidePart(catalogue, 'server', 'The server: control plane and server SDK', tests, advertised.server),
    ...sidePart(catalogue, 'client', 'The client: supervisor and client SDK', tests, advertised.client),
    '## Readings',
    '',
    'Where the specification leaves room or contradicts itself, and what Drover does.',
    '',
    '| ID | Where | Reading | Shown by |',
    '|---|---|---|---|',
    ...catalogue.readings.map(({ id, where, reading }) => `| ${id} | ${where} | ${reading} | ${testList(tests.filter((test) => test.ids.includes(id)))} |`),
    '',
  ].join('\n')
}

const dutiesOf = (catalogue: Catalogue, side: Side) => catalogue.requirements.filter(({ role }) => role === side || role === 'both')

function countStandings(catalogue: Catalogue, side: Side, tests: readonly NamedTest[]): ReadonlyMap<Standing['state'], number> {
  const counts = new Map<Standing['state'], number>()
  for (const { id } of dutiesOf(catalogue, side)) {
    const { state } = standingOf(id, side, tests)
    counts.set(state, (counts.get(state) ?? 0) + 1)
  }
  return counts
}

function sidePart(catalogue: Catalogue, side: Side, title: string, tests: readonly NamedTest[], advertised: ReadonlySet<string>): readonly string[] {
  const duties = dutiesOf(catalogue, side)
  return [
    `## ${title}`,
    '',
    '| Capability | Advertised | Fulfilled | Rests on |',
    '|---|---|---|---|',
    ...Object.entries(sidePlans[side].capabilityDuties).map(([name, ids]) => capabilityRow(name, side, ids, advertised, tests)),
    '',
    ...[...new Set(duties.map(({ chapter }) => chapter))].flatMap((chapter) => [
      `### ${side === 'server' ? 'Server' : 'Client'}: ${chapter}`,
      '',
      '| ID | Role | Level | Requirement | State | Shown by |',
      '|---|---|---|---|---|---|',
      ...duties.filter((duty) => duty.chapter === chapter).map((duty) => requirementRow(duty, standingOf(duty.id, side, tests))),
      '',
    ]),
  ]
}

const openDuties = (side: Side, ids: readonly string[], tests: readonly NamedTest[]) =>
  ids.filter((id) => !['done', 'by design'].includes(standingOf(id, side, tests).state))

function capabilityRow(name: string, side: Side, ids: readonly string[], advertised: ReadonlySet<string>, tests: readonly NamedTest[]): string {
  const open = openDuties(side, ids, tests)
  const fulfilled = ids.length === 0 ? 'not started' : open.length === 0 ? 'yes' : `not shown: ${open.join(', ')}`
  return `| ${name} | ${advertised.has(name) ? 'yes' : 'no'} | ${fulfilled} | ${ids.join(', ')} |`
}

function requirementRow(requirement: Requirement, standing: Standing): string {
  const shown = standing.state === 'done' ? testList(standing.tests) : standing.state === 'missing' ? '' : standing.reason
  const level = requirement.maturity === 'core' ? requirement.level : `${requirement.level} (${requirement.maturity})`
  return `| ${requirement.id} | ${requirement.role} | ${level} | ${requirement.text} | ${standing.state} | ${shown} |`
}

const listedTests = 3

function testList(tests: readonly NamedTest[]): string {
  const lines = tests.slice(0, listedTests).map(({ file, name }) => `\`${file}\` › ${name.replaceAll('|', '\\|')}`)
  return [...lines, ...(tests.length > listedTests ? [`and ${tests.length - listedTests} more`] : [])].join('<br>')
}

/** Capabilities that are advertised although a duty of theirs is not shown, which must never be. */
export function emptyPromises(advertised: Advertised, tests: readonly NamedTest[]): readonly string[] {
  return sides.flatMap((side) =>
    [...advertised[side]].flatMap((name) => {
      const duties = sidePlans[side].capabilityDuties[name] ?? []
      if (duties.length === 0) return [`${name} is advertised, but tools/conformance-plan.ts knows no requirement that it rests on`]
      const open = openDuties(side, duties, tests)
      return open.length === 0 ? [] : [`${name} is advertised, but no test shows ${open.join(', ')}`]
    }),
  )
}

/** Scenarios are tests that a test file runs with more than one program. */
const isTestFile = (path: string) => /\.test\.tsx?$|^tests\/interop\/supervisor\/scenarios\/.*\.ts$/.test(path)

function readTests(root: string): readonly NamedTest[] {
  const files = ['libs', 'apps', 'tests'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !/node_modules/.test(entry.parentPath))
      .map((entry) => relative(root, resolve(entry.parentPath, entry.name)))
      .filter(isTestFile),
  )
  return files.toSorted().flatMap((file) => findNamedTests(file, readFileSync(join(root, file), 'utf8')))
}

function readAdvertised(root: string, side: Side): ReadonlySet<string> {
  const { advertisedIn, capabilityDuties } = sidePlans[side]
  const folder = join(root, advertisedIn.folder)
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .flatMap((name) => [...readFileSync(join(folder, name), 'utf8').matchAll(advertisedIn.pattern)])
    .flatMap(([, ...groups]) => [...groups.join(' ').matchAll(/'(\w+)'/g)].map(([, name = '']) => name))
  return new Set(names.filter((name) => name in capabilityDuties))
}

function main(): void {
  const page = join(repositoryRoot, 'docs', 'conformance.md')
  const catalogue = JSON.parse(readFileSync(join(repositoryRoot, 'docs', 'conformance', 'requirements.json'), 'utf8')) as Catalogue
  const tests = readTests(repositoryRoot)
  const advertised = { server: readAdvertised(repositoryRoot, 'server'), client: readAdvertised(repositoryRoot, 'client') }
  const complaints = [...unknownIds(catalogue, tests), ...strayProofs(catalogue, tests), ...openDutiesOf(catalogue, tests), ...emptyPromises(advertised, tests)]
  const text = conformancePage(catalogue, tests, advertised)
  if (!process.argv.includes('--check')) writeFileSync(page, text)
  else if (!isSame(page, text)) complaints.push('docs/conformance.md is not up to date: run node tools/conformance.ts')
  for (const complaint of complaints) process.stdout.write(`${complaint}\n`)
  process.exitCode = complaints.length > 0 ? 1 : 0
}

function isSame(page: string, text: string): boolean {
  try {
    return readFileSync(page, 'utf8') === text
  } catch {
    return false
  }
}

if (isMain(import.meta.url)) main()
