/** The query part of an address as plain texts, so that `?search=007` stays what was typed. Pure. */
export type SearchTexts = Readonly<Record<string, string>>

export function parseSearch(search: string): SearchTexts {
  return Object.fromEntries(new URLSearchParams(search))
}

/** Leaves out what is empty; commas and slashes stay readable. */
export function stringifySearch(search: Readonly<Record<string, unknown>>): string {
  const texts = new URLSearchParams()
  for (const [key, value] of Object.entries(search)) if (value !== undefined && value !== null && value !== '') texts.set(key, String(value))
  const text = texts.toString().replaceAll('%2C', ',').replaceAll('%2F', '/')
  return text === '' ? '' : `?${text}`
}

/** Keeps the named keys that have a value. */
export function pickTexts<Key extends string>(search: Readonly<Record<string, unknown>>, keys: readonly Key[]): { readonly [K in Key]?: string } {
  const picked: { [K in Key]?: string } = {}
  for (const key of keys) if (typeof search[key] === 'string' && search[key] !== '') picked[key] = search[key]
  return picked
}
