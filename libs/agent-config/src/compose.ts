/** Runs the YAML library on a text, stopping at the first few problems and at too deep a nesting: it would go on for seconds. */
import { Composer, CST as Tokens, Lexer, Parser } from 'yaml'
import type { CST, Document, LineCounter } from 'yaml'

export interface Problem {
  readonly severity: 'error' | 'warning'
  /** Tabs used as indentation. */
  readonly tab: boolean
  readonly message: string
  readonly offset: number
}

export interface Composed {
  readonly documents: readonly Document.Parsed[]
  readonly problems: readonly Problem[]
}

class TooManyProblems extends Error {}

export interface ComposeLimits {
  readonly maxFindings: number
  readonly maxDepth: number
  /** Documents that are looked at: what follows them is not even read. */
  readonly maxDocuments: 1 | 2
}

export function composeDocuments(text: string, lines: LineCounter, { maxFindings: maxProblems, maxDepth, maxDocuments }: ComposeLimits): Composed {
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
    add({ severity: warning === true ? 'warning' : 'error', tab: code === 'TAB_AS_INDENT', message: sayPlainly(message), offset: offsetOf(source) })
  }
  const documents: Document.Parsed[] = []
  try {
    // With forceDoc an empty text gives an empty document too.
    for (const document of composer.compose(withoutErrors(firstOf(parse(text, lines, maxDepth), maxDocuments), add), true, text.length)) {
      documents.push(document)
      for (const { message, pos } of document.errors) add({ severity: 'error', tab: false, message: sayPlainly(message), offset: pos[0] })
      if (documents.length === maxDocuments) break
    }
  } catch (error) {
    if (error instanceof NestedTooDeeply) problems.push({ severity: 'error', tab: false, message: error.message, offset: error.offset })
    else if (error instanceof RangeError) problems.push({ severity: 'error', tab: false, message: tooDeep, offset: 0 })
    else if (!(error instanceof TooManyProblems)) throw error
  }
  return { documents, problems }
}

const tooDeep = 'the document is nested too deeply'

/** The library passes on what the engine says when its stack is used up. */
function sayPlainly(message: string): string {
  return message.includes('call stack') ? tooDeep : message
}

class NestedTooDeeply extends Error {
  readonly offset: number
  constructor(offset: number) {
    super(tooDeep)
    this.offset = offset
  }
}

/** What opens a level within a line of block style, or may stand before a value, so that a line has few of them. */
const perLine: ReadonlySet<string | null> = new Set(['seq-item-ind', 'explicit-key-ind', 'map-value-ind', 'anchor', 'tag'])

/** Marks that the lexer puts between the parts of the text; only the scalar mark is of use here: the text of a plain scalar comes next. */
const marks: ReadonlySet<string | null> = new Set(['scalar', 'doc-mode', 'flow-error-end'])

/** The library's parser, which takes time and stack for each level, fed only as deep as allowed. */
function* parse(text: string, lines: LineCounter, maxDepth: number): Generator<CST.Token, void> {
  const parser = new Parser(lines.addNewLine)
  lines.addNewLine(0)
  let offset = 0
  let brackets = 0
  let inLine = 0
  let before: string | null = null
  for (const lexeme of new Lexer().lex(text)) {
    const type: string | null = before === 'scalar' ? 'text' : Tokens.tokenType(lexeme)
    if (type === 'flow-seq-start' || type === 'flow-map-start') brackets += 1
    else if (type === 'flow-seq-end' || type === 'flow-map-end' || type === 'flow-error-end') brackets = Math.max(0, brackets - 1)
    else if (type === 'newline') inLine = 0
    else if (brackets === 0 && perLine.has(type)) inLine += 1
    if (brackets > maxDepth || inLine > maxDepth) throw new NestedTooDeeply(offset)
    yield* parser.next(lexeme)
    if (!marks.has(type)) offset += lexeme.length
    before = type
  }
  yield* parser.end()
}

/** What belongs to the first documents. */
function* firstOf(tokens: Iterable<CST.Token>, maxDocuments: number): Generator<CST.Token> {
  let documents = 0
  for (const token of tokens) {
    yield token
    if (token.type === 'document') documents += 1
    if (documents === maxDocuments) return
  }
}

/** Takes out what the lexer could not make sense of and reports it. */
function* withoutErrors(tokens: Iterable<CST.Token>, add: (problem: Problem) => void): Generator<CST.Token> {
  for (const token of tokens) {
    if (token.type === 'error') add({ severity: 'error', tab: false, message: sayPlainly(token.message), offset: token.offset })
    else yield token
  }
}

function offsetOf(source: number | readonly number[] | { readonly offset: number }): number {
  if (typeof source === 'number') return source
  return 'offset' in source ? source.offset : (source[0] ?? 0)
}
