/** Writes a configuration value as YAML, without anchors, so that equal values always give equal text. */
import { Document, visit } from 'yaml'
import { escapeUnprintable, unprintable } from './unprintable.ts'
import type { ConfigValue } from './value.ts'

export function toYaml(value: ConfigValue): string {
  const document = new Document(value, { aliasDuplicateObjects: false, version: '1.2', sortMapEntries: false, compat: 'yaml-1.1' })
  visit(document, {
    Scalar(_key, scalar) {
      if (typeof scalar.value === 'string' && needsQuotes(scalar.value)) scalar.type = 'QUOTE_DOUBLE'
    },
  })
  // What has to be escaped is in double quotes now, wherever it stands.
  return escapeUnprintable(document.toString({ lineWidth: 0, nullStr: '' }))
}

/** A line of spaces, of which the library makes an empty one where it writes the text as lines. */
const blankLine = /(?:^|\n)[ \t]+\n/

function needsQuotes(text: string): boolean {
  return unprintable.test(text) || text.includes('\ufeff') || blankLine.test(text)
}
