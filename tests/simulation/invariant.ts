/** A promise that was broken. */
export class InvariantBroken extends Error {
  override readonly name = 'InvariantBroken'
  /** Which one: stays the same while a failing scenario is made smaller. */
  readonly invariant: string

  constructor(invariant: string, message: string) {
    super(message)
    this.invariant = invariant
  }
}

export function broken(invariant: string, message: string): never {
  throw new InvariantBroken(invariant, message)
}
