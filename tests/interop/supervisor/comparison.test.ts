/** Every scenario with the stock supervisor and with ours, side by side. `DROVER_COMPARISON=<file>` writes what was seen. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stubCollectorExecutable } from '@drover/testing'
import { afterAll, beforeAll, describe, it, vi } from 'vitest'
import { createTemporaryFolder, startOtlpSink, startServer } from '../../harness/index.ts'
import type { OtlpSink, Server, TemporaryFolder } from '../../harness/index.ts'
import { describeWithPeers } from '../../peers/index.ts'
import { chapters } from './chapters.ts'
import { factsOf } from './comparison-page.ts'
import type { Comparison, SeenOutcome } from './comparison-page.ts'
import type { CollectorKind, Outcome, Scenario } from './scenario.ts'
import { createStage } from './stage.ts'
import type { SupervisorKind } from './subject.ts'

/** Most of a scenario is waiting. */
vi.setConfig({ maxConcurrency: 6 })

const kinds: readonly SupervisorKind[] = ['stock', 'drover']

await describeWithPeers('a supervisor', ['supervisor', 'collector'], (peers) => {
  let server: Server
  let sink: OtlpSink
  let folder: TemporaryFolder
  let stub: string
  const seen: SeenOutcome[] = []

  beforeAll(async () => {
    folder = await createTemporaryFolder()
    server = await startServer()
    sink = await startOtlpSink()
    stub = await stubCollectorExecutable(folder.path)
  })

  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
    await sink?.[Symbol.asyncDispose]()
    await folder?.[Symbol.asyncDispose]()
    const file = process.env['DROVER_COMPARISON']
    const comparison: Comparison = { chapters: factsOf(chapters), seen: seen.toSorted(byName) }
    if (file !== undefined) await writeFile(file, `${JSON.stringify(comparison, null, 2)}\n`)
  })

  async function play(scenario: Scenario, expected: Outcome['result'], kind: SupervisorKind, collectorKind: CollectorKind): Promise<Outcome> {
    const soonMs = expected === 'ok' ? 60_000 : 6_000
    const place = join(folder.path, `${scenario.id}-${kind}-${collectorKind}`)
    const collector = collectorKind === 'stub' ? stub : peers.collector
    await using stage = await createStage({ kind, collectorKind, server, sink, folder: place, stock: peers.supervisor, collector, soonMs })
    const outcome = await scenario.run(stage)
    seen.push({ scenario: scenario.id, kind, collector: collectorKind, ...outcome })
    return outcome
  }

  for (const chapter of chapters) {
    describe(chapter.title, () => {
      for (const scenario of chapter.scenarios) {
        for (const collector of scenario.collectors ?? ['stub']) {
          it.concurrent.for(kinds)(`${scenario.id}, %s with the ${collector} Collector: ${scenario.title}`, async (kind, { expect }) => {
            const expected = kind === 'stock' ? (scenario.stock ?? 'ok') : 'ok'
            const outcome = await play(scenario, expected, kind, collector)
            expect(outcome, outcome.seen).toMatchObject({ result: expected })
          })
        }
      }
    })
  }
})

function byName(a: SeenOutcome, b: SeenOutcome): number {
  const text = (one: SeenOutcome) => `${one.scenario} ${one.kind} ${one.collector}`
  return text(a) < text(b) ? -1 : 1
}
