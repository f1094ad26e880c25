/** Values of a supervisor's file after its references were filled in, before anything is known about their keys. */

export type RawValue = null | boolean | number | bigint | string | readonly RawValue[] | RawMap | Expanded

export interface RawMap {
  readonly [key: string]: RawValue
}

/** What a reference such as `${env:PORT}` stands for: read as YAML, and as text for keys that take text, so that `0123` stays what it is. */
export class Expanded {
  readonly value: RawValue
  readonly text: string

  constructor(value: RawValue, text: string) {
    this.value = value
    this.text = text
  }
}

export function isRawMap(value: RawValue | undefined): value is RawMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Expanded)
}

export function isRawList(value: RawValue | undefined): value is readonly RawValue[] {
  return Array.isArray(value)
}

/** What a key that takes no text sees. */
export function plain(value: RawValue): Exclude<RawValue, Expanded> {
  return value instanceof Expanded ? plain(value.value) : value
}

/** For sentences: `a list`, `the number 5`. Texts are not repeated, for they may be secrets. */
export function nameOf(value: RawValue): string {
  const bare = plain(value)
  if (bare === null) return 'empty'
  if (isRawList(bare)) return 'a list'
  if (isRawMap(bare)) return 'a map'
  if (typeof bare === 'string') return 'a text'
  return value instanceof Expanded ? `a ${typeof bare === 'boolean' ? 'yes or no' : 'number'}` : typeof bare === 'boolean' ? String(bare) : `the number ${bare}`
}
