/** Scenarios that failed once, made small: run for ever. */
import { readFileSync, writeFileSync } from 'node:fs'
import type { Failure } from './run.ts'
import type { Scenario } from './scenario.ts'

export interface KeptSeed {
  /** What it broke when it was found. */
  readonly found: string
  readonly scenario: Scenario
}

const file = new URL('seeds.json', import.meta.url)

export function readSeeds(): readonly KeptSeed[] {
  return JSON.parse(readFileSync(file, 'utf8')) as readonly KeptSeed[]
}

/** Once each. */
export function keepSeed({ scenario, error }: Failure): void {
  const kept = readSeeds()
  const text = JSON.stringify(scenario)
  if (kept.some((one) => JSON.stringify(one.scenario) === text)) return
  const found = error instanceof Error ? error.message : String(error)
  const lines = [...kept, { found, scenario }].map((one) => `  ${JSON.stringify(one)}`)
  writeFileSync(file, `[\n${lines.join(',\n')}\n]\n`)
}
