/** What a function throws, to look at it outside of a matcher. */

/** Undefined when it returns. */
export function thrownBy(run: () => unknown): unknown {
  try {
    run()
    return undefined
  } catch (error) {
    return error
  }
}
