/** Lines of a rollout's log: structured, and told as sentences. */

export type DecisionKind =
  | 'started'
  | 'approved'
  | 'waiting'
  | 'waveOpened'
  | 'soaking'
  | 'wavePassed'
  | 'trouble'
  | 'paused'
  | 'resumed'
  | 'promoted'
  | 'retrying'
  | 'stopped'
  | 'rollingBack'
  | 'rolledBack'
  | 'completed'
  | 'superseded'

/** Why something happened, for programs. `person`: because somebody said so. */
export type Cause = 'person' | 'plan' | 'budget' | 'gate' | 'inconclusive' | 'noEvidence' | 'partition' | 'deadline' | 'newer'

export interface Decision {
  /** Grows by one from 1 in each rollout. */
  readonly seq: number
  readonly at: number
  readonly kind: DecisionKind
  readonly cause: Cause
  /** Who decided; null: Drover. */
  readonly by: string | null
  /** The wave it is about, from 0. */
  readonly wave: number | null
  /** In words: a person's own, or what was found. Empty: nothing more is to be said. */
  readonly reason: string
  /** What it was decided on, e.g. `judged` and `bad`. */
  readonly numbers: Readonly<Record<string, number>>
}

const verbs: Readonly<Record<DecisionKind, (wave: string, by: string | null) => string>> = {
  started: () => 'started the rollout',
  approved: () => 'approved',
  waiting: () => 'waits',
  waveOpened: (wave) => `opened ${wave}`,
  soaking: (wave) => `has the outcomes of ${wave} and watches it`,
  wavePassed: (wave) => `passed ${wave}`,
  trouble: (wave) => `found trouble in ${wave}`,
  paused: (wave) => `paused in ${wave}`,
  resumed: (wave) => `resumed ${wave}`,
  promoted: (wave) => `ended ${wave} early`,
  retrying: () => 'tries the agents that failed once more',
  stopped: () => 'stopped the rollout',
  rollingBack: () => 'takes the change back',
  // A person does so only when somebody is still waited for.
  rolledBack: (_, by) => (by === null ? 'took the change back' : 'ended the rollback'),
  completed: () => 'completed the rollout',
  superseded: () => 'gave way to a newer rollout',
}

/** e.g. `Drover paused in wave 2: 4 of 31 agents failed.` */
export function describeDecision({ kind, by, wave, reason }: Decision): string {
  const said = verbs[kind](wave === null ? 'the rollout' : `wave ${wave + 1}`, by)
  const why = reason.replace(/\s+/g, ' ').trim().replace(/\.$/, '')
  return `${by ?? 'Drover'} ${said}${why === '' ? '' : `: ${why}`}.`
}

/** `1 agent`, `3 agents`. */
export function agentCount(count: number): string {
  return count === 1 ? '1 agent' : `${count} agents`
}
