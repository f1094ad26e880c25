/** Times for people: how long ago in tables, the clock in logs. */

const units: readonly (readonly [name: string, ms: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
]

/** `12 s` as `12s`, `3 h` as `3h`; the largest unit that fits. */
export function formatDuration(ms: number): string {
  const [name, unit] = units.find(([, size]) => ms >= size) ?? ['s', 1_000]
  return `${Math.floor(Math.max(0, ms) / unit)}${name}`
}

/** `5m ago`, or `in 5m`. */
export function formatAgo(timestamp: string | null, now: number): string {
  if (timestamp === null) return 'never'
  const ms = now - Date.parse(timestamp)
  return ms >= 0 ? `${formatDuration(ms)} ago` : `in ${formatDuration(-ms)}`
}

/** Date and time of the local clock, to the second. */
export function formatTime(timestamp: string): string {
  const at = new Date(timestamp)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
}

/** `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), names.length - 1)
  const value = bytes / 1024 ** power
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${names[power] ?? 'B'}`
}
