/** Kysely over `node:sqlite`: one connection, used by one caller at a time, with a counter of statements. */
import { SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import type { CompiledQuery, DatabaseConnection, Dialect, Driver, QueryResult } from 'kysely'
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'

export type OperationKind = 'read' | 'write'
export type CountOperation = (kind: OperationKind) => void

const MAX_PREPARED = 500

/** `count` is called once per statement; beginning and ending a transaction is not counted. */
export function createSqliteDialect(database: DatabaseSync, count: CountOperation): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new NodeSqliteDriver(database, count),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
}

class NodeSqliteDriver implements Driver {
  readonly #statements: StatementCache
  readonly #database: DatabaseSync
  readonly #count: CountOperation
  #busy = false
  readonly #waiting: (() => void)[] = []

  constructor(database: DatabaseSync, count: CountOperation) {
    this.#database = database
    this.#count = count
    this.#statements = new StatementCache(database)
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    if (this.#busy) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#busy = true
    return new NodeSqliteConnection(this.#statements, this.#count)
  }

  async beginTransaction(): Promise<void> {
    this.#database.exec('begin immediate')
  }

  async commitTransaction(): Promise<void> {
    this.#database.exec('commit')
  }

  async rollbackTransaction(): Promise<void> {
    // A full disk makes SQLite end the transaction by itself.
    if (this.#database.isTransaction) this.#database.exec('rollback')
  }

  async releaseConnection(): Promise<void> {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#busy = false
  }

  async destroy(): Promise<void> {
    this.#database.close()
  }
}

class NodeSqliteConnection implements DatabaseConnection {
  readonly #statements: StatementCache
  readonly #count: CountOperation

  constructor(statements: StatementCache, count: CountOperation) {
    this.#statements = statements
    this.#count = count
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const { statement, reads, returnsRows } = this.#statements.get(query.sql)
    this.#count(reads ? 'read' : 'write')
    const parameters = query.parameters as readonly SQLInputValue[] // as: Kysely does not know what the driver accepts; SQLite refuses the rest
    if (returnsRows) return { rows: statement.all(...parameters) as Row[] } // as: the row type is the query builder's promise
    const { changes, lastInsertRowid } = statement.run(...parameters)
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) }
  }

  // oxlint-disable-next-line require-yield -- Kysely asks for a generator; reading whole pages is all we do
  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new Error('streaming is not supported: read page by page')
  }
}

interface Prepared {
  readonly statement: StatementSync
  readonly reads: boolean
  readonly returnsRows: boolean
}

/** Preparing costs more than running a lookup by key, so statements are kept; the oldest goes first. */
class StatementCache {
  readonly #database: DatabaseSync
  readonly #prepared = new Map<string, Prepared>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  get(sql: string): Prepared {
    const known = this.#prepared.get(sql)
    if (known) return known
    const statement = this.#database.prepare(sql)
    const prepared = { statement, reads: /^\s*(select|with|pragma)\b/i.test(sql), returnsRows: statement.columns().length > 0 }
    if (this.#prepared.size >= MAX_PREPARED) {
      const [oldest] = this.#prepared.keys()
      if (oldest !== undefined) this.#prepared.delete(oldest)
    }
    this.#prepared.set(sql, prepared)
    return prepared
  }
}
