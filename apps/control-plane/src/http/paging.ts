/** Cursors of lists: opaque to callers, a key inside. */
import { InvalidInputError } from './errors.ts'

/** The parts of a cursor, as text. @throws {InvalidInputError} */
export function decodeCursor(cursor: string | undefined, parts: number): readonly string[] | undefined {
  if (cursor === undefined) return undefined
  const decoded = parseCursor(cursor)
  if (decoded === undefined || decoded.length !== parts) throw foreignCursor()
  return decoded
}

/** A part of a cursor that is a whole number. @throws {InvalidInputError} */
export function cursorNumber(part: string | undefined): number {
  if (part === undefined || !/^-?\d{1,16}$/.test(part)) throw foreignCursor()
  return Number(part)
}

function foreignCursor(): InvalidInputError {
  return new InvalidInputError('the cursor is not one of this list: take nextCursor of the page before, or begin without', [
    { field: 'query.cursor', message: 'is not a cursor of this list' },
  ])
}

export function encodeCursor(...parts: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(parts.map(String))).toString('base64url')
}

function parseCursor(cursor: string): string[] | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    return Array.isArray(value) && value.every((part) => typeof part === 'string') ? value : undefined
  } catch {
    return undefined
  }
}

/** `rows` holds one more than `limit` when there is another page. */
export function toPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  total: number,
  show: (row: Row) => Item,
  cursorOf: (row: Row) => string,
): { items: Item[]; nextCursor: string | null; total: number } {
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  return { items: page.map(show), nextCursor: rows.length > limit && last !== undefined ? cursorOf(last) : null, total }
}
