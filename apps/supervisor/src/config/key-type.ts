/** The kinds of values that keys take: what is read of them, and what is said when it is something else. */
import type { Path } from '@drover/agent-config'
import { formatGoDuration, parseGoDuration } from './go-duration.ts'
import { Expanded, isRawList, isRawMap, nameOf, plain } from './raw-value.ts'
import type { RawMap, RawValue } from './raw-value.ts'

/** Says what is wrong with the value, or with something inside it. */
export type Refuse = (message: string, inside?: Path) => undefined

export interface KeyType<T> {
  /** As documentation calls it. */
  readonly name: string
  /** `undefined`: it was refused. */
  read(value: RawValue, refuse: Refuse): T | undefined
  /** An empty value is looked at too, where for other types it is an absent key. */
  readonly seesEmpty?: true
  /** How a value is written, for documentation. */
  show(value: T): string
}

/** An empty reference is the empty text, as for the stock supervisor. */
function readText(value: RawValue, refuse: Refuse, inside: Path = []): string | undefined {
  if (value instanceof Expanded) return value.text
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean')
    return refuse(`takes a text, and this is ${nameOf(value)}: put it in quotes`, inside)
  return refuse(`takes a text, and this is ${nameOf(value)}`, inside)
}

export const text: KeyType<string> = { name: 'text', read: (value, refuse) => readText(value, refuse), show: (value) => value }

/** A text for a list is split at commas. */
export const texts: KeyType<readonly string[]> = {
  name: 'list of texts',
  read(value, refuse) {
    const bare = plain(value)
    if (bare === null) return []
    if (isRawList(bare)) return bare.flatMap((item, index) => readText(item, refuse, [index]) ?? [])
    const whole = readText(value, refuse)
    if (whole === undefined) return undefined
    return whole === '' ? [] : whole.split(',')
  },
  show: (value) => (value.length === 0 ? 'none' : value.join(', ')),
}

/** What is allowed. Whoever leaves the value empty may mean all or nothing, so that is refused. */
export function allowList(name: string, isItem: (text: string) => boolean, takes: string): KeyType<readonly string[]> {
  return {
    name: `list of ${name}`,
    seesEmpty: true,
    read(value, refuse) {
      const bare = plain(value)
      if (!isRawList(bare)) return refuse(`takes a list, [] for none, and this is ${nameOf(value)}`)
      const items = bare.flatMap((item, index) => readText(item, refuse, [index]) ?? [])
      for (const [index, item] of items.entries()) if (!isItem(item)) refuse(takes, [index])
      return items
    },
    show: (value) => (value.length === 0 ? 'none' : value.join(', ')),
  }
}

/** A program and its arguments. There is no shell between, so a text would have to be taken apart by guessing. */
export const command: KeyType<readonly string[]> = {
  name: 'command',
  read(value, refuse) {
    const bare = plain(value)
    if (!isRawList(bare) || bare.length === 0)
      return refuse(`takes a program and its arguments as a list, such as [/usr/bin/program, --check], and this is ${nameOf(value)}`)
    return bare.flatMap((item, index) => readText(item, refuse, [index]) ?? [])
  },
  show: (value) => value.join(' '),
}

export const yesNo: KeyType<boolean> = {
  name: 'true or false',
  read(value, refuse) {
    const bare = plain(value) ?? false
    return typeof bare === 'boolean' ? bare : refuse(`takes true or false, and this is ${nameOf(value)}`)
  },
  show: String,
}

export function duration(least: 'positive' | 'zero'): KeyType<number> {
  return {
    name: 'duration',
    read(value, refuse) {
      const bare = plain(value)
      if (typeof bare === 'number' && bare !== 0) return refuse(`takes a time span with a unit, such as ${bare}s`)
      if (bare !== null && bare !== 0 && typeof bare !== 'string') return refuse(`takes a time span such as 5s or 1m30s, and this is ${nameOf(value)}`)
      const durationMs = typeof bare === 'string' ? parseGoDuration(bare) : 0
      if (durationMs === undefined) return refuse(`takes a time span such as 5s, 1m30s or 500ms`)
      if (durationMs < 0 || (least === 'positive' && durationMs === 0)) return refuse(`must be ${least === 'positive' ? 'longer than 0' : '0 or longer'}`)
      // Timers take no more; nobody means a time span of 24 days.
      return durationMs < 2 ** 31 ? durationMs : refuse('is too long: up to 596h are possible')
    },
    show: formatGoDuration,
  }
}

export function integer(min: number, max: number): KeyType<number> {
  return {
    name: `whole number, ${min} to ${max}`,
    read(value, refuse) {
      const bare = plain(value) ?? 0
      if (typeof bare !== 'number' && typeof bare !== 'bigint') return refuse(`takes a whole number from ${min} to ${max}, and this is ${nameOf(value)}`)
      const number = Number(bare)
      return Number.isInteger(number) && number >= min && number <= max ? number : refuse(`takes a whole number from ${min} to ${max}`)
    },
    show: String,
  }
}

const byteUnits: Readonly<Record<string, number>> = { '': 1, B: 1, kB: 1e3, KB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }

export function size(minBytes: number, maxBytes: number): KeyType<number> {
  const show = (bytes: number) => (bytes % 2 ** 20 === 0 ? `${bytes / 2 ** 20}MiB` : `${bytes / 2 ** 10}KiB`)
  return {
    name: `size, ${show(minBytes)} to ${show(maxBytes)}`,
    read(value, refuse) {
      const bare = plain(value)
      const [, amount = '', unit = ''] = /^(\d{1,12}) ?([kKMG]?i?B?)$/.exec(typeof bare === 'number' || typeof bare === 'string' ? String(bare) : '') ?? []
      const bytes = Number(amount) * (byteUnits[unit] ?? Number.NaN)
      if (amount === '' || Number.isNaN(bytes)) return refuse('takes a size such as 10MiB')
      return bytes >= minBytes && bytes <= maxBytes ? bytes : refuse(`takes a size from ${show(minBytes)} to ${show(maxBytes)}`)
    },
    show,
  }
}

/** One of a few words. */
export function choice<const T extends string>(words: readonly T[]): KeyType<T> {
  return {
    name: words.map((word) => `\`${word}\``).join(', '),
    read(value, refuse) {
      const written = readText(value, refuse)
      if (written === undefined) return undefined
      return words.find((word) => word === written) ?? refuse(`takes one of ${words.join(', ')}`)
    },
    show: (value) => value,
  }
}

const severities: Readonly<Record<string, 'debug' | 'info' | 'warn' | 'error'>> = {
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  warning: 'warn',
  error: 'error',
  dpanic: 'error',
  panic: 'error',
  fatal: 'error',
}

/** In any case. Levels above `error`, of which the stock supervisor knows three, are `error`. */
export const logLevel: KeyType<'debug' | 'info' | 'warn' | 'error'> = {
  name: '`debug`, `info`, `warn`, `error`',
  read(value, refuse) {
    const written = readText(value, refuse)?.toLowerCase()
    if (written === undefined) return undefined
    return (Object.hasOwn(severities, written) ? severities[written] : undefined) ?? refuse('takes one of debug, info, warn, error')
  },
  show: (value) => value,
}

export const textMap: KeyType<Readonly<Record<string, string>>> = {
  name: 'map of texts',
  read(value, refuse) {
    const bare = plain(value) ?? {}
    if (!isRawMap(bare)) return refuse(`takes a map of names and texts, and this is ${nameOf(value)}`)
    return Object.fromEntries(
      Object.entries(bare).flatMap(([name, item]) => {
        const read = item === null ? '' : readText(item, refuse, [name])
        return read === undefined ? [] : [[name, read]]
      }),
    )
  },
  show: (value) => (Object.keys(value).length === 0 ? 'none' : Object.keys(value).join(', ')),
}

const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/

/** Name to one value or a list of values. A line end behind a value comes from a file and is dropped. */
export const headers: KeyType<readonly (readonly [name: string, value: string])[]> = {
  name: 'map of texts or lists of texts',
  read(value, refuse) {
    const bare = plain(value) ?? {}
    if (!isRawMap(bare)) return refuse(`takes a map of header names and values, and this is ${nameOf(value)}`)
    return Object.entries(bare).flatMap(([name, item]) => {
      if (!headerName.test(name)) refuse('cannot be the name of a header', [name])
      const values = texts.read(item, (message, inside = []) => refuse(message, [name, ...inside])) ?? []
      return values.map((one) => {
        const trimmed = one.trim()
        if (!headerValue.test(trimmed)) refuse('has a character that cannot be in a header, such as a line end', [name])
        return [name, trimmed] as const
      })
    })
  },
  show: (value) => (value.length === 0 ? 'none' : value.map(([name]) => name).join(', ')),
}

/** A whole part of the file that is looked at elsewhere, or not at all. */
export const anything: KeyType<RawValue> = { name: 'anything', read: (value) => value, show: () => 'none' }

export const map: KeyType<RawMap> = {
  name: 'map',
  read(value, refuse) {
    const bare = plain(value) ?? {}
    return isRawMap(bare) ? bare : refuse(`takes a map, and this is ${nameOf(value)}`)
  },
  show: () => 'none',
}
