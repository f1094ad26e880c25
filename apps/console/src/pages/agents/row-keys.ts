/** Which row of a grid a key moves to. Pure. */

/** The new row, within the grid; undefined when the key does not move. */
export function rowForKey(key: string, row: number, count: number, pageRows: number): number | undefined {
  const target = rowBeforeLimits(key, row, count, Math.max(1, pageRows))
  return target === undefined || count === 0 ? undefined : Math.max(0, Math.min(count - 1, target))
}

function rowBeforeLimits(key: string, row: number, count: number, pageRows: number): number | undefined {
  switch (key) {
    case 'ArrowDown':
    case 'j':
      return row + 1
    case 'ArrowUp':
    case 'k':
      return row - 1
    case 'PageDown':
      return row + pageRows
    case 'PageUp':
      return row - pageRows
    case 'Home':
      return 0
    case 'End':
      return count - 1
    default:
      return undefined
  }
}
