/** The apply machine as a start finds things: what the disk says is put right first, then it begins. */
import type { OwnTelemetry } from '../own-telemetry/settings.ts'
import { sameConfig, type WayBack } from '../state/offered-config.ts'
import { resume } from '../state/resume.ts'
import { createApplyState, defaultApplyTimes } from './apply-state.ts'
import { type ApplyDeps, type ApplyDriver, createApplyDriver } from './driver.ts'

export interface OpenApplyOptions extends ApplyDeps {
  readonly applyTimeoutMs: number
  /** Without it, what is on disk of remote configurations stays there and counts for nothing. */
  readonly acceptsRemoteConfig: boolean
  /** As it was kept. */
  readonly ownTelemetry: OwnTelemetry | undefined
}

export interface OpenedApply {
  readonly driver: ApplyDriver
  /** Runs what is good, and tries what was received without a verdict. */
  readonly start: () => void
}

function sameWayBack(a: WayBack, b: WayBack): boolean {
  return a.length === b.length && a.every(({ config }, index) => sameConfig(config, b[index]?.config))
}

export async function openApply({ applyTimeoutMs, acceptsRemoteConfig, ownTelemetry, ...deps }: OpenApplyOptions): Promise<OpenedApply> {
  const { folder, clock, log } = deps
  const { found } = folder
  const { good, previous, pending } = acceptsRemoteConfig ? resume(found) : { good: undefined, previous: [], pending: undefined }
  const received = acceptsRemoteConfig ? (pending ?? good) : found.received
  if (acceptsRemoteConfig) {
    try {
      // In this order, for the same reasons as when it is written at first.
      if (!sameWayBack(previous, found.previous)) await folder.writePrevious(previous)
      if (!sameConfig(found.working, good)) await folder.writeWorking(good)
      if (!sameConfig(found.received, received)) await folder.writeReceived(received)
    } catch (error) {
      log('error', 'The state could not be put right', { error: error instanceof Error ? error.message : String(error) })
    }
  }
  const driver = createApplyDriver(
    createApplyState({
      times: { ...defaultApplyTimes, applyTimeoutMs },
      instanceUid: found.instanceUid,
      good: { remote: good, ownTelemetry },
      previous,
      received,
      failures: found.memory.failures,
      unfinished: found.memory.unfinished,
      now: clock.monotonic(),
    }),
    deps,
  )
  const mayFallBack = deps.fallbackPaths.length > 0 && good === undefined && pending === undefined
  return { driver, start: () => driver.start({ pending, mayFallBack }) }
}
