/** Whether files may become a version. */
import type { ConfigFile, Finding } from '@drover/api'
import { InvalidInputError } from '../http/errors.ts'
import { checkFiles, toFieldErrors } from './validation.ts'

/** @throws {InvalidInputError} naming every error; warnings are returned. */
export function acceptFiles(files: readonly ConfigFile[], fragment: boolean | undefined): readonly Finding[] {
  const names = new Set(files.map((file) => file.name))
  if (names.size < files.length)
    throw new InvalidInputError('two files have the same name', [{ field: 'body.files', message: 'every file needs a name of its own' }])
  const { valid, findings } = checkFiles({ files, fragment })
  if (valid) return findings
  const errors = toFieldErrors(files, findings)
  throw new InvalidInputError(
    `the configuration has ${errors.length === 1 ? 'an error' : `${errors.length} errors`}, so nothing was stored: ${errors[0]?.message}`,
    errors,
    'invalid-configuration',
  )
}
