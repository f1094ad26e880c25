/** What a template needs before it works, and which of it is there. Pure. */
import type { Template } from '@drover/api'

export type Category = Template['category']

export const categoryTitles: Readonly<Record<Category, string>> = {
  gateway: 'Gateways',
  host: 'Hosts',
  kubernetes: 'Kubernetes',
  logs: 'Logs',
  metrics: 'Metrics',
  traces: 'Traces',
}

/** Categories that have templates, in the order of the table above. */
export function categoriesOf(templates: readonly Pick<Template, 'category'>[]): readonly Category[] {
  const all = Object.keys(categoryTitles) as readonly Category[] // as: the keys of the table above
  return all.filter((category) => templates.some((template) => template.category === category))
}

/** Those whose title, description or components have every word. */
export function searchTemplates(templates: readonly Template[], text: string): readonly Template[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  return templates.filter(({ title, description, components }) => {
    const haystack = [title, description, ...components.map(({ kind, type }) => `${kind} ${type}`)].join(' ').toLowerCase()
    return words.every((word) => haystack.includes(word))
  })
}

/** Secrets that it names and that are not there yet. */
export function missingSecrets({ secrets }: Pick<Template, 'secrets'>, known: readonly string[]): readonly string[] {
  return secrets.map(({ name }) => name).filter((name) => !known.includes(name))
}

/** A name for the config: the template's, or the next that is free. */
export function freeConfigName(name: string, taken: readonly string[]): string {
  if (!taken.includes(name)) return name
  for (let number = 2; ; number++) if (!taken.includes(`${name}-${number}`)) return `${name}-${number}`
}
