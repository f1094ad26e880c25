/** What people decided, as the agents part reads it; and the two features that decisions are made of, joined where they need each other. */
import type { ConfigFile } from '@drover/api'
import { parseSelector } from '@drover/fleet'
import { createConfigStore } from './configs/store.ts'
import type { ConfigStore } from './configs/store.ts'
import { createGroupStore } from './groups/store.ts'
import type { GroupStore } from './groups/store.ts'
import type { Decisions, Foundation } from './seams.ts'

export interface DecisionStores extends Decisions {
  readonly configs: ConfigStore
  readonly groups: GroupStore
}

export function createDecisions({ store, blobs, clock }: Foundation): DecisionStores {
  const configs = createConfigStore(blobs, clock)
  const groups = createGroupStore(clock)
  const readFiles = async (config: string, version: number): Promise<readonly ConfigFile[]> => {
    const row = await configs.findVersion(store.read, config, version)
    if (row === undefined) throw new Error(`the version ${config}@${version} is missing in the store`)
    return configs.readFiles(store.read, row)
  }
  return {
    configs,
    groups,
    readFiles,
    readGroups: async () =>
      (await groups.readAll(store.read)).map(({ group, configs: refs }) => ({
        name: group.name,
        selector: parseSelector(group.selector),
        priority: group.priority,
        revision: group.revision,
        configs: refs,
      })),
  }
}
