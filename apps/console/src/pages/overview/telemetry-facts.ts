/** What the store of own telemetry holds, in words. Pure. */

export interface Tier {
  readonly intervalSeconds: number
  readonly keptSeconds: number
  readonly plannedSeconds: number
}

const span = (seconds: number): string => {
  if (seconds < 3_600) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} days`
}
const step = (seconds: number): string => (seconds < 60 ? `${seconds} s` : `${Math.round(seconds / 60)} min`)

/** E.g. `10 s points reach back 1 h`. */
export function tierText({ intervalSeconds, keptSeconds, plannedSeconds }: Tier): string {
  const reach = `${step(intervalSeconds)} points reach back ${span(keptSeconds)}`
  return keptSeconds < plannedSeconds * 0.98 ? `${reach} of ${span(plannedSeconds)}` : reach
}

/** Why something was refused, the most frequent first; undefined: nothing was. */
export function refusedText(refused: Readonly<Record<string, number>>): string | undefined {
  const causes = Object.entries(refused)
    .filter(([, count]) => count > 0)
    .toSorted((left, right) => right[1] - left[1])
  return causes.length === 0 ? undefined : causes.map(([cause, count]) => `${cause} ${count.toLocaleString('en')}`).join(', ')
}
