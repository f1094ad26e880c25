/** How long to wait before a crashed agent is started again: quickly at first, slower while it keeps crashing. */

/** What is remembered of crashes that followed closely on one another. */
export interface CrashHistory {
  readonly crashes: number
}

export interface NextStart {
  readonly history: CrashHistory
  readonly delayMs: number
}

const firstDelayMs = 250
const secondDelayMs = 1_000
const maxDelayMs = 30_000
/** An agent that ran this long was well: what happens to it now has nothing to do with earlier crashes. */
const steadyMs = 60_000

/**
 * The first restart comes after a quarter of a second, the next ones after 1 s, 2 s, 4 s … up to 30 s; each is shortened by up to a fifth, so that a
 * fleet with the same fault does not move in step. `random` is in [0, 1).
 */
export function nextCrash(previous: CrashHistory | undefined, ranForMs: number, random: () => number): NextStart {
  const crashes = previous === undefined || ranForMs >= steadyMs ? 1 : previous.crashes + 1
  // Beyond 2^16 the limit has long been reached, and the power stays a small number.
  const wantedMs = crashes === 1 ? firstDelayMs : secondDelayMs * 2 ** Math.min(crashes - 2, 16)
  return { history: { crashes }, delayMs: Math.round(Math.min(wantedMs, maxDelayMs) * (1 - 0.2 * random())) }
}
