/**
 * Counts wrong credentials per source. Right ones always pass: the values cannot be guessed, so the limit is there to keep guessing cheap for
 * us, and a neighbour behind the same address with a revoked token must not lock everybody out.
 */

export interface Throttle {
  /** Notes a wrong credential. Seconds to wait when the source has used up its share, else undefined. */
  wrong(source: string): number | undefined
}

const WINDOW_MS = 60_000
const WRONG_PER_WINDOW = 20
const MAX_SOURCES = 10_000

export function createThrottle(clock: { now(): number }): Throttle {
  const sources = new Map<string, { since: number; wrong: number }>()
  return {
    wrong: (address) => {
      const now = clock.now()
      const source = networkOf(address)
      const known = sources.get(source)
      const entry = known && now - known.since < WINDOW_MS && now >= known.since ? known : { since: now, wrong: 0 }
      entry.wrong++
      // Set again at the end, so that the first key is the one that was quiet for longest.
      sources.delete(source)
      sources.set(source, entry)
      if (sources.size > MAX_SOURCES) dropOldest(sources)
      return entry.wrong > WRONG_PER_WINDOW ? Math.max(1, Math.ceil((entry.since + WINDOW_MS - now) / 1000)) : undefined
    },
  }
}

function dropOldest(sources: Map<string, unknown>): void {
  const [oldest] = sources.keys()
  if (oldest !== undefined) sources.delete(oldest)
}

/** One person has a whole /64 of IPv6 addresses. */
function networkOf(address: string): string {
  if (!address.includes(':') || address.startsWith('::ffff:')) return address
  return address.split(':').slice(0, 4).join(':')
}
