/** What an agent reported is known again by a keyed hash, so that it is not redacted again after a restart. */
import type { Migration } from './index.ts'

export const macsOfEffectiveConfigs: Migration = { version: 3, up: (execute) => execute('alter table agents add column effective_config_mac text;') }
