/** Values of secrets that agents may know: wherever they turn up in what agents say, they are taken out. */

/** Shorter ones are part of many words: taking them out would make everything unreadable and tell what they are. */
const MIN_LENGTH = 4
/** A line of a longer secret is looked for by itself from this length on. */
const MIN_LINE_LENGTH = 12
export const REDACTED = '[REDACTED]'

export class KnownSecrets {
  /** Expressions, one for each form of each value. */
  readonly #sources = new Set<string>()
  #pattern: RegExp | undefined

  /** True when one of them is new. */
  add(values: Iterable<string>): boolean {
    const before = this.#sources.size
    for (const value of values) for (const source of sourcesOf(value)) this.#sources.add(source)
    if (this.#sources.size === before) return false
    const longestFirst = [...this.#sources].toSorted((a, b) => b.length - a.length)
    this.#pattern = new RegExp(longestFirst.join('|'), 'g')
    return true
  }

  readonly redact = (text: string): string => (this.#pattern === undefined ? text : text.replace(this.#pattern, REDACTED))
}

function sourcesOf(value: string): string[] {
  const lines = linesOf(value)
  const sources = formsOf(value, lines)
    .filter((form) => form.trim().length >= MIN_LENGTH)
    .map(escapePattern)
  return lines.length > 1 ? [...sources, blockSource(lines), blockSource(lines.map(escapeDollars))] : sources
}

/** A block of a configuration indents its lines, also those that are too short to be looked for by themselves. */
function blockSource(lines: readonly string[]): string {
  return lines.map(escapePattern).join('\\s+')
}

/** Without what surrounds them, and without empty ones. */
function linesOf(value: string): string[] {
  return value
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

/** As it is, as it is written in a configuration, in a string of JSON, in a URL, and line by line. */
function formsOf(value: string, lines: readonly string[]): string[] {
  return [
    value,
    value.trim(),
    escapeDollars(value),
    value.replaceAll("'", "''"),
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value.toWellFormed()),
    ...(lines.length > 1 ? lines.filter((line) => line.length >= MIN_LINE_LENGTH) : []),
  ]
}

function escapeDollars(text: string): string {
  return text.replaceAll('$', '$$$$')
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}
