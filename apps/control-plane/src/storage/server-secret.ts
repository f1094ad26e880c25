/** Where the server secret comes from, and whether it is the one that this data folder was written with. */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { dirname } from 'node:path'
import type { Sealer } from '../seams.ts'
import { openDatabase } from './database.ts'
import type { OpenDatabase, OpenOptions, ReadMeta } from './database.ts'
import { StoreUnusableError } from './errors.ts'
import { createSealer } from './sealer.ts'

export interface SecretSources {
  /** Beside the database; made at first start when nothing else is given. */
  readonly path: string
  readonly databasePath: string
  /** `--secret-file`. It is never made. */
  readonly file: string | null
  /** `DROVER_SECRET`. */
  readonly value: string | undefined
}

/** In the table `meta`: proof of the secret, which says nothing about it. */
const CHECK_KEY = 'secret_check'
const MIN_CHARACTERS = 32
const ADVICE = 'make one with `openssl rand -base64 32`'

interface ServerSecret {
  readonly sealer: Sealer
  readonly check: string
}

/**
 * The database with the sealer for what is sealed in it. The secret is looked at before a byte is changed.
 * @throws {StoreUnusableError} when there is no secret though there was one, or another than before.
 */
export function openSealedDatabase(sources: SecretSources, options: OpenOptions = {}): { database: OpenDatabase; sealer: Sealer } {
  let storedCheck: string | undefined
  let found: ServerSecret | undefined
  const inspect = (readMeta: ReadMeta): void => {
    storedCheck = readMeta(CHECK_KEY)
    found = findSecret(sources, storedCheck)
  }
  const database = openDatabase(sources.databasePath, { ...options, inspect })
  try {
    const { sealer, check } = found ?? makeSecret(sources.path)
    if (storedCheck === undefined) database.handle.prepare('insert into meta (key, value) values (?, ?)').run(CHECK_KEY, check)
    return { database, sealer }
  } catch (error) {
    void database.close()
    throw error
  }
}

/** Undefined: there never was one. */
function findSecret(sources: SecretSources, storedCheck: string | undefined): ServerSecret | undefined {
  const given = readGiven(sources)
  if (given === undefined) {
    if (storedCheck === undefined) return undefined
    throw new StoreUnusableError(
      `the server secret is missing: ${sources.path} is not there, and neither DROVER_SECRET nor --secret-file is given. Restore that file from a backup, or give the secret that this data folder was used with. Nothing was changed.`,
    )
  }
  const secret = toServerSecret(given.text)
  if (storedCheck !== undefined && storedCheck !== secret.check)
    throw new StoreUnusableError(
      `the server secret in ${given.place} is not the one that ${sources.databasePath} was written with, so what is sealed there could not be read. Give the secret it was used with before. Nothing was changed.`,
    )
  return secret
}

/** Readable for nobody else. A crash leaves the whole file or none. */
function makeSecret(path: string): ServerSecret {
  const text = randomBytes(32).toString('base64url')
  const unfinished = `${path}.new`
  try {
    rmSync(unfinished, { force: true })
    writeAndSync(unfinished, `${text}\n`)
    renameSync(unfinished, path)
    syncFolder(dirname(path))
  } catch (error) {
    throw new StoreUnusableError(`the server secret ${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
  return toServerSecret(text)
}

function toServerSecret(text: string): ServerSecret {
  const sealer = createSealer(text)
  return { sealer, check: sealer.mac('drover', 'server secret check') }
}

function readGiven({ path, databasePath, file, value }: SecretSources): { text: string; place: string } | undefined {
  if (value !== undefined && file !== null) throw new StoreUnusableError('the server secret is given twice, as DROVER_SECRET and as --secret-file: keep one')
  if (value !== undefined) return { text: accept(value, 'DROVER_SECRET'), place: 'DROVER_SECRET' }
  if (file !== null) return { text: accept(readText(file), file), place: file }
  if (!existsSync(path)) return undefined
  if (!existsSync(databasePath))
    throw new StoreUnusableError(
      `${path} is there, but the database ${databasePath} is not: restore it from a backup, or move server.secret away to begin with an empty one. Nothing was changed.`,
    )
  return { text: accept(readText(path), path), place: path }
}

/** An editor or `echo` leaves a line end behind. */
function accept(text: string, place: string): string {
  const secret = text.trim()
  if (secret.length < MIN_CHARACTERS)
    throw new StoreUnusableError(`the server secret in ${place} has ${secret.length} characters; it needs at least ${MIN_CHARACTERS}: ${ADVICE}`)
  return secret
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new StoreUnusableError(`the server secret ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

function writeAndSync(path: string, text: string): void {
  const file = openSync(path, 'wx', 0o600)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
