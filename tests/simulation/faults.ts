/** Decides whether a fault happens. The only place that does, so that a story can be cut to its first few. */
import type { FaultKind, Scenario } from './scenario.ts'
import type { World } from './world.ts'

export class Faults {
  /** How many happened. */
  count = 0
  private readonly scenario: Scenario
  private readonly world: World
  private readonly kinds: ReadonlySet<FaultKind>

  constructor(scenario: Scenario, world: World) {
    this.scenario = scenario
    this.world = world
    this.kinds = new Set(scenario.faults)
  }

  /** From then on everybody behaves. */
  get isQuiet(): boolean {
    return this.world.now >= this.scenario.quietAtMs
  }

  happens(kind: FaultKind, at: keyof Scenario['rates']): boolean {
    if (!this.kinds.has(kind) || this.isQuiet || !this.world.chance(this.scenario.rates[at])) return false
    if (this.scenario.maxFaults !== null && this.count >= this.scenario.maxFaults) return false
    this.count++
    return true
  }
}
