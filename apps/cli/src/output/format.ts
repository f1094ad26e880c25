/** Prints a result as a table for people, or as JSON or YAML for programs. */
import { Document, visit } from 'yaml'
import type { Io } from '../io.ts'
import type { Painter } from './colour.ts'
import { painterFor } from './colour.ts'
import type { Column } from './table.ts'
import { renderFacts, renderTable } from './table.ts'
import { escapeCharacter, isUnsafe } from './text.ts'

export const outputFormats = ['table', 'json', 'yaml'] as const
export type OutputFormat = (typeof outputFormats)[number]

/** Characters that JSON and YAML let through and terminals act on. */
const rawUnsafe = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g

export class Output {
  readonly format: OutputFormat
  readonly paint: Painter
  readonly #io: Io

  constructor(io: Io, format: OutputFormat) {
    this.#io = io
    this.format = format
    this.paint = painterFor(io.stdout, io.env)
  }

  /** The value for programs, or what `forPeople` makes of it. */
  result(value: unknown, forPeople: () => string): void {
    this.#io.stdout.write(this.format === 'table' ? forPeople() : this.format === 'json' ? toJson(value, 2) : toYamlText(value))
  }

  /** One of a stream of values: a line of JSON, a YAML document, or what `forPeople` makes of it. */
  item(value: unknown, forPeople: () => string): void {
    this.#io.stdout.write(this.format === 'table' ? forPeople() : this.format === 'json' ? toJson(value) : `---\n${toYamlText(value)}`)
  }

  table<Row>(
    columns: readonly Column<Row>[],
    rows: readonly Row[],
    options: { readonly headless?: boolean; readonly widths?: readonly number[] } = {},
  ): string {
    return renderTable(columns, rows, { width: this.#io.stdout.columns, paint: this.paint, ...options })
  }

  facts(facts: readonly (readonly [string, string | undefined])[]): string {
    return renderFacts(facts, this.paint)
  }

  heading(text: string): string {
    return `\n${this.paint('bold', text)}\n`
  }

  /** A sentence for the person, on stderr. */
  note(text: string): void {
    this.#io.stderr.write(`${text}\n`)
  }
}

function toJson(value: unknown, indent?: number): string {
  return `${JSON.stringify(value, null, indent).replaceAll(rawUnsafe, escapeCharacter)}\n`
}

function toYamlText(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false })
  visit(document, {
    Scalar(_, node) {
      // In double quotes the characters below may be written as escapes.
      if (typeof node.value === 'string' && isUnsafe(node.value.replaceAll(/[\n\t]/g, ''))) node.type = 'QUOTE_DOUBLE'
    },
  })
  return document.toString({ lineWidth: 0 }).replaceAll(rawUnsafe, escapeCharacter)
}
