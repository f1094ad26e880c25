/** Every scenario, in the order of the comparison. */
import type { Chapter } from './scenario.ts'
import { apply } from './scenarios/apply.ts'
import { connection } from './scenarios/connection.ts'
import { lifecycle } from './scenarios/lifecycle.ts'
import { reports } from './scenarios/reports.ts'
import { rollback } from './scenarios/rollback.ts'
import { settings } from './scenarios/settings.ts'
import { start } from './scenarios/start.ts'
import { upkeep } from './scenarios/upkeep.ts'

export const chapters: readonly Chapter[] = [apply, rollback, start, lifecycle, upkeep, connection, reports, settings]
