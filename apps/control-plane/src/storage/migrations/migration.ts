/** One step of the schema, forward only. */
export interface Migration {
  /** The schema version that the store has afterwards. */
  readonly version: number
  /** Runs SQL statements; must not begin or end transactions. */
  readonly up: (execute: (sql: string) => void) => void
}
