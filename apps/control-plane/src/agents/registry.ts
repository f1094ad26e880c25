/** All agents in memory, with counts and indexes that follow each change. Nothing here walks over all agents unless a caller asks for a list. */
import type { AgentCounts } from '@drover/api'
import type { InstanceUid } from '@drover/protocol'
import { LABEL_PREFIX, nameOf } from './agent-record.ts'
import type { AgentRecord } from './agent-record.ts'
import { AttributeCatalogue } from './attribute-catalogue.ts'
import { TextPool, sameAttributes } from './attributes.ts'
import type { PackedAttributes } from './attributes.ts'
import { count, emptyCounts } from './counts.ts'
import type { MutableCounts } from './counts.ts'
import { SortedIndex } from './sorted-index.ts'

export class Registry {
  readonly texts = new TextPool()
  readonly byName = new SortedIndex<AgentRecord, string>((record) => record.name)
  readonly byFirstSeen = new SortedIndex<AgentRecord, number>((record) => record.firstSeenAt)
  readonly catalogue = new AttributeCatalogue()
  readonly #byId = new Map<string, AgentRecord>()
  readonly #byUid = new Map<InstanceUid, AgentRecord>()
  readonly #counts = emptyCounts()
  readonly #countsByGroup = new Map<string, MutableCounts>()
  readonly #connectedByPrincipal = new Map<string, number>()

  get size(): number {
    return this.#byId.size
  }

  counts(): AgentCounts {
    return this.#counts
  }

  countsByGroup(): ReadonlyMap<string, AgentCounts> {
    return this.#countsByGroup
  }

  connectedByPrincipal(): ReadonlyMap<string, number> {
    return this.#connectedByPrincipal
  }

  all(): IterableIterator<AgentRecord> {
    return this.#byId.values()
  }

  byId(id: string): AgentRecord | undefined {
    return this.#byId.get(id)
  }

  byUid(uid: InstanceUid): AgentRecord | undefined {
    return this.#byUid.get(uid)
  }

  /** By agent id or instance uid, as people type them. */
  find(idOrUid: string): AgentRecord | undefined {
    return this.#byId.get(idOrUid) ?? this.#byUid.get(idOrUid.toLowerCase() as InstanceUid) // as: any other text is simply not found
  }

  add(record: AgentRecord): void {
    this.#byId.set(record.id, record)
    this.#byUid.set(record.uid, record)
    this.byName.add(record)
    this.byFirstSeen.add(record)
    this.#catalogueAttributes(record.attributes, 1)
    this.#catalogueLabels(record.labels, 1)
    this.#tally(record, 1)
  }

  remove(record: AgentRecord): void {
    if (!this.#isHere(record)) return
    this.#byId.delete(record.id)
    if (this.#byUid.get(record.uid) === record) this.#byUid.delete(record.uid)
    this.byName.remove(record)
    this.byFirstSeen.remove(record)
    this.#catalogueAttributes(record.attributes, -1)
    this.#catalogueLabels(record.labels, -1)
    this.#tally(record, -1)
  }

  /** Changes what is counted: connection, staleness, health, state of the configuration, assignment. Of a forgotten agent nothing is counted. */
  change(record: AgentRecord, mutate: (record: AgentRecord) => void): void {
    const here = this.#isHere(record)
    if (here) this.#tally(record, -1)
    mutate(record)
    if (here) this.#tally(record, 1)
  }

  /** False when they are as before. */
  setAttributes(record: AgentRecord, attributes: PackedAttributes): boolean {
    if (!this.#isHere(record) || sameAttributes(record.attributes, attributes)) return false
    this.#catalogueAttributes(record.attributes, -1)
    this.byName.remove(record)
    record.attributes = attributes
    record.name = nameOf(record.uid, attributes)
    this.byName.add(record)
    this.#catalogueAttributes(attributes, 1)
    return true
  }

  setLabels(record: AgentRecord, labels: Readonly<Record<string, string>>): void {
    if (!this.#isHere(record)) return
    this.#catalogueLabels(record.labels, -1)
    record.labels = labels
    this.#catalogueLabels(labels, 1)
  }

  /** The agent goes by another uid from now on; the record stays. */
  rename(record: AgentRecord, uid: InstanceUid): void {
    if (!this.#isHere(record)) return
    this.#byUid.delete(record.uid)
    this.byName.remove(record)
    record.previousUids = [...record.previousUids.slice(-9), record.uid]
    record.uid = uid
    record.name = nameOf(uid, record.attributes)
    this.byName.add(record)
    this.#byUid.set(uid, record)
  }

  #isHere(record: AgentRecord): boolean {
    return this.#byId.get(record.id) === record
  }

  #tally(record: AgentRecord, by: 1 | -1): void {
    const counted = { connected: record.connection !== undefined, stale: record.stale, healthy: record.healthy, configState: record.configState }
    count(this.#counts, counted, by)
    for (const group of record.assignment?.groups ?? []) {
      const counts = this.#countsByGroup.get(group) ?? emptyCounts()
      count(counts, counted, by)
      if (counts.total === 0) this.#countsByGroup.delete(group)
      else this.#countsByGroup.set(group, counts)
    }
    const principal = record.connection?.principal
    if (principal === undefined) return
    const connected = (this.#connectedByPrincipal.get(principal) ?? 0) + by
    if (connected === 0) this.#connectedByPrincipal.delete(principal)
    else this.#connectedByPrincipal.set(principal, connected)
  }

  #catalogueAttributes(attributes: PackedAttributes, by: 1 | -1): void {
    for (let i = 0; i + 1 < attributes.length; i += 2) this.#catalogueOne(attributes[i] ?? '', attributes[i + 1] ?? '', by)
  }

  #catalogueLabels(labels: Readonly<Record<string, string>>, by: 1 | -1): void {
    for (const [key, value] of Object.entries(labels)) this.#catalogueOne(LABEL_PREFIX + key, value, by)
  }

  #catalogueOne(key: string, value: string, by: 1 | -1): void {
    if (by === 1) this.catalogue.add(key, value)
    else this.catalogue.remove(key, value)
  }
}
