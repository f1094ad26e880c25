/** Lists of headers, in which a name may stand several times, as Node wants them. Pure. */
import type { HeaderList } from './redirect.ts'

/** Names that differ in case alone are one header. */
export function groupHeaders(headers: HeaderList): Record<string, string | string[]> {
  const grouped = new Map<string, string[]>()
  for (const [name, value] of headers) grouped.set(name.toLowerCase(), [...(grouped.get(name.toLowerCase()) ?? []), value])
  return Object.fromEntries([...grouped].map(([name, values]) => [name, values.length === 1 ? values[0]! : values])) // !: never empty
}
