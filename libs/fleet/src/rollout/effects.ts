/** What a rollout wants done. Derived from what is stored, so nothing is lost when a driver dies between storing and acting. */
import { askedGates, type RolloutPlan } from './plan.ts'
import { releasesDue, retriesDue } from './progress.ts'
import { isOver, type Rollout } from './rollout.ts'

/** Each has a key that is never used for anything else. */
export type Effect =
  /**
   * As long as `releasesDue` of the stored rollout is not 0: `releaseMember` pending members of the wave, lowest point (then id)
   * first, and tell the rollout in the same transaction. So it may be carried out twice, or late.
   */
  | { readonly kind: 'release'; readonly key: string; readonly wave: number }
  /** `restoreMember` all members of all waves, telling the rollout, a few at a time; then `swept`. */
  | { readonly kind: 'restore'; readonly key: string; readonly sweep: number }
  /**
   * As long as `retriesDue` of the stored rollout is not 0: `allowRetry` and `retryMember` one whose state is `retriable`, who has been so
   * for longest first, telling the rollout in the same transaction; `swept` when there is none. Asked for again when there is room for more.
   */
  | { readonly kind: 'retry'; readonly key: string; readonly sweep: number }
  /** Judge these gates of the plan, and send a `verdict` for each. */
  | { readonly kind: 'ask'; readonly key: string; readonly wave: number; readonly round: number; readonly gates: readonly number[] }
  /** Send `tick` at this time, or later. */
  | { readonly kind: 'wake'; readonly key: string; readonly at: number }
  /** It is over: what waited for it may go on. */
  | { readonly kind: 'finished'; readonly key: string; readonly state: Rollout['state'] }

/** Everything that is still to be done, in this order. After a crash: of each rollout that is not over, and of those that ended last. */
export function outstandingEffects(plan: RolloutPlan, rollout: Rollout): readonly Effect[] {
  const { id, sweep, wakeAt, state } = rollout
  const effects: Effect[] = []
  rollout.waves.forEach(({ granted }, index) => {
    if (releasesDue(rollout, index) > 0) effects.push({ kind: 'release', key: `${id}/release/${index}/${granted}`, wave: index })
  })
  if (sweep !== null && (sweep.kind === 'restore' || retriesDue(plan, rollout) > 0))
    effects.push({ kind: sweep.kind, key: `${id}/${sweep.kind}/${sweep.no}`, sweep: sweep.no })
  if (state === 'soaking' && rollout.soak.round > 0) {
    const { round, gates: records } = rollout.soak
    const gates = askedGates(plan).filter((gate) => !records.some((record) => record.gate === gate && record.round === round))
    if (gates.length > 0) effects.push({ kind: 'ask', key: `${id}/gates/${round}`, wave: rollout.wave, round, gates })
  }
  if (wakeAt !== null) effects.push({ kind: 'wake', key: `${id}/wake/${wakeAt}`, at: wakeAt })
  if (isOver(rollout)) effects.push({ kind: 'finished', key: `${id}/finished/${state}`, state })
  return effects
}
