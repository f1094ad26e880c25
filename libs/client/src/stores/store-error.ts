/** Values and names that a store does not take. */

export type StoreErrorCode = 'bad-name' | 'too-large'

export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** Largest value by default. Settings with certificates have a few KiB. */
export const defaultMaxValueBytes = 4 * 1024 * 1024

/** Lower case only, because some file systems take `A` and `a` for the same; begins with no dot, which hides a file. */
const namePattern = /^[a-z0-9][a-z0-9._-]{0,63}$/

export function assertName(name: string): void {
  if (!namePattern.test(name)) throw new StoreError('bad-name', 'a name has 1 to 64 of a-z, 0-9, ".", "_" and "-", and begins with a letter or digit')
}

export function assertSize(name: string, bytes: number, maxBytes: number): void {
  if (bytes > maxBytes) throw new StoreError('too-large', `"${name}" has ${bytes} bytes, more than the ${maxBytes} that are taken`)
}
