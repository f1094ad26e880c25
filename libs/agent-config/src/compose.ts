/** Runs the YAML library on a text, stopping at the first few problems: it would go on and make an error of every character. */
import { Composer, Parser } from 'yaml'
import type { CST, Document, LineCounter } from 'yaml'

export interface Problem {
  readonly severity: 'error' | 'warning'
  /** Tabs used as indentation. */
  readonly tab: boolean
  readonly message: string
  readonly offset: number
}

export interface Composed {
  /** At most two: whoever reads a file wants to know that there is more than one, not how many. */
  readonly documents: readonly Document.Parsed[]
  readonly problems: readonly Problem[]
}

class TooManyProblems extends Error {}

export function composeDocuments(text: string, lines: LineCounter, maxProblems: number): Composed {
  const problems: Problem[] = []
  const add = (problem: Problem): void => {
    problems.push(problem)
    if (problems.length >= maxProblems) throw new TooManyProblems()
  }
  // Duplicate keys are found later: the library compares every key with every other.
  // Its long messages quote the text around an error; a line and a column say the same, and leak nothing.
  const composer = new Composer({ uniqueKeys: false, prettyErrors: false, strict: true, version: '1.2', schema: 'core', logLevel: 'silent' })
  // The library has no other way to stop at a number of errors. Each would be an Error object with its stack.
  composer['onError'] = (source: number | readonly number[] | { readonly offset: number }, code: string, message: string, warning?: boolean): void => {
    add({ severity: warning === true ? 'warning' : 'error', tab: code === 'TAB_AS_INDENT', message, offset: offsetOf(source) })
  }
  const documents: Document.Parsed[] = []
  try {
    // With forceDoc an empty text gives an empty document too.
    for (const document of composer.compose(withoutErrors(new Parser(lines.addNewLine).parse(text), add), true, text.length)) {
      documents.push(document)
      for (const { message, pos } of document.errors) add({ severity: 'error', tab: false, message, offset: pos[0] })
      if (documents.length === 2) break
    }
  } catch (error) {
    if (error instanceof RangeError) problems.push({ severity: 'error', tab: false, message: 'the document is nested too deeply', offset: 0 })
    else if (!(error instanceof TooManyProblems)) throw error
  }
  return { documents, problems }
}

/** Takes out what the lexer could not make sense of and reports it. */
function* withoutErrors(tokens: Iterable<CST.Token>, add: (problem: Problem) => void): Generator<CST.Token> {
  for (const token of tokens) {
    if (token.type === 'error') add({ severity: 'error', tab: false, message: token.message, offset: token.offset })
    else yield token
  }
}

function offsetOf(source: number | readonly number[] | { readonly offset: number }): number {
  if (typeof source === 'number') return source
  return 'offset' in source ? source.offset : (source[0] ?? 0)
}
