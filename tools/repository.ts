/** Where the repository is, and whether a file was started rather than imported. */
import { realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const repositoryRoot = dirname(dirname(fileURLToPath(import.meta.url)))

/** Whether `url` (`import.meta.url`) is the program that Node was started with. */
export function isMain(url: string): boolean {
  const started = process.argv[1]
  return started !== undefined && pathToFileURL(realpathSync(started)).href === url
}
