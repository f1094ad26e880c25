/** A real store in a temporary folder, for tests. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase } from './database.ts'
import type { OpenDatabase } from './database.ts'
import type { OperationKind } from './sqlite-dialect.ts'
import { createStore } from './store.ts'
import type { Store } from './store.ts'

export interface TestStore extends AsyncDisposable {
  readonly dir: string
  readonly store: Store
  readonly database: OpenDatabase
  readonly operations: Record<OperationKind, number>
}

export function makeTempDir(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'drover-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

export function openTestStore(options: { readonly probeIntervalMs?: number } = {}): TestStore {
  const dir = makeTempDir()
  const operations = { read: 0, write: 0 }
  const database = openDatabase(join(dir.path, 'drover.sqlite'), { count: (kind) => void operations[kind]++ })
  const quiet = { error: () => {}, warn: () => {}, info: () => {} }
  const store = createStore({ database, log: quiet, ...options })
  return {
    dir: dir.path,
    store,
    database,
    operations,
    async [Symbol.asyncDispose]() {
      await store.close()
      dir.remove()
    },
  }
}
