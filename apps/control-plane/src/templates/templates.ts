/** The catalogue of templates with their files and what each needs of an agent, read once. */
import { readFileSync } from 'node:fs'
import type { ConfigFile, Template } from '@drover/api'
import { checkComponents, mergeFiles } from '@drover/agent-config'
import { catalogue } from './catalogue.ts'

let read: readonly Template[] | undefined

/** In the order in which people meet them. */
export function readTemplates(): readonly Template[] {
  read ??= catalogue.map((entry) => {
    const body = readFileSync(new URL(`./catalogue/${entry.name}.yaml`, import.meta.url), 'utf8')
    const files: ConfigFile[] = [{ name: `${entry.name}.yaml`, contentType: 'text/yaml', body }]
    // What an agent without any component would lack.
    const components = checkComponents(mergeFiles(files).merged, [])
    return { ...entry, fragment: false, components, files }
  })
  return read
}
