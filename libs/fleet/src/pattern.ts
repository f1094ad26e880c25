/** Regular expressions of selectors: RE2 syntax, matching the whole value in time linear in its length. */
import { RE2JS } from 're2js'

export const maxPatternLength = 512
/** Instructions of a compiled pattern: the work per character. */
export const maxPatternSize = 2000

export interface AnchoredPattern {
  /** Whether the whole text matches. Takes UTF-8 bytes too. */
  test(text: string | Uint8Array): boolean
}

const refuse = (message: string): never => {
  throw new RangeError(message)
}

/** `fail` is called with what is wrong, in words for the person who wrote the pattern. */
export function compilePattern(pattern: string, fail: (message: string) => never = refuse): AnchoredPattern {
  if (pattern.length > maxPatternLength) fail(`a regular expression has at most ${maxPatternLength} characters`)
  let expression: RE2JS
  try {
    expression = RE2JS.compile(pattern)
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : String(error)
    return fail(`the regular expression is not valid: ${reason}`)
  }
  if (expression.programSize() > maxPatternSize) fail('the regular expression is too large: use smaller repeat counts')
  return { test: (text) => expression.matcher(text).matches() }
}
