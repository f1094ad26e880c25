/** Maintenance windows by the clock on the wall of a time zone. */

export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
export type Weekday = (typeof weekdays)[number]

/**
 * Open on each of `days` from `from` until `to`, both `HH:MM`; `to` not later than `from` means on the next day. Times
 * that a change of the clock leaves out do not happen that day; times that it repeats happen twice.
 */
export interface MaintenanceWindow {
  readonly days: readonly Weekday[]
  readonly from: string
  readonly to: string
  /** IANA name, e.g. `Europe/Berlin`. */
  readonly timeZone: string
}

const minuteMs = 60_000
const dayMinutes = 24 * 60
const dayMs = dayMinutes * minuteMs

/** Minutes since midnight; undefined when the text is no `HH:MM`. */
export function parseTimeOfDay(text: string): number | undefined {
  const found = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text)
  return found === null ? undefined : Number(found[1]) * 60 + Number(found[2])
}

export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone)
  if (known !== undefined) return known
  const options = { timeZone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' } as const
  const format = new Intl.DateTimeFormat('en-US', options)
  formats.set(timeZone, format)
  return format
}

/** What the clock on the wall shows at `now`, as if it were UTC. Seconds are cut off: zones of today are whole minutes apart. */
function wallClock(timeZone: string, now: number): number {
  const part: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {}
  for (const { type, value } of formatOf(timeZone).formatToParts(now)) part[type] = Number(value)
  return Date.UTC(part.year ?? 0, (part.month ?? 1) - 1, part.day ?? 1, part.hour ?? 0, part.minute ?? 0)
}

function weekdayOf(wall: number): Weekday {
  return weekdays[(new Date(wall).getUTCDay() + 6) % 7] ?? 'mon'
}

function minutesOf(window: MaintenanceWindow): { readonly from: number; readonly to: number } {
  const from = parseTimeOfDay(window.from) ?? 0
  const to = parseTimeOfDay(window.to) ?? 0
  return { from, to: to <= from ? to + dayMinutes : to }
}

function isWindowOpen(window: MaintenanceWindow, now: number): boolean {
  const wall = wallClock(window.timeZone, now)
  const { from, to } = minutesOf(window)
  const minute = Math.floor((wall % dayMs) / minuteMs)
  if (minute >= from && minute < to && window.days.includes(weekdayOf(wall))) return true
  return minute + dayMinutes < to && window.days.includes(weekdayOf(wall - dayMs))
}

/** No windows: always open. */
export function isOpenAt(windows: readonly MaintenanceWindow[], now: number): boolean {
  return windows.length === 0 || windows.some((window) => isWindowOpen(window, now))
}

// A plan's windows are asked about at every step, and the answer stays the same until it comes true.
const answers = new WeakMap<readonly MaintenanceWindow[], { readonly since: number; readonly change: number | null }>()

/** The first moment after `now` at which the windows are open where they were closed, or the other way round; null: there is none within two weeks. */
export function nextChange(windows: readonly MaintenanceWindow[], now: number): number | null {
  if (windows.length === 0) return null
  const known = answers.get(windows)
  if (known !== undefined && known.change !== null && now >= known.since && now < known.change) return known.change
  const open = isOpenAt(windows, now)
  const moments = windows.flatMap((window) => candidates(window, now)).filter((moment) => moment > now)
  const change = moments.toSorted((a, b) => a - b).find((moment) => isOpenAt(windows, moment) !== open) ?? null
  answers.set(windows, { since: now, change })
  return change
}

/** Every moment in the next two weeks at which this window could open or close. */
function candidates(window: MaintenanceWindow, now: number): number[] {
  const { from, to } = minutesOf(window)
  const midnight = Math.floor(wallClock(window.timeZone, now) / dayMs) * dayMs
  const moments: number[] = []
  for (let day = -1; day <= 15; day++) for (const minute of [from, to]) moments.push(...momentsOf(window.timeZone, midnight + day * dayMs + minute * minuteMs))
  return moments
}

/** When the wall shows this: once; twice when the clock is put back; when it jumps over it, the moment of the jump. */
function momentsOf(timeZone: string, wall: number): number[] {
  const offsets = [-dayMs, dayMs].map((away) => wallClock(timeZone, wall + away) - (wall + away))
  const guesses = [...new Set(offsets)].map((offset) => wall - offset)
  const exact = guesses.filter((moment) => wallClock(timeZone, moment) === wall)
  if (exact.length > 0) return [...exact, ...changesNear(timeZone, guesses)]
  return changesNear(timeZone, guesses)
}

/** The moment at which the zone changes its offset between the guesses, which differ only on such days. */
function changesNear(timeZone: string, guesses: readonly number[]): number[] {
  if (guesses.length < 2) return []
  const offsetAt = (moment: number) => wallClock(timeZone, moment) - moment
  let [low, high] = [Math.min(...guesses) - dayMs, Math.max(...guesses) + dayMs]
  const before = offsetAt(low)
  while (high - low > minuteMs) {
    const middle = Math.floor((low + high) / 2 / minuteMs) * minuteMs
    if (offsetAt(middle) === before) low = middle
    else high = middle
  }
  return [high]
}
