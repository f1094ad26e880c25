/** Takes secrets out of configuration files. The result is valid YAML with the same keys in the same order, without comments. */
import { readBlockYaml } from './block-reader.ts'
import { writeYaml } from './block-writer.ts'
import type { ConfigFile } from './config-file.ts'
import type { ParsedYaml } from './parse.ts'
import { parseYaml } from './parse.ts'
import { redacted, redactForms, redactSecretText, redactText } from './redact-text.ts'
import { isHarmlessHeader, isHeaderCollection, judgeName } from './secret-names.ts'
import type { ConfigMap, ConfigValue } from './value.ts'
import { createMap, isMap } from './value.ts'

/** Sections whose keys are component ids: `bearertokenauth` there is a type, not a name of something secret. */
const idSections: ReadonlySet<string> = new Set(['receivers', 'processors', 'exporters', 'connectors', 'extensions', 'pipelines'])

/** What a value inherits from the keys above it. */
type Context = 'plain' | 'guarded' | 'secret' | 'headers'

/** Secret values shorter than this are too common to look for elsewhere in the document. */
const minRepeatLength = 8
/** Secrets that are looked for inside other values, the longest first; the rest are found as whole values. It bounds the work. */
const maxSearched = 200

/**
 * References such as `${env:TOKEN}` stay. Text that is no YAML is redacted line by line.
 * Compare hashes of what was reported, not of this: different secrets look alike here.
 */
export function redactFiles(files: readonly ConfigFile[], redactKnown?: RedactKnown): ConfigFile[] {
  return files.map((file) => ({ ...file, body: redactBody(file.body, redactKnown) }))
}

/** Takes secrets whose values are known out of a text. It sees texts as they are meant, without the quotes and escapes of YAML. */
export type RedactKnown = (text: string) => string

function redactBody(body: string, redactKnown: RedactKnown | undefined): string {
  const { document, findings } = readDocument(body)
  if (document !== undefined) {
    const clean = redactDocument(document)
    return writeYaml(redactKnown === undefined ? clean : mapTexts(clean, redactKnown))
  }
  // An empty document may still have comments, and nobody needs those.
  if (!findings.some((finding) => finding.severity === 'error')) return ''
  return redactText(redactKnown === undefined ? body : redactKnown(body))
}

function readDocument(body: string): Pick<ParsedYaml, 'document' | 'findings'> {
  const plain = readBlockYaml(body)
  return plain === undefined ? parseYaml(body, '') : { document: plain, findings: [] }
}

/** Keys too; a number that is a secret as text is one as well. */
function mapTexts(map: ConfigMap, change: RedactKnown): ConfigMap {
  const visit = (value: ConfigValue): ConfigValue => {
    if (typeof value === 'string') return change(value)
    if (typeof value === 'number' || typeof value === 'bigint') return change(String(value)) === String(value) ? value : redacted
    if (Array.isArray(value)) return value.map(visit)
    if (!isMap(value)) return value
    const result = createMap()
    for (const [key, item] of Object.entries(value)) result[change(key)] = visit(item)
    return result
  }
  return visit(map) as ConfigMap // a map in, a map out
}

/** A value for `redactFiles` in one piece; the argument is not changed. */
export function redactDocument(document: ConfigMap): ConfigMap {
  const secrets = new Set<string>()
  const first = redactMap(document, 'plain', '', secrets)
  // The same secret may stand somewhere under a harmless name: through an alias, or inside a command line.
  return secrets.size === 0 ? first : removeRepeats(first, secrets)
}

function redactMap(map: ConfigMap, context: Context, name: string, secrets: Set<string>): ConfigMap {
  const result = createMap()
  const pairName = nameOfPair(map)
  for (const [key, value] of Object.entries(map)) {
    result[redactForms(key)] = redactValue(value, contextFor(key, context, name, pairName), key, secrets)
  }
  return result
}

function contextFor(key: string, context: Context, parentName: string, pairName: string | undefined): Context {
  if (context === 'secret') return 'secret'
  if (pairName !== undefined && /^values?$|^default_value$/i.test(key)) {
    if (context === 'headers') return isHarmlessHeader(pairName) ? 'plain' : 'secret'
    return judgeName(pairName) === 'plain' ? 'plain' : 'secret'
  }
  if (context === 'headers' && pairName === undefined) return isHarmlessHeader(key) ? 'plain' : 'secret'
  if (idSections.has(parentName)) return 'plain'
  if (isHeaderCollection(key)) return 'headers'
  if (key === 'key' && /tls|ssl|encrypt|hmac|sign|api|aes|crypt/i.test(parentName)) return 'secret'
  return judgeName(key)
}

/** `{name: …, value: …}` and `{key: …, value: …}`: the name that the value goes by. */
function nameOfPair(map: ConfigMap): string | undefined {
  if (!Object.keys(map).some((key) => /^values?$|^default_value$/i.test(key))) return undefined
  for (const key of ['name', 'key', 'header', 'Name', 'Key']) {
    const name = Object.hasOwn(map, key) ? map[key] : undefined
    if (typeof name === 'string') return name
  }
  return undefined
}

function redactValue(value: ConfigValue, context: Context, name: string, secrets: Set<string>): ConfigValue {
  if (Array.isArray(value)) return value.map((item) => redactValue(item, context === 'headers' && isHeaderRule(item) ? 'plain' : context, name, secrets))
  if (isMap(value)) return redactMap(value, context === 'guarded' ? 'plain' : context, name, secrets)
  if (typeof value === 'string') return redactString(value, context, secrets)
  // A switch or an empty value gives nothing away; a number may be a PIN.
  return context === 'secret' && (typeof value === 'number' || typeof value === 'bigint') ? redacted : value
}

/** An entry of a list of headers that has no value of its own: `{action: delete, key: x-tenant}`. */
function isHeaderRule(item: ConfigValue): boolean {
  return isMap(item) && nameOfPair(item) === undefined && ['name', 'key', 'header'].some((key) => Object.hasOwn(item, key))
}

function redactString(text: string, context: Context, secrets: Set<string>): string {
  if (context !== 'secret' && context !== 'guarded') return looksLikeText(text) ? redactText(text) : redactForms(text)
  if (text === '') return text
  const result = redactSecretText(text)
  if (result === redacted && text.trim().length >= minRepeatLength) secrets.add(text.trim())
  return result
}

/** Whole settings inside one value: a connection string, a command line, a nested document. */
function looksLikeText(text: string): boolean {
  return /[=\n]|:\s/.test(text)
}

function removeRepeats(map: ConfigMap, secrets: ReadonlySet<string>): ConfigMap {
  const searched = [...secrets].toSorted((a, b) => b.length - a.length).slice(0, maxSearched)
  const clean = (text: string): string => {
    if (secrets.has(text)) return redacted
    return searched.reduce((rest, secret) => (rest.includes(secret) ? rest.replaceAll(secret, redacted) : rest), text)
  }
  const visit = (value: ConfigValue): ConfigValue => {
    if (typeof value === 'string') return clean(value)
    if (Array.isArray(value)) return value.map(visit)
    if (!isMap(value)) return value
    const result = createMap()
    for (const [key, item] of Object.entries(value)) result[key] = visit(item)
    return result
  }
  // Each entry of a map is visited; keys stay, so that the structure does.
  return visit(map) as ConfigMap // a map in, a map out
}
