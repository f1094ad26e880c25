/** Values of secrets that agents may know: wherever they turn up in what agents say, they are taken out. */

/** Shorter ones are part of many words: taking them out would make everything unreadable and tell what they are. */
const MIN_LENGTH = 4
/** A line of a longer secret is looked for by itself from this length on. */
const MIN_LINE_LENGTH = 12
export const REDACTED = '[REDACTED]'

export class KnownSecrets {
  readonly #values = new Set<string>()
  #pattern: RegExp | undefined

  /** True when one of them is new. */
  add(values: Iterable<string>): boolean {
    const before = this.#values.size
    for (const value of values) for (const form of formsOf(value)) if (form.trim().length >= MIN_LENGTH) this.#values.add(form)
    if (this.#values.size === before) return false
    const longestFirst = [...this.#values].toSorted((a, b) => b.length - a.length)
    this.#pattern = new RegExp(longestFirst.map((value) => value.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('|'), 'g')
    return true
  }

  readonly redact = (text: string): string => (this.#pattern === undefined ? text : text.replace(this.#pattern, REDACTED))
}

/** As it is, as it is written in a configuration, in a string of JSON, in a URL, and line by line. */
function formsOf(value: string): string[] {
  const lines = value.split(/\r?\n/).map((line) => line.trim())
  return [
    value,
    value.trim(),
    value.replaceAll('$', '$$$$'),
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value.toWellFormed()),
    ...(lines.length > 1 ? lines.filter((line) => line.length >= MIN_LINE_LENGTH) : []),
  ]
}
