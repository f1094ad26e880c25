/** Writes docs/conformance.md from the requirement list, the ids in test names and conformance-plan.ts; `--check` compares only. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { advertisedIn, byDesign, capabilityDuties, departures, later } from './conformance-plan.ts'
import { isMain, repositoryRoot } from './repository.ts'

export interface Requirement {
  readonly id: string
  readonly role: 'server' | 'client' | 'both'
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

// Within one line, so that an apostrophe in a comment spoils at most its own line.
const stringPattern = /(['"`])((?:\\.|(?!\1)[^\\\n])*?)\1/g
const idPattern = /\[([A-Z][A-Z0-9]*(?:-[A-Z]+)?-\d+)\]/g

/** The tests of one file that name ids; an id stands in brackets in the test's name. */
export function findNamedTests(file: string, text: string): readonly NamedTest[] {
  return [...text.matchAll(stringPattern)].flatMap(([, , literal = '']) => {
    const ids = [...literal.matchAll(idPattern)].map(([, id = '']) => id)
    return ids.length === 0 ? [] : [{ file, name: literal.replaceAll(idPattern, '').replaceAll(/\\(.)/g, '$1').trim(), ids }]
  })
}

/** How a requirement stands. A test counts more than the plan, so that the plan cannot hide what is proven. */
export function standingOf(id: string, tests: readonly NamedTest[]): Standing {
  const proving = tests.filter((test) => test.ids.includes(id))
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
  const fromPlan = [...Object.keys(byDesign), ...Object.keys(departures), ...Object.values(capabilityDuties).flat()].filter((id) => !known.has(id))
  return [...fromTests, ...fromPlan.map((id) => `tools/conformance-plan.ts: ${id} is not in docs/conformance/requirements.json`)]
}

/** The page as Markdown. */
export function conformancePage(catalogue: Catalogue, tests: readonly NamedTest[], advertised: ReadonlySet<string>): string {
  const ours = catalogue.requirements.filter(({ role }) => role !== 'client')
  const client = catalogue.requirements.length - ours.length
  const standings = new Map(ours.map(({ id }) => [id, standingOf(id, tests)]))
  const count = (state: Standing['state']) => [...standings.values()].filter((standing) => standing.state === state).length
  return [
    '# Conformance',
    '',
    '<!-- Written by tools/conformance.ts from docs/conformance/requirements.json and the ids in test names. Do not edit. -->',
    '',
    `What the OpAMP specification (${catalogue.specification}) asks of a server, in our words, and which test shows it. A test names the requirements it proves in brackets.`,
    '',
    '| State | Requirements | Meaning |',
    '|---|---:|---|',
    `| done | ${count('done')} | a test proves it |`,
    `| by design | ${count('by design')} | cannot be tested; the reason is given |`,
    `| otherwise | ${count('otherwise')} | a recommendation that is not followed, with the reason |`,
    `| later | ${count('later')} | its feature does not exist yet and is not advertised |`,
    `| missing | ${count('missing')} | applies today and no test shows it |`,
    '',
    `The ${client} requirements of the client role are not started: Drover has no client of its own yet.`,
    '',
    '## Capabilities of the server',
    '',
    '| Capability | Advertised | Fulfilled | Rests on |',
    '|---|---|---|---|',
    ...Object.entries(capabilityDuties).map(([name, duties]) => capabilityRow(name, duties, advertised, tests)),
    '',
    ...chaptersOf(ours).flatMap((chapter) => [
      `## ${chapter}`,
      '',
      '| ID | Role | Level | Requirement | State | Shown by |',
      '|---|---|---|---|---|---|',
      ...ours
        .filter((requirement) => requirement.chapter === chapter)
        .map((requirement) => requirementRow(requirement, standings.get(requirement.id) ?? { state: 'missing' })),
      '',
    ]),
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

function capabilityRow(name: string, duties: readonly string[], advertised: ReadonlySet<string>, tests: readonly NamedTest[]): string {
  const open = duties.filter((id) => !['done', 'by design'].includes(standingOf(id, tests).state))
  const fulfilled = duties.length === 0 ? 'not started' : open.length === 0 ? 'yes' : `not shown: ${open.join(', ')}`
  return `| ${name} | ${advertised.has(name) ? 'yes' : 'no'} | ${fulfilled} | ${duties.join(', ')} |`
}

const chaptersOf = (requirements: readonly Requirement[]) => [...new Set(requirements.map(({ chapter }) => chapter))]

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
export function emptyPromises(advertised: ReadonlySet<string>, tests: readonly NamedTest[]): readonly string[] {
  return [...advertised].flatMap((name) => {
    const duties = capabilityDuties[name] ?? []
    if (duties.length === 0) return [`${name} is advertised, but tools/conformance-plan.ts knows no requirement that it rests on`]
    const open = duties.filter((id) => !['done', 'by design'].includes(standingOf(id, tests).state))
    return open.length === 0 ? [] : [`${name} is advertised, but no test shows ${open.join(', ')}`]
  })
}

function readTests(root: string): readonly NamedTest[] {
  const files = ['libs', 'apps', 'tests'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.test\.tsx?$/.test(entry.name) && !/node_modules/.test(entry.parentPath))
      .map((entry) => relative(root, resolve(entry.parentPath, entry.name))),
  )
  return files.toSorted().flatMap((file) => findNamedTests(file, readFileSync(join(root, file), 'utf8')))
}

function readAdvertised(root: string): ReadonlySet<string> {
  const folder = join(root, advertisedIn.folder)
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .flatMap((name) => [...readFileSync(join(folder, name), 'utf8').matchAll(advertisedIn.pattern)])
    .flatMap(([, property, constant]) => [...(property ?? constant ?? '').matchAll(/'(\w+)'/g)].map(([, name = '']) => name))
  return new Set(names.filter((name) => name in capabilityDuties))
}

function main(): void {
  const page = join(repositoryRoot, 'docs', 'conformance.md')
  const catalogue = JSON.parse(readFileSync(join(repositoryRoot, 'docs', 'conformance', 'requirements.json'), 'utf8')) as Catalogue
  const tests = readTests(repositoryRoot)
  const advertised = readAdvertised(repositoryRoot)
  const complaints = [...unknownIds(catalogue, tests), ...emptyPromises(advertised, tests)]
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
