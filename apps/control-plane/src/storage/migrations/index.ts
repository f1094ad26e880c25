/** Every migration, in order. They only go forward; each runs in one transaction of its own. */
import { initial } from './0001-initial.ts'
import { rollouts } from './0002-rollouts.ts'
import type { Migration } from './migration.ts'

export const migrations: readonly Migration[] = [initial, rollouts]
