/** `drover_state.json`: what the stock supervisor has no file for. Losing it costs a needless try, nothing else. */

export interface RememberedFailure {
  readonly hash: string
  readonly message: string
  readonly times: number
  readonly isOver: boolean
  readonly wasReflex: boolean
}

export interface Memory {
  readonly failures: readonly RememberedFailure[]
  readonly unfinished: { readonly hash: string; readonly times: number } | undefined
}

export const emptyMemory: Memory = { failures: [], unfinished: undefined }

export function formatMemory({ failures, unfinished }: Memory): string {
  const plain = failures.map(({ hash, message, times, isOver, wasReflex }) => ({ hash, message, times, isOver, wasReflex }))
  return `${JSON.stringify({ failures: plain, unfinished }, undefined, 2)}\n`
}

/** What cannot be understood is forgotten. */
export function parseMemory(text: string): Memory {
  const value = parseJson(text)
  const failures = Array.isArray(value['failures']) ? value['failures'].filter(isFailure) : []
  return { failures, unfinished: isUnfinished(value['unfinished']) ? value['unfinished'] : undefined }
}

function parseJson(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {} // as: an object
  } catch {
    return {}
  }
}

function isFailure(value: unknown): value is RememberedFailure {
  const { hash, message, times, isOver, wasReflex } = { ...(value as Partial<RememberedFailure>) } // as: each field is looked at
  const isWhole = typeof hash === 'string' && typeof message === 'string' && Number.isSafeInteger(times)
  return isWhole && typeof isOver === 'boolean' && typeof wasReflex === 'boolean'
}

function isUnfinished(value: unknown): value is { hash: string; times: number } {
  const { hash, times } = { ...(value as Partial<{ hash: string; times: number }>) } // as: each field is looked at
  return typeof hash === 'string' && Number.isSafeInteger(times)
}
