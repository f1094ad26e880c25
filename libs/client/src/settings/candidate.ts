/**
 * The trial of offered OpAMP settings, as a value. Whoever carries out the effects does so in their order, one after another, and hands in what comes of them
 * before anything else that happened meanwhile. The running connection is left alone until the candidate is proven.
 */
import type { ConnectionSettings } from '../client.ts'
import { isSameConnection } from './same-connection.ts'

export interface Candidate {
  /** Of the whole offer, in hex. */
  readonly hash: string
  readonly settings: ConnectionSettings
  /** The offer has settings of other connections as well. */
  readonly hasRest: boolean
}

/** `current` are the proven settings, in use. */
export type CandidateState =
  | { readonly kind: 'idle'; readonly current: ConnectionSettings }
  /** `connected`: the transport stands, but the Server did not answer yet. */
  | {
      readonly kind: 'trying'
      readonly current: ConnectionSettings
      readonly candidate: Candidate
      readonly stage: 'connecting' | 'connected'
      readonly lastError?: string
    }
  /** The Server answered; the settings are being stored in place of the former ones. */
  | { readonly kind: 'proven'; readonly current: ConnectionSettings; readonly candidate: Candidate }
  | { readonly kind: 'reverting'; readonly current: ConnectionSettings; readonly hash: string; readonly reason: string }

export type CandidateEvent =
  | { readonly kind: 'offered'; readonly candidate: Candidate }
  /** Another offer took the place of this one and cannot be used. */
  | { readonly kind: 'superseded' }
  /** Another offer took the place of this one and leaves OpAMP settings as they are: the trial is now one for that offer. */
  | { readonly kind: 'renamed'; readonly hash: string }
  /** TLS and upgrade are done; plain HTTP: the request was answered with a status of success. */
  | { readonly kind: 'connected' }
  /** The first message of the Server that is no error. */
  | { readonly kind: 'answered' }
  /** `isFinal`: trying again is of no use. The reason holds no secrets. */
  | { readonly kind: 'failed'; readonly reason: string; readonly isFinal: boolean }
  | { readonly kind: 'timed-out' }
  /** What `adopt` asked for is on the disk. */
  | { readonly kind: 'adopted' }
  /** What `drop` asked for is done, as far as it could be. */
  | { readonly kind: 'dropped' }
  /** The process starts and finds a candidate of an earlier one. */
  | { readonly kind: 'restarted'; readonly candidate: Candidate }

export type CandidateEffect =
  /** Store durably; if that fails, leave out the effects that follow and hand in `failed`, final. */
  | { readonly kind: 'store-candidate'; readonly candidate: Candidate }
  /** Connect beside the running connection, and start the time limit of the trial. */
  | { readonly kind: 'connect'; readonly settings: ConnectionSettings }
  /** Connect again, after the usual wait; the time limit goes on. */
  | { readonly kind: 'reconnect'; readonly settings: ConnectionSettings }
  /** End the trial's connection and its time limit. */
  | { readonly kind: 'abandon' }
  /** Store as the valid settings, then remove the candidate; hand in `adopted`, or `failed` when it could not be stored. */
  | { readonly kind: 'adopt'; readonly candidate: Candidate }
  /** Go on with the trial's connection, end the former one; without a trial: take over the new heartbeat interval. */
  | { readonly kind: 'switch'; readonly settings: ConnectionSettings }
  /** Remove the candidate from the store; hand in `dropped`. */
  | { readonly kind: 'drop' }
  | { readonly kind: 'settle'; readonly hash: string; readonly failure?: string }

export interface CandidateStep {
  readonly state: CandidateState
  readonly effects: readonly CandidateEffect[]
}

/** An event that the state does not wait for, such as an answer that came too late, changes nothing. */
export function stepCandidate(state: CandidateState, event: CandidateEvent): CandidateStep {
  switch (event.kind) {
    case 'offered':
      return offered(state, event.candidate)
    case 'restarted':
      return restarted(state, event.candidate)
    case 'superseded':
      return state.kind === 'trying' ? superseded(state) : stay(state)
    case 'renamed':
      return renamed(state, event.hash)
    case 'connected':
      return state.kind === 'trying' ? { state: { ...state, stage: 'connected' }, effects: [] } : stay(state)
    case 'answered':
      return state.kind === 'trying' ? proved(state) : stay(state)
    case 'failed':
      return failed(state, event.reason, event.isFinal)
    case 'timed-out':
      return state.kind === 'trying' ? revert(state, timeoutReason(state)) : stay(state)
    case 'adopted':
      return state.kind === 'proven' ? adopted(state) : stay(state)
    case 'dropped':
      return state.kind === 'reverting' ? reverted(state) : stay(state)
    default:
      return event satisfies never
  }
}

const stay = (state: CandidateState): CandidateStep => ({ state, effects: [] })
type State<Kind extends CandidateState['kind']> = Extract<CandidateState, { kind: Kind }>

/**
 * idle, reverting -> trying; trying -> trying with the newer one, in a trial of its own unless the present one serves both;
 * any -> proven, when the running connection is the proof already
 */
function offered(state: CandidateState, candidate: Candidate): CandidateStep {
  const { current } = state
  const abandon: readonly CandidateEffect[] = state.kind === 'trying' ? [{ kind: 'abandon' }] : []
  if (isSameConnection(candidate.settings, current))
    return { state: { kind: 'proven', current, candidate }, effects: [...abandon, { kind: 'adopt', candidate }] }
  if (state.kind === 'trying' && isSameConnection(candidate.settings, state.candidate.settings))
    return { state: { ...state, candidate }, effects: [{ kind: 'store-candidate', candidate }] }
  return {
    state: { kind: 'trying', current, candidate, stage: 'connecting' },
    effects: [...abandon, { kind: 'store-candidate', candidate }, { kind: 'connect', settings: candidate.settings }],
  }
}

/** idle -> trying: it is stored already */
function restarted(state: CandidateState, candidate: Candidate): CandidateStep {
  if (state.kind !== 'idle') return stay(state)
  return { state: { kind: 'trying', current: state.current, candidate, stage: 'connecting' }, effects: [{ kind: 'connect', settings: candidate.settings }] }
}

/** trying -> reverting */
function superseded(state: State<'trying'>): CandidateStep {
  return revert(state, 'a newer offer took its place')
}

function renamed(state: CandidateState, hash: string): CandidateStep {
  if (state.kind === 'idle') return stay(state)
  return stay(state.kind === 'reverting' ? { ...state, hash } : { ...state, candidate: { ...state.candidate, hash } })
}

/** trying -> proven */
function proved({ current, candidate }: State<'trying'>): CandidateStep {
  return { state: { kind: 'proven', current, candidate }, effects: [{ kind: 'adopt', candidate }] }
}

/** proven -> idle, with the new settings */
function adopted({ candidate }: State<'proven'>): CandidateStep {
  return {
    state: { kind: 'idle', current: candidate.settings },
    effects: [
      { kind: 'switch', settings: candidate.settings },
      { kind: 'settle', hash: candidate.hash },
    ],
  }
}

/** trying -> trying, when it may work the next time; trying, proven -> reverting */
function failed(state: CandidateState, reason: string, isFinal: boolean): CandidateStep {
  if (state.kind === 'proven') return revert(state, reason)
  if (state.kind !== 'trying') return stay(state)
  if (isFinal) return revert(state, reason)
  return { state: { ...state, stage: 'connecting', lastError: reason }, effects: [{ kind: 'reconnect', settings: state.candidate.settings }] }
}

/** trying, proven -> reverting */
function revert({ current, candidate }: State<'trying' | 'proven'>, reason: string): CandidateStep {
  return { state: { kind: 'reverting', current, hash: candidate.hash, reason }, effects: [{ kind: 'abandon' }, { kind: 'drop' }] }
}

/** reverting -> idle, with the former settings */
function reverted({ current, hash, reason }: State<'reverting'>): CandidateStep {
  return { state: { kind: 'idle', current }, effects: [{ kind: 'settle', hash, failure: reason }] }
}

function timeoutReason({ stage, lastError }: State<'trying'>): string {
  if (stage === 'connected') return 'the connection stood, but the Server did not answer in time'
  return lastError === undefined ? 'no connection within the time for it' : `no connection within the time for it; the last error: ${lastError}`
}
