/** Reads configuration files from disk or stdin. */
import { readFile, readdir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import type { ConfigFile } from '@drover/api'
import { CliError, UsageError } from '../errors.ts'
import type { Io } from '../io.ts'

const maxBytes = 4 * 1024 * 1024

/** Paths of files, of folders (their .yaml and .yml files), or `-` for stdin. Files are named as on disk, without their folder. */
export async function readConfigFiles(io: Io, paths: readonly string[]): Promise<ConfigFile[]> {
  const files: ConfigFile[] = []
  for (const path of paths) {
    if (path === '-') files.push({ name: 'config.yaml', contentType: 'text/yaml', body: await io.readStdin() })
    else for (const file of await listFiles(resolve(io.cwd, path))) files.push({ name: basename(file), contentType: 'text/yaml', body: await readText(file) })
  }
  const twice = files.find(({ name }, place) => files.findIndex((other) => other.name === name) !== place)
  if (twice !== undefined) throw new UsageError(`two files are named ${twice.name}: files of one config need different names`)
  return files
}

/** A file of a person's own, relative to where the command runs. */
export function readTextFile(io: Pick<Io, 'cwd'>, path: string): Promise<string> {
  return readText(resolve(io.cwd, path))
}

async function listFiles(path: string): Promise<readonly string[]> {
  const info = await stat(path).catch((cause: unknown) => unreadable(path, cause))
  if (!info.isDirectory()) return [path]
  const names = (await readdir(path)).filter((name) => /\.ya?ml$/.test(name)).toSorted()
  if (names.length === 0) throw new CliError(`${path} has no .yaml files`)
  return names.map((name) => join(path, name))
}

async function readText(path: string): Promise<string> {
  const bytes = await readFile(path).catch((cause: unknown) => unreadable(path, cause))
  if (bytes.length > maxBytes) throw new CliError(`${path} has ${bytes.length} bytes; a config file may have ${maxBytes}`)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new CliError(`${path} is not UTF-8 text`, { cause })
  }
}

function unreadable(path: string, cause: unknown): never {
  const { code } = cause as NodeJS.ErrnoException
  const reason =
    { ENOENT: 'there is no such file', EACCES: 'permission denied', EISDIR: 'it is a folder' }[code ?? ''] ??
    (cause instanceof Error ? cause.message : String(cause))
  throw new CliError(`cannot read ${path}: ${reason}`, { cause })
}
