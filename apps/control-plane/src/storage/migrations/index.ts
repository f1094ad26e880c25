/** Every migration, in order. They only go forward; each runs in one transaction of its own. */
import { initial } from './0001-initial.ts'
import { sessionsOfTokens } from './0002-sessions-of-tokens.ts'
import { macsOfEffectiveConfigs } from './0003-macs-of-effective-configs.ts'

export interface Migration {
  /** The schema version that the store has afterwards. */
  readonly version: number
  /** Runs SQL statements; must not begin or end transactions. */
  readonly up: (execute: (sql: string) => void) => void
}

export const migrations: readonly Migration[] = [initial, sessionsOfTokens, macsOfEffectiveConfigs]
