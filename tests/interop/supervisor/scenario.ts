/** What a scenario is: something a user relies on, tried with either supervisor, and what was seen. */
import type { OtlpSink, Server } from '../../harness/index.ts'
import type { OpampPeer, PeerOptions } from './opamp-peer.ts'
import type { Settings, Subject, SupervisorKind } from './subject.ts'

export type CollectorKind = 'stub' | 'real'

export interface Outcome {
  readonly result: 'ok' | 'differs' | 'not supported'
  /** One line for the comparison; no times and no pids, so that it is the same each time. */
  readonly seen: string
}

/** What a scenario works with. Everything that it starts ends with it. */
export interface Stage {
  readonly kind: SupervisorKind
  readonly collectorKind: CollectorKind
  /** A real control plane, shared by all scenarios. */
  readonly server: Server
  readonly sink: OtlpSink
  /** The scenario's own folder. */
  readonly folder: string
  /** The Collector's executable. */
  readonly collector: string
  /** How long something is waited for: long where it is known to come, so that no busy machine is taken for a defect, and briefly where it is known not to. */
  readonly soonMs: number
  /** A small OpAMP server of its own. */
  peer(options?: PeerOptions): Promise<OpampPeer>
  /** A supervisor, not started yet. */
  subject(options: {
    readonly endpoint: string
    readonly settings?: Settings
    readonly env?: Readonly<Record<string, string>>
    readonly name?: string
    readonly collector?: string
    readonly uid?: string
  }): Subject
  /** A supervisor at the control plane, not started yet, with a token of its own. */
  subjectAtServer(settings?: Settings): Promise<Subject>
}

/** What a scenario says of itself. */
export interface ScenarioFacts {
  readonly id: string
  /** A promise to the user, in one line. */
  readonly title: string
  /** Requirements of docs/conformance.md that ours shows here, each in brackets. */
  readonly shows?: string
  /** Default: the stub. */
  readonly collectors?: readonly CollectorKind[]
  /** What the stock supervisor v0.149.0 is known to do; default: the same as ours. */
  readonly stock?: Outcome['result']
  /** Why ours differs; stands in the comparison. */
  readonly reason?: string
}

export interface Scenario extends ScenarioFacts {
  readonly run: (stage: Stage) => Promise<Outcome>
}

export interface Chapter {
  readonly title: string
  readonly scenarios: readonly Scenario[]
}

export const ok = (seen: string): Outcome => ({ result: 'ok', seen })
export const differs = (seen: string): Outcome => ({ result: 'differs', seen })
export const notSupported = (seen: string): Outcome => ({ result: 'not supported', seen })
