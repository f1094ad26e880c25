/** Which names of keys, headers and parameters stand for a secret value. */

/** `secret`: everything below is secret. `guarded`: a text right there is, maps below decide for themselves. */
export type NameVerdict = 'secret' | 'guarded' | 'plain'

const strongParts = ['password', 'passwd', 'passphrase', 'secret', 'token', 'credential', 'cookie', 'privatekey', 'apikey', 'accesskey']
const guardedParts = ['auth', 'certificate']

/** Names that hold one of the parts and yet say nothing secret. */
const harmless: ReadonlySet<string> = new Set([
  'author',
  'authority',
  'authenticator',
  'authenticators',
  'authtype',
  'authmechanism',
  'authmode',
  'authurl',
  'maxtokens',
  'tokenizer',
  'tokenurl',
  'tokenttl',
  'routingkey',
  'partitionkey',
  'sortkey',
  'publickey',
  'mapkey',
  'labelkey',
  'tagkey',
  'attributekey',
  'dedupkey',
  'groupbykey',
  'messagekey',
  'bodykey',
  'insecurekey',
])

/** Endings of names whose value tells where or how, not what: `key_file`, `token_ttl`. */
const harmlessEndings = [
  'file',
  'files',
  'filename',
  'path',
  'paths',
  'dir',
  'ttl',
  'interval',
  'timeout',
  'enabled',
  'lifetime',
  'length',
  'count',
  'extension',
]

/** Headers that carry no credential; every other header value is taken for one. */
const harmlessHeaders: ReadonlySet<string> = new Set([
  'accept',
  'acceptencoding',
  'cachecontrol',
  'connection',
  'contentencoding',
  'contentlength',
  'contenttype',
  'host',
  'origin',
  'referer',
  'useragent',
  'xscopeorgid',
  'xrequestid',
])

const words = (name: string): string[] =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')

/** The verdict on a key in configuration text. A lone `key` names what is looked up, as in `key: host.name`, and is no secret. */
export function judgeName(name: string): NameVerdict {
  const known = verdicts.get(name)
  if (known !== undefined) return known
  const verdict = judge(name)
  if (verdicts.size >= maxVerdicts) verdicts.clear()
  if (name.length <= maxKnownLength) verdicts.set(name, verdict)
  return verdict
}

/** Configurations repeat a few hundred names. */
const verdicts = new Map<string, NameVerdict>()
const maxVerdicts = 2000
const maxKnownLength = 64

function judge(name: string): NameVerdict {
  // Longer names are no names; the check itself stays cheap.
  const parts = words(name.slice(0, 256))
  const joined = parts.join('')
  if (harmless.has(joined)) return 'plain'
  const last = parts.at(-1) ?? ''
  if (parts.length > 1 && harmlessEndings.includes(last)) return 'plain'
  if (strongParts.some((part) => joined.includes(part))) return 'secret'
  if (parts.length > 1 && (last === 'key' || last === 'keys')) return 'secret'
  if (last === 'pwd' || last === 'dsn' || last === 'pat') return 'secret'
  return guardedParts.some((part) => joined.includes(part)) ? 'guarded' : 'plain'
}

export function isSecretName(name: string): boolean {
  return judgeName(name) !== 'plain'
}

export function isHarmlessHeader(name: string): boolean {
  return harmlessHeaders.has(words(name.slice(0, 256)).join(''))
}

/** Maps or lists of request headers: `headers`, `response_headers`, `metadata` of gRPC. */
export function isHeaderCollection(name: string): boolean {
  return /(?:^|_|-)headers?$/i.test(name.slice(0, 256).replace(/([a-z])([A-Z])/g, '$1_$2'))
}
