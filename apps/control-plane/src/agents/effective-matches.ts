/** Whether what agents run has all of what they should have. Compared when somebody asks, between other work, and once for equal pairs. */
import { setImmediate } from 'node:timers/promises'
import { mergeFiles, redactFiles } from '@drover/agent-config'
import type { ConfigMap } from '@drover/agent-config'
import { driftOfValues } from '@drover/fleet'
import type { DesiredFile } from '@drover/fleet'
import type { BlobStore } from '../storage/blob-store.ts'
import type { ReadStore } from '../storage/store.ts'
import type { AgentRecord } from './agent-record.ts'
import type { Assignments } from './assignments.ts'
import type { Rendered } from './desired-state.ts'
import type { AgentStore } from './store.ts'

export interface EffectiveMatchesOptions {
  readonly store: Pick<AgentStore, 'flush'>
  readonly read: ReadStore
  readonly blobs: Pick<BlobStore, 'getJson'>
  readonly assignments: Assignments
  /** The answer for an agent that somebody asked about is there now. */
  readonly onAnswer: (record: AgentRecord) => void
  readonly log: { error(fields: object, message: string): void }
}

const MAX_ANSWERS = 50_000

export class EffectiveMatches {
  readonly #options: EffectiveMatchesOptions
  readonly #answers = new Map<string, boolean>()
  /** Of a rendered configuration, as it is compared: redacted, since that is how effective ones are kept. */
  readonly #expected = new WeakMap<Rendered, ConfigMap | undefined>()
  readonly #asked = new Set<AgentRecord>()
  #running: Promise<void> | undefined

  constructor(options: EffectiveMatchesOptions) {
    this.#options = options
  }

  /** Undefined: it was not compared yet. */
  known(record: AgentRecord): boolean | undefined {
    return this.#answers.get(keyOf(record))
  }

  /** As `known`; when that is undefined it is compared soon, and told. */
  ask(record: AgentRecord): boolean | undefined {
    const known = this.known(record)
    if (known !== undefined || !isComparable(record)) return known
    this.#asked.add(record)
    this.#running ??= this.#work().finally(() => (this.#running = undefined))
    return undefined
  }

  async compare(record: AgentRecord): Promise<void> {
    if (!isComparable(record) || this.known(record) !== undefined) return
    const { store, read, blobs, assignments } = this.#options
    const key = keyOf(record)
    const rendered = assignments.render(record)
    if (rendered === undefined || rendered.hash !== record.desiredHash) return
    await store.flush()
    const effective = (await blobs.getJson(read, record.effectiveHash ?? '')) as DesiredFile[] | undefined // as: only the intake writes it
    if (effective === undefined) return
    const expected = this.#expectedOf(rendered)
    const actual = valueOf(effective)
    if (this.#answers.size >= MAX_ANSWERS) this.#answers.clear()
    this.#answers.set(key, expected !== undefined && actual !== undefined && driftOfValues(expected, actual).length === 0)
  }

  async stop(): Promise<void> {
    this.#asked.clear()
    await this.#running
  }

  #expectedOf(rendered: Rendered): ConfigMap | undefined {
    if (this.#expected.has(rendered)) return this.#expected.get(rendered)
    const expected = valueOf(redactFiles([{ name: 'desired.yaml', contentType: 'text/yaml', body: rendered.shown.merged }]))
    this.#expected.set(rendered, expected)
    return expected
  }

  async #work(): Promise<void> {
    for (const record of this.#asked) {
      await setImmediate()
      this.#asked.delete(record)
      try {
        await this.compare(record)
        if (this.known(record) !== undefined) this.#options.onAnswer(record)
      } catch (error) {
        this.#options.log.error({ err: error, agent: record.id }, 'effective configuration not compared')
      }
    }
  }
}

function valueOf(files: readonly DesiredFile[]): ConfigMap | undefined {
  const { merged, findings } = mergeFiles(files)
  return findings.some(({ severity }) => severity === 'error') ? undefined : merged
}

function isComparable({ effectiveHash, desiredHash, assignment }: AgentRecord): boolean {
  return effectiveHash !== null && desiredHash !== null && assignment !== undefined
}

function keyOf(record: AgentRecord): string {
  return `${record.effectiveHash ?? ''} ${record.desiredHash ?? ''}`
}
