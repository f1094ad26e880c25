/** How much configuration text is read: what is larger is refused before or while it is parsed. */

export interface ConfigLimits {
  /** Of one file, as UTF-8. */
  readonly maxFileBytes: number
  /** Of all files together, as UTF-8. A WebSocket message has at most 4 MiB in all. */
  readonly maxTotalBytes: number
  readonly maxFiles: number
  /** Nesting of maps and lists, aliases followed. */
  readonly maxDepth: number
  /** Values of a document, counting what an alias stands for each time it is used: an alias bomb runs into this. */
  readonly maxValues: number
  /** Line ends, commas and opening brackets of one file: parsing takes time for each, so they are counted before. */
  readonly maxBreaks: number
  /** Findings reported for one file; the rest would repeat the first. */
  readonly maxFindings: number
  readonly maxFileNameLength: number
}

export const defaultLimits: ConfigLimits = {
  maxFileBytes: 1024 * 1024,
  maxTotalBytes: 3 * 1024 * 1024,
  maxFiles: 100,
  maxDepth: 100,
  maxValues: 100_000,
  maxBreaks: 50_000,
  maxFindings: 50,
  maxFileNameLength: 255,
}

/** Why a text is too large to be read, e.g. `is larger than 1048576 bytes`; undefined: it is not. */
export function whyTooLarge(text: string, { maxFileBytes, maxBreaks }: Pick<ConfigLimits, 'maxFileBytes' | 'maxBreaks'> = defaultLimits): string | undefined {
  if (isLongerThan(text, maxFileBytes)) return `is larger than ${maxFileBytes} bytes`
  return hasMoreBreaksThan(text, maxBreaks) ? `has more than ${maxBreaks} lines and items` : undefined
}

/** Bytes of a text as UTF-8, without encoding it when it is certainly too long or certainly short enough. */
export function isLongerThan(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return true
  if (text.length * 3 <= maxBytes) return false
  return byteLength(text) > maxBytes
}

/** Whether a text has more line ends, commas and opening brackets than that. */
export function hasMoreBreaksThan(text: string, max: number): boolean {
  let count = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === 10 || code === 13 || code === 44 || code === 91 || code === 123) count++
    if (count > max) return true
  }
  return false
}

export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length
}
