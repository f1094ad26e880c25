/** What a start makes of what it finds on disk. Pure. */
import { RemoteConfigStatuses } from '@drover/protocol'
import { type OfferedConfig, sameConfig } from './offered-config.ts'
import type { StoredStatus } from './persistent-state.ts'

/** The remote configurations on disk. */
export interface StoredConfigs {
  readonly received: OfferedConfig | undefined
  readonly working: OfferedConfig | undefined
  /** Undefined: no file. The inner one: there was none before. */
  readonly previous: { readonly config: OfferedConfig | undefined } | undefined
  readonly status: StoredStatus | undefined
}

export interface Resumed {
  /** To be run at once. Undefined: local files alone. */
  readonly good: OfferedConfig | undefined
  readonly previous: { readonly config: OfferedConfig | undefined } | undefined
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
  return { good, pending, previous: previous !== undefined && sameConfig(previous.config, good) ? undefined : previous }
}

function decide({ received, working, previous, status }: StoredConfigs): Resumed {
  if (received === undefined) return { good: working, previous, pending: undefined }
  const verdict = status?.hash === received.hash ? status.status : undefined
  const isWorking = sameConfig(working, received)
  if (verdict === RemoteConfigStatuses.RemoteConfigStatuses_APPLIED) {
    // A supervisor without that file wrote this, or a kill came while it was going back.
    const isBehind = !isWorking && working !== undefined
    return { good: received, previous: isBehind ? { config: working } : previous, pending: undefined }
  }
  if (verdict === RemoteConfigStatuses.RemoteConfigStatuses_FAILED) {
    return { good: isWorking ? previous?.config : working, previous: isWorking ? undefined : previous, pending: undefined }
  }
  // Gone back to: the status is that of another one, which failed.
  if (isWorking && status !== undefined && status.hash !== received.hash) return { good: working, previous, pending: undefined }
  return { good: working, previous, pending: received }
}
