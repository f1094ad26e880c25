/** Reads what people decided, and keeps the latest of it. */
import { readTemplate } from '@drover/fleet'
import type { Template } from '@drover/fleet'
import type { Decisions, GroupRevisions, RevisionRule, Sealer } from '../seams.ts'
import { DesiredState, versionKey } from './desired-state.ts'

export interface DesiredConfigsOptions {
  readonly decisions: Decisions
  readonly sealer: Pick<Sealer, 'mac'>
  /** Every value that was read; agents may still run older ones, so those of earlier versions come as well. */
  readonly onSecrets: (values: Iterable<string>) => void
}

/** Of one secret, how far back its values are looked for in what agents report. */
const EARLIER_VERSIONS = 50

export class DesiredConfigs {
  readonly #options: DesiredConfigsOptions
  #current: DesiredState

  constructor(options: DesiredConfigsOptions) {
    this.#options = options
    this.#current = new DesiredState({ groups: [], templates: new Map(), secrets: new Map(), sealer: options.sealer })
  }

  /** Another object after each change. */
  get current(): DesiredState {
    return this.#current
  }

  /** Assignments made before belong to the past. */
  async reload(): Promise<void> {
    this.#current = await this.#read(await this.#options.decisions.readGroups())
  }

  /** As it would be if a group had this revision besides those it has. */
  async whatIf(name: string, revision: RevisionRule): Promise<DesiredState> {
    const { groups } = this.#current
    const known = groups.find((group) => group.name === name)
    const revisions = new Map(known?.revisions).set(revision.rule.revision, revision)
    return this.#read([...groups.filter((group) => group !== known), { name, current: known?.current ?? null, revisions }])
  }

  async #read(groups: readonly GroupRevisions[]): Promise<DesiredState> {
    const rules = groups.flatMap(({ revisions }) => [...revisions.values()])
    const templates = await this.#readTemplates(rules)
    const secrets = await this.#readSecrets(rules)
    this.#options.onSecrets(secrets.values())
    return new DesiredState({ groups, templates, secrets, sealer: this.#options.sealer })
  }

  /** Of every version that the revisions name; those known already are not read again. */
  async #readTemplates(rules: readonly RevisionRule[]): Promise<Map<string, readonly Template[]>> {
    const templates = new Map<string, readonly Template[]>()
    for (const { config, version } of rules.flatMap(({ rule }) => rule.configs)) {
      const key = versionKey(config, version)
      if (templates.has(key)) continue
      const known = this.#current.templates.get(key)
      templates.set(key, known ?? (await this.#options.decisions.readFiles(config, version)).map(readTemplate))
    }
    return templates
  }

  async #readSecrets(rules: readonly RevisionRule[]): Promise<Map<string, string>> {
    const latest = new Map<string, number>()
    for (const [name, version] of rules.flatMap(({ secrets }) => Object.entries(secrets))) latest.set(name, Math.max(version, latest.get(name) ?? 0))
    const values = new Map<string, string>()
    for (const [name, newest] of latest) {
      for (let version = newest; version > Math.max(0, newest - EARLIER_VERSIONS); version--) {
        const key = versionKey(name, version)
        const value = this.#current.secrets.get(key) ?? (await this.#options.decisions.readSecret(name, version))
        if (value !== undefined) values.set(key, value)
      }
    }
    return values
  }
}
