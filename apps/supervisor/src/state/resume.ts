/** What a start makes of what it finds on disk. Pure. */
import { RemoteConfigStatuses } from '@drover/protocol'
import { type OfferedConfig, sameConfig, type WayBack } from './offered-config.ts'
import type { StoredStatus } from './persistent-state.ts'

/** The remote configurations on disk. */
export interface StoredConfigs {
  readonly received: OfferedConfig | undefined
  readonly working: OfferedConfig | undefined
  readonly previous: WayBack
  readonly status: StoredStatus | undefined
}

export interface Resumed {
  /** To be run at once. Undefined: local files alone. */
  readonly good: OfferedConfig | undefined
  readonly previous: WayBack
  /** Received, but there is no verdict: to be tried. */
  readonly pending: OfferedConfig | undefined
}

/**
 * - Received and APPLIED: it is the good one, whoever wrote the files.
 * - Received and FAILED: the last working one is.
 * - Received and neither: this process ended before there was a verdict. The last working one runs, and what was received is tried anew.
 */
export function resume(stored: StoredConfigs): Resumed {
  const { good, previous, pending } = decide(stored)
  const first = previous[0]
  return { good, pending, previous: first !== undefined && sameConfig(first.config, good) ? previous.slice(1) : previous }
}

function decide({ received, working, previous, status }: StoredConfigs): Resumed {
  if (received === undefined) return { good: working, previous, pending: undefined }
  const verdict = status?.hash === received.hash ? status.status : undefined
  const isWorking = sameConfig(working, received)
  if (verdict === RemoteConfigStatuses.RemoteConfigStatuses_APPLIED) {
    // A supervisor without that file wrote this, or a kill came while it was going back.
    const isBehind = !isWorking && working !== undefined
    return {
      good: received,
      previous: isBehind && !sameConfig(previous[0]?.config, working) ? [{ config: working }, ...previous] : previous,
      pending: undefined,
    }
  }
  if (verdict === RemoteConfigStatuses.RemoteConfigStatuses_FAILED) {
    return isWorking ? { good: previous[0]?.config, previous: previous.slice(1), pending: undefined } : { good: working, previous, pending: undefined }
  }
  // Gone back to: the status is that of another one, which failed.
  if (isWorking && status !== undefined && status.hash !== received.hash) return { good: working, previous, pending: undefined }
  return { good: working, previous, pending: received }
}
