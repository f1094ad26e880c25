/** Writes plain values as `toYaml` does, many times faster; what needs thought is left to it, value by value or as a whole. */
import { Unusual, plainWithDigits, reserved } from './plain-scalar.ts'
import { isMap } from './value.ts'
import type { ConfigMap, ConfigValue } from './value.ts'
import { toYaml } from './to-yaml.ts'

const plainKey = /^(?![eE][-+0-9])[A-Za-z][\w./-]{0,127}$/
/** Text that looks like nothing else, in any version of YAML: 1.1 has numbers such as `E0`. */
const plainText = /^(?![eE][-+0-9])[A-Za-z/][\w./-]*(?:[ :][\w./-]+)*$/
/** Texts that a fleet repeats, as they are written. */
const known = new Map<string, string>()
const maxKnown = 2000
const maxKnownLength = 256
const maxDepth = 32

/** The same text as `toYaml`. */
export function writeYaml(document: ConfigMap): string {
  try {
    return Object.keys(document).length === 0 ? toYaml(document) : mapLines(document, '', 0)
  } catch (error) {
    if (error instanceof Unusual) return toYaml(document)
    throw error
  }
}

/** Each line with its indentation and its end. */
function mapLines(map: ConfigMap, indentation: string, depth: number): string {
  if (depth > maxDepth) throw new Unusual()
  let text = ''
  for (const [key, value] of Object.entries(map)) {
    if (!plainKey.test(key) || reserved.test(key)) throw new Unusual()
    text += `${indentation}${key}:${isFilled(value) ? `\n${blockLines(value, `${indentation}  `, depth + 1)}` : `${value === null ? '' : ` ${scalar(value)}`}\n`}`
  }
  return text
}

function blockLines(value: ConfigValue[] | ConfigMap, indentation: string, depth: number): string {
  return Array.isArray(value) ? listLines(value, indentation, depth) : mapLines(value, indentation, depth)
}

function listLines(list: readonly ConfigValue[], indentation: string, depth: number): string {
  if (depth > maxDepth) throw new Unusual()
  let text = ''
  for (const item of list) {
    // An item's first line stands behind the dash, which takes the place of its indentation.
    if (isFilled(item)) text += `${indentation}- ${blockLines(item, `${indentation}  `, depth + 1).slice(indentation.length + 2)}`
    else text += `${indentation}- ${scalar(item)}\n`
  }
  return text
}

function isFilled(value: ConfigValue): value is ConfigValue[] | ConfigMap {
  if (Array.isArray(value)) return value.length > 0
  return isMap(value) && Object.keys(value).length > 0
}

function scalar(value: ConfigValue): string {
  if (typeof value === 'string') return isPlain(value) ? value : quoted(value)
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number' && Number.isSafeInteger(value) && !Object.is(value, -0)) return String(value)
  if (Array.isArray(value)) return '[]'
  if (isMap(value)) return '{}'
  if (value === null) return ''
  throw new Unusual()
}

function isPlain(text: string): boolean {
  return plainText.test(text) ? !reserved.test(text) : plainWithDigits.test(text)
}

const prefix = 'a: '
function quoted(text: string): string {
  const found = known.get(text)
  if (found !== undefined) return found
  // Texts of several lines depend on where they stand.
  if (!/^[ -~]*$/.test(text)) throw new Unusual()
  const written = toYaml({ a: text }).slice(prefix.length, -1)
  if (known.size >= maxKnown) known.clear()
  if (text.length <= maxKnownLength) known.set(text, written)
  return written
}
