/** A store in a folder that goes away with the test, with faults that a test asks for. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SeriesKey } from './series.ts'
import { seriesList } from './series.ts'
import { openStoreFiles } from './files.ts'
import type { StoreFiles } from './files.ts'
import { MetricStore } from './metric-store.ts'
import type { Tier } from './tiers.ts'

export interface TestStore extends AsyncDisposable {
  readonly dir: string
  readonly store: MetricStore
  readonly warnings: string[]
}

export function makeFolder(): string {
  return mkdtempSync(join(tmpdir(), 'drover-telemetry-'))
}

export const removeFolder = (dir: string): void => rmSync(dir, { recursive: true, force: true })

export function copyFolder(from: string): string {
  const to = makeFolder()
  cpSync(from, to, { recursive: true })
  return to
}

export async function openTestStore(
  nowMs: number,
  options: { readonly dir?: string; readonly budgetBytes?: number; readonly wrap?: (files: StoreFiles) => StoreFiles } = {},
): Promise<TestStore> {
  const dir = options.dir ?? makeFolder()
  const files = await openStoreFiles(dir)
  const warnings: string[] = []
  const store = await MetricStore.open({
    files: options.wrap?.(files) ?? files,
    budgetBytes: options.budgetBytes ?? 2 ** 30,
    nowMs,
    log: { warn: ((_fields: unknown, message: string) => void warnings.push(message)) as never },
  })
  return {
    dir,
    store,
    warnings,
    async [Symbol.asyncDispose]() {
      await store.close()
      removeFolder(dir)
    },
  }
}

/** Of the whole agent unless a component is named. */
export function put(store: MetricStore, agentId: string, atMs: number, values: Readonly<Record<string, number>>, coveredMs = 0): void {
  const keys = Object.keys(values).map((name): SeriesKey => {
    const [metric = '', component = ''] = name.split('@')
    return { metric: metric as SeriesKey['metric'], component }
  })
  const list = seriesList(keys)
  const levels = list.keys.map(({ metric, component }) => values[component === '' ? metric : `${metric}@${component}`] ?? Number.NaN)
  store.write({ agentId, atMs, coveredMs, list, values: levels })
}

/** `[start, value]` of one series, in order. */
export async function readSeries(
  store: MetricStore,
  tier: Tier,
  agentId: string,
  fromMs: number,
  toMs: number,
  metric: string,
  component = '',
): Promise<readonly (readonly [number, number])[]> {
  const { valueOf } = await import('./level.ts')
  const points: (readonly [number, number])[] = []
  const choose = ({ keys }: { readonly keys: readonly SeriesKey[] }) =>
    keys.flatMap((key, at) => (key.metric === metric && key.component === component ? [at] : []))
  for await (const blocks of store.read({ tier, agentIds: [agentId], fromMs, toMs, choose }))
    for (const { startMs, stepMs, columns } of blocks)
      columns.levels.forEach((level, slot) => {
        const at = startMs + slot * stepMs
        if (!Number.isNaN(valueOf(level)) && at >= fromMs && at < toMs) points.push([at, valueOf(level)])
      })
  return points.toSorted(([a], [b]) => a - b)
}
