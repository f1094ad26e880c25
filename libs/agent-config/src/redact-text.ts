/** Takes secrets out of free text, such as the error an agent reports, by their form and by the names before them. */
import { isSecretName } from './secret-names.ts'

export const redacted = '[REDACTED]'

// Every quantifier that could be tried from many starting points is bounded: the time stays linear in the text.
const pemBlock = /-----BEGIN [A-Z0-9 ]{1,64}-----[\s\S]*?(?:-----END [A-Z0-9 ]{1,64}-----|$)/g
const encodedPem = /LS0tLS1CRUdJTi[A-Za-z0-9+/=]*/g
const urlUserinfo = /(\b[a-zA-Z][a-zA-Z0-9+.-]{0,31}:\/\/)([^\s/?#"'`<>]{1,1024})@/g
/** `user:password@tcp(host)` and `user:password@host` as database drivers write them. */
const bareUserinfo = /(^|[\s"'=])([\w.%+-]{1,64}):([^\s:@"'/]{1,256})@(?=[\w.[(-])/g
const authorizationScheme = /\b(Bearer|Basic|ApiKey|Splunk|Digest|Negotiate|Token)([ \t]+)(["']?)([A-Za-z0-9._~+/=:-]{6,})/gi
const jsonWebToken = /\beyJ[A-Za-z0-9_-]{5,1000}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)?/g
const wellKnown =
  /\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|xox[abprs]-[A-Za-z0-9-]{10,}|AKIA[A-Z0-9]{16}|ASIA[A-Z0-9]{16}|sk-[A-Za-z0-9_-]{16,}|glsa_[A-Za-z0-9_]{16,}|drv[a-z]?_[A-Za-z0-9_-]{16,}|drover_tel_\w{16,})/g
/** `name:`, `name=`, `"name":` and what introduces the value, with `name` decided by its words. */
const assignmentHead = /(["']?)\b([A-Za-z][\w.-]{1,63})\1[ \t]{0,4}(?::=|=>|[:=])[ \t]{0,4}/g
const assignedValue = /"(?:[^"\\\n]|\\.){0,4096}"|'[^'\n]{0,4096}'|[^\s,;&"'[\]{}()<>]{1,4096}/y
/** The rest of a line of YAML; `|` and `>` take the deeper lines below along. */
const lineValue = /[^\n]*/y
const longWord = /[A-Za-z0-9+/_=-]{20,}/g
const onlyPlaceholder = /^["']?(?:(?:Bearer|Basic|ApiKey|Token|Splunk)\s{1,4})?(?:\$\{[^}]{0,256}\})["']?$/i
/** A reference with a default: the default may be the secret. */
const placeholderDefault = /^(["']?(?:\w{1,16}\s{1,4})?\$\{(?:env:)?[\w.]{1,128}:-)([^}]{1,4096})(\}["']?)$/

/** Linear in the length of the text. What it replaces becomes `[REDACTED]`; running it again changes nothing. */
export function redactText(text: string): string {
  return redactForms(redactAssignments(text))
}

/** In each of the forms; most values have none of it, and one look is cheaper than nine. */
const sign = /[@?&;]|[\w+/=-]{15}|-----BEGIN|LS0tLS1|eyJ|(?:Bearer|Basic|ApiKey|Splunk|Digest|Negotiate|Token)[ \t]/i

/** The forms that give a secret away by themselves, whatever name it has. */
export function redactForms(text: string): string {
  return sign.test(text) ? redactEachForm(text) : text
}

export function redactEachForm(text: string): string {
  return text
    .replace(pemBlock, redacted)
    .replace(encodedPem, redacted)
    .replace(urlUserinfo, (_all, scheme: string, userinfo: string) => `${scheme}${keepPlaceholder(userinfo)}@`)
    .replace(bareUserinfo, (_all, before: string, user: string, password: string) => `${before}${user}:${keepPlaceholder(password)}@`)
    .replace(/([?&;])([\w.-]{1,64})=([^&#\s"']{1,4096})/g, (all: string, mark: string, name: string, value: string) =>
      isSecretName(name) || name === 'key' || name === 'sig' ? `${mark}${name}=${keepPlaceholder(value)}` : all,
    )
    .replace(authorizationScheme, (all: string, scheme: string, space: string, quote: string, value: string) =>
      isCredential(value) ? `${scheme}${space}${quote}${redacted}` : all,
    )
    .replace(jsonWebToken, redacted)
    .replace(wellKnown, redacted)
    .replace(longWord, (word) => (looksRandom(word) ? redacted : word))
}

function redactAssignments(text: string): string {
  let result = ''
  let done = 0
  assignmentHead.lastIndex = 0
  for (let head = assignmentHead.exec(text); head !== null; head = assignmentHead.exec(text)) {
    const start = assignmentHead.lastIndex
    const name = head[2] ?? ''
    // What follows a name that is none may itself be an assignment: `error: token: abc`.
    // `/tls/server.key: no such file` speaks of a path.
    if (!isSecretName(name) || (text[head.index - 1] === '/' && name.includes('.'))) continue
    const end = valueEnd(text, head.index, start)
    const value = text.slice(start, end)
    if (!tellsNothing.test(value)) {
      result += text.slice(done, start) + redactSecretText(value)
      done = end
    }
    assignmentHead.lastIndex = Math.max(end, start)
  }
  return result + text.slice(done)
}

/** Switches, short numbers and nothing: `token: null`. */
const tellsNothing = /^["']?(?:true|false|null|nil|~|\d{1,3}|)["']?$/

const maxIndentation = 256

function valueEnd(text: string, nameStart: number, start: number): number {
  // A name that starts its line is most likely YAML, where the value goes on to the end of the line.
  // Looking back a bounded way keeps a text without line ends cheap.
  const before = text.slice(Math.max(0, nameStart - maxIndentation), nameStart)
  const lead = before.slice(before.lastIndexOf('\n') + 1)
  const startsLine = lead.length < maxIndentation && /^[\s-]*$/.test(lead) && text[start - 1] !== '='
  const pattern = startsLine && text[start] !== '"' && text[start] !== "'" ? lineValue : assignedValue
  pattern.lastIndex = start
  if (!pattern.test(text)) return start
  const end = schemeAlone.test(text.slice(start, pattern.lastIndex)) ? afterScheme(text, pattern.lastIndex) : pattern.lastIndex
  return pattern === lineValue && /^[|>][+-]?\d?[+-]?\s*$/.test(text.slice(start, end)) ? blockEnd(text, end, lead.length) : end
}

const schemeAlone = /^(?:Bearer|Basic|ApiKey|Splunk|Digest|Negotiate|Token)$/i

/** `Authorization: Bearer abc`: the credential is the word after the scheme. */
function afterScheme(text: string, offset: number): number {
  const word = /[ \t]{1,4}[^\s,;"']{1,4096}/y
  word.lastIndex = offset
  return word.test(text) ? word.lastIndex : offset
}

/** The end of the lines after `offset` that are empty or deeper than `indentation`. */
function blockEnd(text: string, offset: number, indentation: number): number {
  let end = offset
  while (end < text.length) {
    const next = text.indexOf('\n', end + 1)
    const line = text.slice(end + 1, next === -1 ? text.length : next)
    if (line.trim() !== '' && line.length - line.trimStart().length <= indentation) break
    end = next === -1 ? text.length : next
  }
  return end
}

/** A text that is known to be secret: references stay, everything else goes. A schema word before a reference stays too. */
export function redactSecretText(value: string): string {
  const withDefault = placeholderDefault.exec(value)
  if (withDefault !== null) return `${withDefault[1] ?? ''}${redacted}${withDefault[3] ?? ''}`
  if (onlyPlaceholder.test(value) || value.includes(redacted)) return value
  const quote = /^["']/.exec(value)?.[0] ?? ''
  return `${quote}${redacted}${quote}`
}

function keepPlaceholder(value: string): string {
  // `user:${env:PASSWORD}` holds no secret: what is no reference there is a user name.
  return /\$\{[^}]{1,256}\}$/.test(value) && !value.includes(':-') ? value : redacted
}

/** "token expired" is prose, "token abc123xyz" is a credential. */
function isCredential(value: string): boolean {
  return /\d/.test(value) || /[A-Z].*[a-z].*[A-Z]/.test(value) || value.length >= 24 || /[=_~+/]/.test(value)
}

/** Words that no person wrote: keys and tokens. Not UUIDs, which have dashes, and not names made of words. */
export function looksRandom(word: string): boolean {
  if (word.startsWith('/') || word.includes('//')) return word.split('/').some((part) => part.length >= 20 && looksRandom(part))
  const bare = word.replace(/=+$/, '')
  if (/^[0-9a-fA-F]{32,}$/.test(bare)) return entropyBits(bare) > 2.5
  const digits = bare.replace(/\D/g, '').length
  const [upper, lower] = [/[A-Z]/.test(bare), /[a-z]/.test(bare)]
  if (upper && lower && digits > 0) return entropyBits(bare) >= (digits === 1 ? 4.3 : 3.9)
  // One case only: names with dashes and counters look like this, so each part between dashes has to be random.
  return bare.split(/[-_/]/).some((part) => part.length >= 28 && part.replace(/\D/g, '').length >= 5 && entropyBits(part) >= 3.7)
}

/** Shannon entropy per character. */
function entropyBits(text: string): number {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length)
  return bits
}
