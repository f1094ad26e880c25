/** Reads lists from the server page by page. */

export interface Page<T> {
  readonly items: readonly T[]
  readonly nextCursor: string | null
  readonly total: number
}

const largestPage = 500

/** At most `limit` items (0: all of them), in one page as the server would give it. */
export async function readPages<T>(limit: number, read: (query: { limit: number; cursor?: string }) => Promise<{ readonly data: Page<T> }>): Promise<Page<T>> {
  const items: T[] = []
  let cursor: string | undefined
  for (;;) {
    const wanted = limit === 0 ? largestPage : Math.min(largestPage, limit - items.length)
    const { data } = await read({ limit: wanted, ...(cursor === undefined ? {} : { cursor }) })
    items.push(...data.items)
    if (data.nextCursor === null || (limit > 0 && items.length >= limit)) return { items, nextCursor: data.nextCursor, total: data.total }
    cursor = data.nextCursor
  }
}
