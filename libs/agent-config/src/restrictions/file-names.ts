/** Whether a text names a file outside the allowed folders. In doubt it does. */
import type { Place } from './harmless.ts'

/** Absolute, without `..` and wildcards. */
export interface AllowedFiles {
  readonly paths: readonly string[]
  /** `otlp/2`: ids of components and pipelines are no files. */
  readonly ids: ReadonlySet<string>
}

const networkUrl = /^(?:https?|wss?|grpcs?|tcp[46]?|udp[46]?|dns|passthrough|amqps?|rediss?|mqtts?):\/\/[^\s\\{}*]*$/i
const hostAndPort = /^[\w.-]+:\d{1,5}(?:\/[\w./~-]*)?$/
const fileUrl = /^(?:file|unix):(?:\/\/)?/i
/** Blanks, quotes, colons and braces make more than one path of a text, or another one. */
const onePath = /^[\p{L}\p{N}\p{M}/._@+*?~![\]^-]*$/u
const standardStreams: ReadonlySet<string> = new Set(['', 'stdout', 'stderr'])

/** What is wrong, as the end of a sentence; undefined: nothing. */
export function judgeText(text: string, place: Place, allowed: AllowedFiles): string | undefined {
  // A Collector takes a text for a list at each comma, where it wants a list.
  for (const part of text.split(',')) {
    const problem = judgePart(part.trim(), place, allowed)
    if (problem !== undefined) return problem
  }
  return undefined
}

function judgePart(text: string, place: Place, allowed: AllowedFiles): string | undefined {
  if (fileUrl.test(text)) return judgePath(text.replace(fileUrl, ''), allowed)
  if (!text.includes('/')) {
    if (text === '.' || text === '..' || text.includes('**')) return 'names files by a relative path'
    return place === 'file' && !standardStreams.has(text) ? 'names a file by a relative path' : undefined
  }
  if (text.split('/').includes('..')) return 'climbs with ..'
  if (place !== 'file' && (networkUrl.test(text) || hostAndPort.test(text) || allowed.ids.has(text))) return undefined
  return judgePath(text, allowed)
}

export function judgePath(path: string, { paths }: Pick<AllowedFiles, 'paths'>): string | undefined {
  if (!path.startsWith('/')) return 'may name a file by a relative path'
  if (!onePath.test(path)) return 'is no plain path'
  const segments = segmentsOf(path)
  if (segments.includes('..')) return 'climbs with ..'
  const isBelow = (folder: string) => segmentsOf(folder).every((segment, index) => segments[index] === segment)
  return paths.some(isBelow) ? undefined : 'is outside'
}

function segmentsOf(path: string): readonly string[] {
  return path.split('/').filter((segment) => segment !== '' && segment !== '.')
}
