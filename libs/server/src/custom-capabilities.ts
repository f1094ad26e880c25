/** The custom capabilities of this server: a list that may change while agents are connected. */

export class CustomCapabilities {
  #names: readonly string[]
  /** There was something to say once: from then on an empty list is said, too. */
  #isSaid: boolean

  constructor(names: readonly string[]) {
    for (const name of names) assertCustomCapability(name)
    this.#names = names
    this.#isSaid = names.length > 0
  }

  get names(): readonly string[] {
    return this.#names
  }

  get isSaid(): boolean {
    return this.#isSaid
  }

  /** Names are taken as they are: they may be what another server said. False when nothing changed. */
  replace(names: readonly string[]): boolean {
    const distinct = [...new Set(names)].toSorted()
    const present = [...new Set(this.#names)].toSorted()
    if (distinct.length === present.length && distinct.every((name, index) => name === present[index])) return false
    this.#names = distinct
    this.#isSaid = true
    return true
  }
}

function assertCustomCapability(name: string): void {
  if (!/^[a-z0-9-]+(\.[A-Za-z0-9_-]+)+(\/[A-Za-z0-9._-]+)?$/.test(name)) throw new TypeError(`not the name of a custom capability: ${name}`)
}
