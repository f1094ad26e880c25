/** `server.auth` and `extensions`: how the supervisor proves who it is, beyond fixed headers. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { optional, withDefault } from './key.ts'
import type { Keys } from './key.ts'
import { anything, text, texts } from './key-type.ts'
import { FileProblem } from './host.ts'
import type { Host } from './host.ts'
import { pathOf, readKeys } from './read-keys.ts'
import type { Report } from './read-keys.ts'
import { isRawMap, plain } from './raw-value.ts'
import type { RawMap } from './raw-value.ts'
import type { Credential, ServerAuth } from './supervisor-config.ts'

const newer = { origin: 'newer' } as const

export const bearerKeys = {
  scheme: withDefault(text, 'Bearer', 'Word before the token.', newer),
  header: withDefault(text, 'Authorization', 'Header that has it.', newer),
  token: optional(text, 'The token.', newer),
  tokens: withDefault(texts, [], 'Tokens, of which the first is sent.', newer),
  filename: optional(text, 'A file whose first line is the token; it is read again for each connection.', newer),
} satisfies Keys

export const basicKeys = {
  'client_auth.username': optional(text, 'The user.', newer),
  'client_auth.username_file': optional(text, 'A file with it.', newer),
  'client_auth.password': optional(text, 'The password.', newer),
  'client_auth.password_file': optional(text, 'A file with it; both are read again for each connection.', newer),
  'client_auth.aws_secrets_manager': optional(anything, 'Refused: there is no client for it.', newer),
  htpasswd: optional(anything, 'For servers.', { ...newer, withoutEffect: 'it is for servers' }),
} satisfies Keys

const supported = 'bearertokenauth and basicauth are supported'

export function readAuth(name: string | undefined, extensions: RawMap, host: Host, report: Report): ServerAuth | undefined {
  for (const other of Object.keys(extensions)) if (other !== name) report('note', ['extensions', other], 'has no effect: server.auth does not name it')
  if (name === undefined || name === '') return undefined
  if (!Object.hasOwn(extensions, name)) return report('error', pathOf('server.auth'), 'there is no extension of this name under extensions')
  const type = name.split('/')[0] ?? ''
  const settings = plain(extensions[name] ?? null) ?? {}
  if (!isRawMap(settings)) return report('error', ['extensions', name], 'takes keys of its own')
  const inside: Report = (severity, path, message) => report(severity, ['extensions', name, ...path], message)
  if (type === 'bearertokenauth') return readBearer(settings, host, inside)
  if (type === 'basicauth') return readBasic(settings, host, inside)
  if (type === 'oauth2client') return inside('error', [], `OAuth 2 client credentials are not supported: ${supported}`)
  return inside('error', [], `${JSON.stringify(type)} is not supported: ${supported}`)
}

function readBearer(settings: RawMap, host: Host, report: Report): ServerAuth | undefined {
  const { values } = readKeys(bearerKeys, settings, report)
  const token = credential(values.filename, values.token ?? values.tokens[0], ['filename'], host, report)
  if (token === undefined) return report('error', [], 'needs a token: give filename or token')
  return { kind: 'bearer', header: values.header, scheme: values.scheme, token }
}

function readBasic(settings: RawMap, host: Host, report: Report): ServerAuth | undefined {
  const { values, given } = readKeys(basicKeys, settings, report)
  if (given.has('client_auth.aws_secrets_manager'))
    return report('error', ['client_auth', 'aws_secrets_manager'], 'is not supported: give username and password')
  const username = credential(values['client_auth.username_file'], values['client_auth.username'], ['client_auth', 'username_file'], host, report)
  const password = credential(values['client_auth.password_file'], values['client_auth.password'], ['client_auth', 'password_file'], host, report)
  if (username === undefined) return report('error', [], 'needs client_auth.username or client_auth.username_file')
  return { kind: 'basic', username, password: password ?? { kind: 'text', text: '' } }
}

/** A file wins over a text. It has to be there at the start. */
function credential(file: string | undefined, value: string | undefined, at: readonly string[], host: Host, report: Report): Credential | undefined {
  if (file === undefined || file === '') return value === undefined || value === '' ? undefined : { kind: 'text', text: value }
  const path = resolve(host.cwd, file)
  try {
    if (firstLine(host.readText(path)) === '') report('error', at, `${path} is empty`)
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error
    report('error', at, error.message)
  }
  return { kind: 'file', path }
}

const firstLine = (content: string) => content.split('\n', 1)[0]?.trim() ?? ''

export interface HeaderSourceOptions {
  readonly read?: (path: string) => string
  /** Called once per kind of trouble, with a sentence without secrets. */
  readonly onTrouble?: (message: string) => void
}

/** For `OpampClient.setHeaderSource`: the header as it is now. While its file cannot be read, what was read last is used. */
export function headerSource(auth: ServerAuth, options: HeaderSourceOptions = {}): () => readonly (readonly [name: string, value: string])[] {
  const { read = (path) => readFileSync(path, 'utf8'), onTrouble = () => undefined } = options
  const last = new Map<string, string>()
  const complained = new Set<string>()
  const valueOf = (source: Credential): string | undefined => {
    if (source.kind === 'text') return source.text
    try {
      const value = firstLine(read(source.path))
      if (value === '') throw new Error('it is empty')
      last.set(source.path, value)
      complained.delete(source.path)
    } catch (cause) {
      if (!complained.has(source.path)) onTrouble(`cannot read ${source.path}: ${cause instanceof Error ? cause.message : String(cause)}`)
      complained.add(source.path)
    }
    return last.get(source.path)
  }
  return () => {
    if (auth.kind === 'bearer') {
      const token = valueOf(auth.token)
      return token === undefined ? [] : [[auth.header, auth.scheme === '' ? token : `${auth.scheme} ${token}`]]
    }
    const [username, password] = [valueOf(auth.username), valueOf(auth.password)]
    if (username === undefined || password === undefined) return []
    return [['Authorization', `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`]]
  }
}
