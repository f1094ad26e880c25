/** Attributes of agents as selectors see them, packed: a fleet repeats its keys and values, so each text is kept once. */

/** Key, value, key, value, … */
export type PackedAttributes = readonly string[]

export const noAttributes: PackedAttributes = []

/** Texts kept once. Forgets all of them when there are too many; those in use live on where they are used. */
export class TextPool {
  readonly #maxTexts: number
  #texts = new Map<string, string>()

  constructor(maxTexts = 200_000) {
    this.#maxTexts = maxTexts
  }

  intern(text: string): string {
    const known = this.#texts.get(text)
    if (known !== undefined) return known
    if (this.#texts.size >= this.#maxTexts) this.#texts = new Map()
    this.#texts.set(text, text)
    return text
  }
}

export function packAttributes(entries: Iterable<readonly [string, string]>, pool: TextPool): PackedAttributes {
  const packed: string[] = []
  for (const [key, value] of entries) packed.push(pool.intern(key), pool.intern(value))
  return packed
}

/** A dozen keys are found faster by looking than by hashing. The last of equal keys counts. */
export function attribute(packed: PackedAttributes, key: string): string | undefined {
  for (let i = packed.length - 2; i >= 0; i -= 2) if (packed[i] === key) return packed[i + 1]
  return undefined
}

export function sameAttributes(a: PackedAttributes, b: PackedAttributes): boolean {
  return a.length === b.length && a.every((text, i) => text === b[i])
}
