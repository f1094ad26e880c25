/** What reading a supervisor's file needs of the machine. */
import { accessSync, constants, readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'

export interface Host {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Relative paths start here, as they do for the stock supervisor. */
  readonly cwd: string
  readonly platform: NodeJS.Platform
  /** Throws `FileProblem`. */
  readText(path: string): string
  look(path: string): FileLook
}

export type FileLook =
  | { readonly kind: 'file'; readonly executable: boolean /** Permission bits. */; readonly mode: number }
  | { readonly kind: 'folder' | 'other' | 'absent' | 'forbidden' }

/** Why a file cannot be read, as the end of a sentence. */
export class FileProblem extends Error {
  override readonly name = 'FileProblem'
}

/** Nobody writes more into a file that a supervisor's configuration names. */
const maxFileBytes = 1 << 20

export function nodeHost(env: Host['env'], cwd = process.cwd()): Host {
  return { env, cwd, platform: process.platform, readText, look }
}

function readText(path: string): string {
  const stats = attempt(path, () => statSync(path))
  if (!stats.isFile()) throw new FileProblem(`${path} is not a file`)
  if (stats.size > maxFileBytes) throw new FileProblem(`${path} is larger than ${maxFileBytes >> 20} MiB`)
  return attempt(path, () => readFileSync(path, 'utf8'))
}

function attempt<T>(path: string, action: () => T): T {
  try {
    return action()
  } catch (cause) {
    throw new FileProblem(`cannot read ${path}: ${reasonOf(cause)}`, { cause })
  }
}

function look(path: string): FileLook {
  try {
    const stats = statSync(path)
    if (stats.isDirectory()) return { kind: 'folder' }
    if (!stats.isFile()) return { kind: 'other' }
    return { kind: 'file', executable: isExecutable(path), mode: stats.mode & 0o777 }
  } catch (error) {
    return { kind: codeOf(error) === 'EACCES' ? 'forbidden' : 'absent' }
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'it may not be read by this user',
  EPERM: 'it may not be read by this user',
  EISDIR: 'it is a folder',
}

function reasonOf(error: unknown): string {
  return reasons[codeOf(error)] ?? (error instanceof Error ? error.message : basename(String(error)))
}

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException | undefined)?.code ?? '' // as: what node:fs throws
