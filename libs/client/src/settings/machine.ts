/** Everything that becomes of offered connection settings, as a value: the trial of OpAMP settings, and one status for the whole offer. */
import type { CandidateEffect, CandidateEvent, CandidateState } from './candidate.ts'
import { stepCandidate } from './candidate.ts'
import type { ReadOffer } from './from-offer.ts'
import { beginOffer, type OfferStatus, type Part, settlePart } from './offer-status.ts'

export interface SettingsState {
  readonly candidate: CandidateState
  readonly status: OfferStatus
}

export interface SettingsOffer {
  /** In hex. Empty: a Server that does not care to follow what becomes of it. */
  readonly hash: string
  /** Absent: OpAMP settings stay as they are. */
  readonly opamp?: ReadOffer
  /** There are settings of other connections. */
  readonly hasRest: boolean
  /** The Server knows that this offer failed and makes it all the same: it is tried again. */
  readonly isRetry: boolean
}

export type SettingsEvent =
  | { readonly kind: 'offered'; readonly offer: SettingsOffer }
  /** What became of `apply-rest`. */
  | { readonly kind: 'rest-settled'; readonly hash: string; readonly failure?: string }
  | Exclude<CandidateEvent, { kind: 'offered' | 'superseded' | 'renamed' | 'restarted' }>

export type SettingsEffect =
  | Exclude<CandidateEffect, { kind: 'settle' }>
  /** Hand the other settings to the Agent; `rest-settled` follows, at any time. */
  | { readonly kind: 'apply-rest'; readonly hash: string }
  /** Report, and store what is no longer `applying`. */
  | { readonly kind: 'report'; readonly status: OfferStatus }

export interface SettingsStep {
  readonly state: SettingsState
  readonly effects: readonly SettingsEffect[]
}

/** Effects are carried out in their order; see CandidateEffect for what is to be handed in. */
export function stepSettings(state: SettingsState, event: SettingsEvent): SettingsStep {
  switch (event.kind) {
    case 'offered':
      return offered(state, event.offer)
    case 'rest-settled':
      return withStatus(state, settlePart(state.status, event.hash, 'rest', event.failure))
    default:
      return advance(state, event)
  }
}

/** Moves the trial on, and the status with it. */
export function advance({ candidate, status }: SettingsState, event: CandidateEvent): SettingsStep {
  const step = stepCandidate(candidate, event)
  const before: SettingsState = { candidate: step.state, status }
  const settled = step.effects.find((effect) => effect.kind === 'settle')
  const after = settled === undefined ? { state: before, effects: [] } : withStatus(before, settlePart(status, settled.hash, 'opamp', settled.failure))
  return { state: after.state, effects: [...step.effects.filter((effect) => effect.kind !== 'settle'), ...after.effects] }
}

/** The same offer again is answered by its status and changes nothing. */
function offered(state: SettingsState, offer: SettingsOffer): SettingsStep {
  const { status } = state
  // Offers without hash cannot be told apart.
  const isKnown = status.kind !== 'none' && offer.hash !== '' && status.hash === offer.hash
  if (isKnown && !(status.kind === 'failed' && offer.isRetry)) return { state, effects: [{ kind: 'report', status }] }
  const trial = advance(state, candidateEvent(offer))
  const next = beginOffer(offer.hash, opampPart(offer, trial.state.candidate), offer.hasRest ? { kind: 'pending' } : { kind: 'absent' })
  const report: SettingsEffect = { kind: 'report', status: next }
  // Stored first, so that a crash resumes the trial; told before the running connection is left.
  const index = trial.effects.findIndex(({ kind }) => kind === 'connect' || kind === 'adopt')
  const split = index === -1 ? trial.effects.length : index
  return {
    state: { candidate: trial.state.candidate, status: next },
    effects: [
      ...(offer.hasRest ? [{ kind: 'apply-rest', hash: offer.hash } as const] : []),
      ...trial.effects.slice(0, split),
      report,
      ...trial.effects.slice(split),
    ],
  }
}

function candidateEvent({ hash, opamp, hasRest }: SettingsOffer): CandidateEvent {
  if (opamp === undefined) return { kind: 'renamed', hash }
  return 'refused' in opamp ? { kind: 'superseded' } : { kind: 'offered', candidate: { hash, settings: opamp.candidate, hasRest } }
}

function opampPart({ opamp }: SettingsOffer, candidate: CandidateState): Part {
  if (opamp !== undefined && 'refused' in opamp) return { kind: 'failed', reason: opamp.refused }
  return opamp === undefined && candidate.kind === 'idle' ? { kind: 'absent' } : { kind: 'pending' }
}

function withStatus(state: SettingsState, status: OfferStatus): SettingsStep {
  // Parts of an offer that is still being applied are not told one by one.
  const isNews = status.kind !== state.status.kind
  return { state: { ...state, status }, effects: isNews ? [{ kind: 'report', status }] : [] }
}
