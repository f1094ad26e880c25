/** The comparison as a page: what was promised, what was seen with either supervisor, and why ours differs. */
import type { CollectorKind, Outcome, ScenarioFacts } from './scenario.ts'
import type { SupervisorKind } from './subject.ts'

/** One scenario played once. */
export interface SeenOutcome extends Outcome {
  readonly scenario: string
  readonly kind: SupervisorKind
  readonly collector: CollectorKind
}

/** What a test run writes, and the page is made of. */
export interface Comparison {
  readonly chapters: readonly { readonly title: string; readonly scenarios: readonly ScenarioFacts[] }[]
  readonly seen: readonly SeenOutcome[]
}

const columns = '| What a user relies on | Collector | Stock supervisor v0.149.0 | `drover supervisor` | Why ours differs |\n|---|---|---|---|---|\n'
const words: Readonly<Record<Outcome['result'], string>> = { ok: 'yes', differs: '**no**', 'not supported': '**not supported**' }

/** What the page says of the scenarios. */
export function factsOf(chapters: Comparison['chapters']): Comparison['chapters'] {
  const pick = ({ id, title, collectors, stock, reason }: ScenarioFacts) => ({ id, title, collectors, stock, reason })
  const facts = chapters.map(({ title, scenarios }) => ({ title, scenarios: scenarios.map(pick) }))
  return JSON.parse(JSON.stringify(facts)) as Comparison['chapters'] // as: absent fields are left out, the rest comes back as it was
}

export function renderComparison({ chapters, seen }: Comparison): string {
  const scenarios = chapters.flatMap((chapter) => chapter.scenarios)
  const count = (result: Outcome['result']) => scenarios.filter((one) => (one.stock ?? 'ok') === result).length
  return `# The stock supervisor and ours, side by side

<!-- Written by tests/interop/supervisor/write-comparison.ts from what the test run saw. Do not edit. -->

Each row is a test that plays with both supervisors: the same file, the same server, the same Collector. *stub* is a small program of the test suite that behaves as a
Collector does and misbehaves when told to; *real* is an OpenTelemetry Collector v0.149.0. The suite fails when ours misses one, and also when the stock supervisor does other than
what stands here, so the table stays true.

Of ${scenarios.length} scenarios ours fulfils all; the stock supervisor v0.149.0 fulfils ${count('ok')}, does otherwise in ${count('differs')}, and does not know ${count('not supported')}.

${chapters.map((chapter) => `## ${chapter.title}\n\n${columns}${chapter.scenarios.map((scenario) => renderRow(scenario, seen)).join('')}`).join('\n')}`
}

function renderRow(scenario: ScenarioFacts, seen: readonly SeenOutcome[]): string {
  const collectors = scenario.collectors ?? ['stub']
  const cells = [scenario.title, collectors.join(', '), renderCell(scenario, 'stock', seen), renderCell(scenario, 'drover', seen), scenario.reason ?? '']
  return `| ${cells.map(escapeCell).join(' | ')} |\n`
}

/** What was seen, once where it was the same with each Collector. Throws for a scenario that was not played. */
function renderCell(scenario: ScenarioFacts, kind: SupervisorKind, seen: readonly SeenOutcome[]): string {
  const texts = (scenario.collectors ?? ['stub']).map((collector) => {
    const outcome = seen.find((one) => one.scenario === scenario.id && one.kind === kind && one.collector === collector)
    if (outcome === undefined) throw new Error(`${scenario.id} was not played with ${kind} and the ${collector} Collector`)
    return { collector, text: `${words[outcome.result]}: ${outcome.seen}` }
  })
  const [first] = texts
  if (first !== undefined && texts.every(({ text }) => text === first.text)) return first.text
  return texts.map(({ collector, text }) => `${collector}: ${text}`).join('<br>')
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}
