/** What `${…}` in a text refers to, and what the text would be where that can be told before the Collector runs. */

export interface Reference {
  /** As the Collector knows it, `env` for a plain `${NAME}`. Undefined: it depends on another reference, or is none that a Collector knows. */
  readonly scheme: string | undefined
  /** What follows the scheme. */
  readonly target: string
}

const whole = /\$\{([^${}]*)\}/g
const beforeBrace = /\$\{[^${}]*\}\{/
const withScheme = /^([A-Za-z][A-Za-z0-9+.-]+):(.*)$/s
const environment = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([\w.:/@-]*))?$/
/** Collectors before 0.117 filled in `$NAME`, too. */
const withoutBraces = /\$([A-Za-z_][A-Za-z0-9_]*)/g

/** Escaped ones (`$${…}`) count as well: whether they stay escaped depends on what stands before them. */
export function referencesIn(text: string): readonly Reference[] {
  if (!text.includes('${')) return []
  const found = Array.from(text.matchAll(whole), ([, inside = '']): Reference => {
    const [, scheme, target = ''] = withScheme.exec(inside) ?? []
    if (scheme !== undefined) return { scheme, target }
    return { scheme: inside.includes(':') ? undefined : 'env', target: inside }
  })
  // One inside another, one without an end, and one whose value could be the dollar sign of what follows it.
  return text.replaceAll(whole, '').includes('${') || beforeBrace.test(text) ? [...found, { scheme: undefined, target: '' }] : found
}

/**
 * The texts that it can become. Undefined: that is known only when the Collector runs. Values that the environment has are the administrator's; a
 * default is the Server's, so only one that is the same text in all readings of YAML counts.
 */
export function expansionsOf(text: string, valueOf: (name: string) => string | undefined): readonly string[] | undefined {
  let isKnown = referencesIn(text).every(({ scheme }) => scheme === 'env')
  const expanded = text.replaceAll(whole, (_, inside: string) => {
    const [, name, fallback = ''] = environment.exec(inside.replace(/^env:/, '')) ?? []
    if (name === undefined) isKnown = false
    return name === undefined ? '' : (valueOf(name) ?? fallback)
  })
  if (!isKnown || (expanded !== text && expanded.includes('${'))) return undefined
  const older = expanded.replaceAll(withoutBraces, (_, name: string) => valueOf(name) ?? '')
  return older === expanded ? [expanded] : [expanded, older]
}
