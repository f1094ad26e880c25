/** Durations as Go writes them, e.g. `1m30s`, `1.5h`, `250ms`. */

const nanoseconds: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, μs: 1e3, ms: 1e6, s: 1e9, m: 6e10, h: 3.6e12 }
const whole = /^[-+]?(?:(?:\d{1,18}(?:\.\d{0,18})?|\.\d{1,18})(?:ns|us|µs|μs|ms|s|m|h)){1,8}$/
const part = /(\d*\.?\d*)(ns|us|µs|μs|ms|s|m|h)/g

/** Nanoseconds; undefined when the text is no duration. A plain number counts as nanoseconds, as the Collector reads it. */
export function parseDuration(text: string): number | undefined {
  if (/^\d{1,18}$/.test(text)) return Number(text)
  if (!whole.test(text)) return undefined
  let total = 0
  for (const [, amount, unit] of text.matchAll(part)) total += Number(amount) * (nanoseconds[unit ?? ''] ?? 0)
  return Math.round(text.startsWith('-') ? -total : total)
}
