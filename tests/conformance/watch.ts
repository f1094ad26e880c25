/** Waiting for what a test's other end does: looks again after everything that happens there. */

const waitLimitMs = 30_000

export class Watch {
  readonly #listeners = new Set<() => void>()
  readonly #summary: () => string

  /** `summary` says in a failure message what did happen. */
  constructor(summary: () => string) {
    this.#summary = summary
  }

  /** Remembers something and lets everyone who waits look. */
  note(remember: () => void): void {
    remember()
    for (const listener of this.#listeners) listener()
  }

  /** Asks `look` now and after everything that happens, until it gives something. */
  async until<T>(look: () => T | undefined, what: string): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const check = () => {
      const found = look()
      if (found !== undefined) resolve(found)
    }
    const timer = setTimeout(() => reject(new Error(`${what}: not within ${waitLimitMs} ms; ${this.#summary()}`)), waitLimitMs)
    this.#listeners.add(check)
    check()
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      this.#listeners.delete(check)
    }
  }
}
