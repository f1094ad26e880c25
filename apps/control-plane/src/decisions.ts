/** What people decided, as other parts read it; and the features that decisions are made of, joined where they need each other. */
import type { ConfigFile } from '@drover/api'
import { createDraftStore } from './configs/draft-store.ts'
import type { DraftStore } from './configs/draft-store.ts'
import { createConfigStore } from './configs/store.ts'
import type { ConfigStore } from './configs/store.ts'
import { readChange } from './groups/changes.ts'
import type { Change, ReadChange } from './groups/changes.ts'
import { createGroupStore } from './groups/store.ts'
import type { GroupStore } from './groups/store.ts'
import { createSecretStore } from './secrets/store.ts'
import type { SecretStore } from './secrets/store.ts'
import type { Decisions, Foundation } from './seams.ts'
import type { ReadStore } from './storage/store.ts'

export interface DecisionStores extends Decisions {
  readonly configs: ConfigStore
  readonly drafts: DraftStore
  readonly groups: GroupStore
  readonly secrets: SecretStore
  /** @throws {NotFoundError} @throws {InvalidInputError} when it cannot be made like this. */
  readChange(change: Change): Promise<ReadChange>
  /** Undefined: there is no such version, or its config was deleted. */
  readFilesOf(from: ReadStore, ref: { readonly config: string; readonly version: number }): Promise<readonly ConfigFile[] | undefined>
  /** By config or secret: the groups that have or may get it, and which version. */
  readConfigUses(from: ReadStore): Promise<ReadonlyMap<string, readonly Use[]>>
  readSecretUses(from: ReadStore): Promise<ReadonlyMap<string, readonly Use[]>>
}

export interface Use {
  readonly group: string
  readonly version: number
}

export function createDecisions({ store, blobs, sealer, clock }: Foundation): DecisionStores {
  const configs = createConfigStore(blobs, clock)
  const groups = createGroupStore(clock)
  const secrets = createSecretStore(sealer, clock)
  const readFilesOf: DecisionStores['readFilesOf'] = async (from, { config, version }) => {
    const row = await configs.find(from, config)
    if (row === undefined || version < row.first_version) return undefined
    const found = await configs.findVersion(from, config, version)
    return found && configs.readFiles(from, found)
  }
  const changes = {
    groups,
    readFiles: readFilesOf,
    latestSecrets: (from: ReadStore) => secrets.latestVersions(from),
    hasSecret: (from: ReadStore, name: string, version: number) => secrets.hasVersion(from, name, version),
  }
  return {
    configs,
    drafts: createDraftStore(blobs, clock),
    groups,
    secrets,
    readFilesOf,
    readChange: (change) => readChange(changes, store.read, change),
    readFiles: async (config, version) => {
      const row = await configs.findVersion(store.read, config, version)
      if (row === undefined) throw new Error(`the version ${config}@${version} is missing in the store`)
      return configs.readFiles(store.read, row)
    },
    readGroups: () => groups.readInUse(store.read),
    readSecret: (name, version) => secrets.readValue(store.read, name, version),
    readConfigUses: (from) => readUses(groups, from, ({ configs: refs }) => refs.map(({ config, version }) => [config, version])),
    readSecretUses: (from) => readUses(groups, from, (revision) => Object.entries(revision.secrets)),
  }
}

type Held = Awaited<ReturnType<GroupStore['readHeld']>>[number]

async function readUses(
  groups: GroupStore,
  from: ReadStore,
  namesIn: (revision: Held['revision']) => (readonly [name: string, version: number])[],
): Promise<Map<string, Use[]>> {
  const uses = new Map<string, Map<string, Use>>()
  for (const { group, revision } of await groups.readHeld(from)) {
    for (const [name, version] of namesIn(revision)) uses.set(name, (uses.get(name) ?? new Map<string, Use>()).set(`${group} ${version}`, { group, version }))
  }
  return new Map([...uses].map(([name, found]) => [name, [...found.values()]]))
}
