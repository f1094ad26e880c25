/** YAML texts brought into one order and form, so that a diff shows values that differ and not how they were written. Pure. */
import { parseDocument, stringify } from 'yaml'

/** The same values with sorted keys; a text that cannot be read is returned as it is. */
export function comparableYaml(text: string): string {
  if (text.trim() === '') return ''
  const document = parseDocument(text, { merge: true, uniqueKeys: false })
  if (document.errors.length > 0) return text
  // `maxAliasCount` stops texts that would grow without end.
  return stringify(document.toJS({ maxAliasCount: 100 }), { sortMapEntries: true, lineWidth: 0, aliasDuplicateObjects: false })
}

/** Several files as one text, each under its name; a single file stands alone. */
export function joinFiles(files: readonly { readonly name: string; readonly body: string }[]): string {
  if (files.length === 1) return files[0]?.body ?? ''
  return files.map((file) => `# ${file.name === '' ? '(unnamed file)' : file.name}\n${file.body.trimEnd()}\n`).join('\n')
}
