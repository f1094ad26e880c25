/** Which server to talk to, and with which token. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createApiClient } from '@drover/api'
import type { ApiClient } from '@drover/api'
import type { ValuesOf } from './command/spec.ts'
import { defaultUrl } from './connection-options.ts'
import type { connectionOptions } from './connection-options.ts'
import { CliError, UsageError } from './errors.ts'
import type { Io } from './io.ts'

export interface Connection {
  readonly url: string
  readonly headers: () => Record<string, string>
}

/** Throws `UsageError` for an unusable URL, `CliError` for an unreadable token file. */
export function resolveConnection(io: Pick<Io, 'env' | 'cwd'>, options: ValuesOf<typeof connectionOptions>): Connection {
  const url = checkUrl(options.url ?? emptyToUndefined(io.env['DROVER_URL']) ?? defaultUrl)
  const token = findToken(io, options, url)
  return { url, headers: () => (token === undefined ? {} : { authorization: `Bearer ${token}` }) }
}

export function connect(connection: Connection): ApiClient {
  return createApiClient({ baseUrl: connection.url, headers: connection.headers })
}

function checkUrl(given: string): string {
  const url = URL.parse(given)
  if (url === null || !['http:', 'https:'].includes(url.protocol)) throw new UsageError(`"${given}" is not an http or https address such as ${defaultUrl}`)
  return url.href.replace(/\/$/, '')
}

function findToken(io: Pick<Io, 'env' | 'cwd'>, options: ValuesOf<typeof connectionOptions>, url: string): string | undefined {
  const given = options.token ?? (options.tokenFile === undefined ? emptyToUndefined(io.env['DROVER_TOKEN']) : undefined)
  if (given !== undefined) return checkToken(given, 'the token')
  if (options.tokenFile !== undefined) return checkToken(readTokenFile(resolve(io.cwd, options.tokenFile)), `the token in ${options.tokenFile}`)
  // The token of this machine's server is for that server alone: it must not travel to another one.
  if (!isLoopback(url)) return undefined
  for (const folder of dataFolders(io)) {
    try {
      return checkToken(readFileSync(join(folder, 'admin.token'), 'utf8').trim(), `the token in ${folder}`)
    } catch {
      // The next place may have one; without any, the server says that a token is needed.
    }
  }
  return undefined
}

/** Where a server on this machine keeps its data unless told otherwise; the last is that of `npm start`. */
function dataFolders({ env, cwd }: Pick<Io, 'env' | 'cwd'>): readonly string[] {
  const checkout = join(import.meta.dirname, '..', '..', '..')
  return [emptyToUndefined(env['DROVER_DATA']), 'data', join(checkout, 'data')].filter((folder) => folder !== undefined).map((folder) => resolve(cwd, folder))
}

function isLoopback(url: string): boolean {
  const { hostname } = new URL(url)
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}

function readTokenFile(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (cause) {
    throw new CliError(`cannot read the token file ${file}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

/** A token goes into a header, so what cannot be there is said here rather than by fetch. */
function checkToken(token: string, place: string): string {
  if (!/^[\x21-\x7e]+$/.test(token)) throw new UsageError(`${place} cannot be one: a token is one word without spaces`)
  return token
}

const emptyToUndefined = (value: string | undefined) => (value === '' ? undefined : value)
