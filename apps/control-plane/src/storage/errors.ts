/** What can go wrong with the store, as types that the rest of the program can tell apart. */

/** The data folder was written by a newer Drover. Nothing was changed. */
export class NewerSchemaError extends Error {
  override readonly name = 'NewerSchemaError'
  readonly found: number
  readonly known: number
  constructor(path: string, found: number, known: number) {
    super(
      `${path} has schema version ${found}, but this Drover knows only versions up to ${known}: start a Drover at least as new as the one that wrote it, or restore a backup. Nothing was changed.`,
    )
    this.found = found
    this.known = known
  }
}

/** Another server works on this data folder. */
export class DataFolderInUseError extends Error {
  override readonly name = 'DataFolderInUseError'
  constructor(dataDir: string, pid: number | undefined) {
    super(`another Drover server${pid === undefined ? '' : ` (process ${pid})`} uses the data folder ${dataDir}: stop it, or choose another folder with --data`)
  }
}

/** The data folder or its database cannot be opened or is damaged. */
export class StoreUnusableError extends Error {
  override readonly name = 'StoreUnusableError'
}

/** Writing is not possible now (disk full, I/O error, read-only file system); nothing of the transaction was kept. A retry may help. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError'
  readonly retryable = true
}

/** What is stored does not have the content it had when it was written. */
export class BlobCorruptError extends Error {
  override readonly name = 'BlobCorruptError'
  constructor(hash: string) {
    super(`the stored body ${hash} is damaged: its content has another hash; restore it from a backup`)
  }
}

/** SQLite says that the file is damaged, or no database (https://www.sqlite.org/rescode.html). */
export function isDamage(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && [11, 26].includes(error.errcode & 0xff)
}
