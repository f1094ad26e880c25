/** Records in order, in pieces, so that inserting into a hundred thousand moves a few hundred. */

/** Orders by a key, then by id; ids are unique. */
export interface Ordered {
  readonly id: string
}

const MAX_PIECE = 512

export class SortedIndex<T extends Ordered, Key extends string | number> {
  readonly #keyOf: (item: T) => Key
  #pieces: T[][] = []
  #size = 0

  /** The key of an item must not change while it is in the index. */
  constructor(keyOf: (item: T) => Key) {
    this.#keyOf = keyOf
  }

  get size(): number {
    return this.#size
  }

  add(item: T): void {
    const key = this.#keyOf(item)
    const at = Math.min(this.#pieceFor(key, item.id), Math.max(0, this.#pieces.length - 1))
    const piece = this.#pieces[at]
    if (piece === undefined) this.#pieces.push([item])
    else {
      piece.splice(this.#positionIn(piece, key, item.id), 0, item)
      if (piece.length > MAX_PIECE) this.#pieces.splice(at + 1, 0, piece.splice(MAX_PIECE / 2))
    }
    this.#size += 1
  }

  remove(item: T): void {
    const key = this.#keyOf(item)
    const at = this.#pieceFor(key, item.id)
    const piece = this.#pieces[at]
    const position = piece === undefined ? -1 : this.#positionIn(piece, key, item.id)
    if (piece === undefined || piece[position] !== item) return
    piece.splice(position, 1)
    if (piece.length === 0) this.#pieces.splice(at, 1)
    this.#size -= 1
  }

  /** Items after a place (or from the start), in order. */
  *after(place: { readonly key: Key; readonly id: string } | undefined): Generator<T> {
    let at = place === undefined ? 0 : this.#pieceFor(place.key, place.id)
    let from = 0
    const first = this.#pieces[at]
    if (place !== undefined && first !== undefined) {
      from = this.#positionIn(first, place.key, place.id)
      if (first[from]?.id === place.id && this.#keyOf(first[from]!) === place.key) from += 1 // there: just looked at
    }
    for (; at < this.#pieces.length; at++, from = 0) {
      const piece = this.#pieces[at] ?? []
      for (let i = from; i < piece.length; i++) yield piece[i]! // in range
    }
  }

  /** Items before a place (or from the end), in reverse order. */
  *before(place: { readonly key: Key; readonly id: string } | undefined): Generator<T> {
    let at = this.#pieces.length - 1
    let from = Number.POSITIVE_INFINITY
    if (place !== undefined) {
      at = Math.min(this.#pieceFor(place.key, place.id), this.#pieces.length - 1)
      const piece = this.#pieces[at]
      from = piece === undefined ? 0 : this.#positionIn(piece, place.key, place.id)
    }
    for (; at >= 0; at--, from = Number.POSITIVE_INFINITY) {
      const piece = this.#pieces[at] ?? []
      for (let i = Math.min(from, piece.length) - 1; i >= 0; i--) yield piece[i]! // in range
    }
  }

  /** The first piece whose last item is at or after the place; the number of pieces when there is none. */
  #pieceFor(key: Key, id: string): number {
    let low = 0
    let high = this.#pieces.length
    while (low < high) {
      const middle = (low + high) >> 1
      const last = this.#pieces[middle]?.at(-1)
      if (last !== undefined && this.#isBefore(last, key, id)) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Where in the piece the place is or would be. */
  #positionIn(piece: readonly T[], key: Key, id: string): number {
    let low = 0
    let high = piece.length
    while (low < high) {
      const middle = (low + high) >> 1
      const item = piece[middle]
      if (item !== undefined && this.#isBefore(item, key, id)) low = middle + 1
      else high = middle
    }
    return low
  }

  #isBefore(item: T, key: Key, id: string): boolean {
    const own = this.#keyOf(item)
    return own < key || (own === key && item.id < id)
  }
}
