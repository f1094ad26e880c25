/** Numbers and times as people read them. */

const grouped = new Intl.NumberFormat('en-US')

/** `1 agent`, `1,200 agents`. */
export function agentsText(count: number): string {
  return count === 1 ? '1 agent' : `${grouped.format(count)} agents`
}

export function numberText(count: number): string {
  return grouped.format(count)
}

/** Rounded up to the unit that matters: `45 s`, `3 min`, `2 h 5 min`, `3 days`. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.ceil(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60]
  if (hours < 48) return rest === 0 ? `${hours} h` : `${hours} h ${rest} min`
  return `${Math.ceil(hours / 24)} days`
}

/** `a`, `a and b`, `a, b and c`. */
export function listText(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`
}
