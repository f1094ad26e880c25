/** Which attribute and label keys agents have, and with which values: for completion in a selector. Kept by adding and taking away. */

interface Key {
  agents: number
  readonly values: Map<string, number>
}

/** Values beyond this are not counted: a key such as `host.name` has as many as there are agents, and nobody reads them all. */
const MAX_VALUES = 200
const MAX_KEYS = 2_000
const SHOWN_VALUES = 20
const LONGEST_VALUE = 256

export interface CatalogueEntry {
  readonly key: string
  readonly agents: number
  /** Most frequent first. */
  readonly values: string[]
}

export class AttributeCatalogue {
  readonly #keys = new Map<string, Key>()

  add(key: string, value: string): void {
    let entry = this.#keys.get(key)
    if (entry === undefined) {
      if (this.#keys.size >= MAX_KEYS) return
      this.#keys.set(key, (entry = { agents: 0, values: new Map() }))
    }
    entry.agents += 1
    const known = entry.values.get(value)
    if (known !== undefined) entry.values.set(value, known + 1)
    else if (entry.values.size < MAX_VALUES && value.length <= LONGEST_VALUE) entry.values.set(value, 1)
  }

  remove(key: string, value: string): void {
    const entry = this.#keys.get(key)
    if (entry === undefined) return
    entry.agents -= 1
    if (entry.agents <= 0) {
      this.#keys.delete(key)
      return
    }
    const known = entry.values.get(value)
    if (known === undefined) return
    if (known > 1) entry.values.set(value, known - 1)
    else entry.values.delete(value)
  }

  /** By key. */
  entries(): CatalogueEntry[] {
    return [...this.#keys]
      .map(([key, { agents, values }]) => ({
        key,
        agents,
        values: [...values]
          .toSorted((a, b) => b[1] - a[1])
          .slice(0, SHOWN_VALUES)
          .map(([value]) => value),
      }))
      .toSorted((a, b) => (a.key < b.key ? -1 : 1))
  }
}
