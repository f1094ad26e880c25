/** A named file of configuration text, as it is offered to an agent or reported by it. */

export interface ConfigFile {
  /** Key in the agent's config map. May be empty; never a path to trust. */
  readonly name: string
  readonly contentType: string
  readonly body: string
}

/**
 * Order in which a supervisor merges files: by the bytes of their names, the empty name last.
 * UTF-16 order differs from byte order above U+FFFF, so code points are compared.
 */
export function compareFileNames(a: string, b: string): number {
  if (a === b) return 0
  if (a === '') return 1
  if (b === '') return -1
  const left = Array.from(a, codePoint)
  const right = Array.from(b, codePoint)
  for (let index = 0; index < Math.min(left.length, right.length); index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

const codePoint = (character: string): number => character.codePointAt(0) ?? 0
