/** Writes a composed configuration: keys in order, so that equal values give equal text, and nothing that two readers of YAML could read differently. */
import { plainWithDigits, reserved } from '../plain-scalar.ts'
import { escapeUnprintable } from '../unprintable.ts'
import type { ConfigMap, ConfigValue } from '../value.ts'
import { isMap } from '../value.ts'

/** Text that looks like nothing else, in any version of YAML: 1.1 has numbers such as `E0`. */
const plain = /^(?![eE][-+0-9])[A-Za-z/][\w./-]*(?:[ :][\w./-]+)*$/
/** Lines that a block of text can hold as they are: the first shows its indentation, and none ends in a space. */
const block = /^[!-~](?:[ -~]*[!-~])?(?:\n|\n *[!-~](?:[ -~]*[!-~])?)+$/
const longestWord = 8

export function writeCollectorConfig(config: ConfigMap): string {
  return Object.keys(config).length === 0 ? '{}\n' : mapLines(config, '')
}

/** Each line with its indentation and its end. */
function mapLines(map: ConfigMap, indentation: string): string {
  let text = ''
  for (const key of Object.keys(map).toSorted()) text += `${indentation}${scalarText(key)}:${valueLines(map[key] ?? null, indentation)}`
  return text
}

/** What follows a key's colon: in its line, or in lines further to the right. */
function valueLines(value: ConfigValue, indentation: string): string {
  const inner = `${indentation}  `
  if (Array.isArray(value)) return value.length === 0 ? ' []\n' : `\n${listLines(value, inner)}`
  if (isMap(value)) return isEmpty(value) ? ' {}\n' : `\n${mapLines(value, inner)}`
  return ` ${leaf(value, inner)}\n`
}

function listLines(list: readonly ConfigValue[], indentation: string): string {
  const inner = `${indentation}  `
  let text = ''
  for (const item of list) {
    // An item's first line stands behind the dash, which takes the place of its indentation.
    if (Array.isArray(item) && item.length > 0) text += `${indentation}- ${listLines(item, inner).slice(inner.length)}`
    else if (isMap(item) && !isEmpty(item)) text += `${indentation}- ${mapLines(item, inner).slice(inner.length)}`
    else text += `${indentation}- ${Array.isArray(item) ? '[]' : isMap(item) ? '{}' : leaf(item, inner)}\n`
  }
  return text
}

function isEmpty(map: ConfigMap): boolean {
  for (const _ in map) return false
  return true
}

function leaf(value: null | boolean | number | bigint | string, indentation: string): string {
  if (typeof value === 'string') return block.test(value) && !value.endsWith('\n\n') ? blockText(value, indentation) : scalarText(value)
  if (typeof value !== 'number' || Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? '.nan' : value > 0 ? '.inf' : '-.inf'
}

function scalarText(text: string): string {
  if (plain.test(text) ? text.length > longestWord || !reserved.test(text) : plainWithDigits.test(text)) return text
  return escapeUnprintable(JSON.stringify(text.isWellFormed() ? text : text.toWellFormed()))
}

/** As a person would write it; at most one line end at the end, which the indicator says. */
function blockText(text: string, indentation: string): string {
  const isTerminated = text.endsWith('\n')
  const lines = (isTerminated ? text.slice(0, -1) : text).split('\n')
  return `${isTerminated ? '|' : '|-'}\n${lines.map((line) => (line === '' ? '' : indentation + line)).join('\n')}`
}
