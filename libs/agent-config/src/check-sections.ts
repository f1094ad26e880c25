/** Checks the top level of a Collector configuration: sections, component ids, placeholders, extensions. */
import type { ComponentKind } from './components.ts'
import { componentKinds, definedIds, parseComponentId, sections } from './components.ts'
import type { Path, ReportPath } from './finding.ts'
import type { ConfigMap, ConfigValue } from './value.ts'
import { child, hasPlaceholder, isMap } from './value.ts'

const topLevelKeys: ReadonlySet<string> = new Set([...Object.values(sections), 'service'])
const serviceKeys: ReadonlySet<string> = new Set(['extensions', 'pipelines', 'telemetry'])

export function checkSections(config: ConfigMap, report: ReportPath): void {
  for (const key of Object.keys(config)) {
    if (!topLevelKeys.has(key)) report('warning', 'unknown-section', `a Collector knows no section ${JSON.stringify(key)}; most refuse to start with it`, [key])
  }
  for (const kind of componentKinds) checkSection(config, kind, report)
  const service = config['service']
  if (service !== undefined && service !== null && !isMap(service) && !hasPlaceholder(service)) report('error', 'wrong-type', 'service is a map', ['service'])
  if (isMap(service)) {
    for (const key of Object.keys(service)) {
      if (!serviceKeys.has(key)) report('warning', 'unknown-key', `service has no key ${JSON.stringify(key)}`, ['service', key])
    }
  }
  checkExtensions(config, report)
}

function checkSection(config: ConfigMap, kind: ComponentKind, report: ReportPath): void {
  const name = sections[kind]
  const section = config[name]
  if (section === undefined || section === null || hasPlaceholder(section)) return
  if (!isMap(section)) {
    report('error', 'wrong-type', `${name} is a map of component ids and their settings`, [name])
    return
  }
  for (const [id, settings] of Object.entries(section)) {
    if (!hasPlaceholder(id) && parseComponentId(id) === undefined) report('error', 'invalid-component-id', invalidId(id), [name, id])
    if (settings !== null && !isMap(settings) && !hasPlaceholder(settings))
      report('error', 'wrong-type', `the settings of ${kind} ${JSON.stringify(id)} are a map`, [name, id])
  }
}

export function invalidId(id: string): string {
  return `${JSON.stringify(id)} is no component id: write a type such as "otlp", or a type and a name such as "otlp/2"`
}

function checkExtensions(config: ConfigMap, report: ReportPath): void {
  const list = child(config['service'], 'extensions')
  const open = hasPlaceholder(config['extensions'])
  const defined = new Set(definedIds(config, 'extension'))
  const enabled = new Set<string>()
  if (list !== undefined && list !== null && !Array.isArray(list) && !hasPlaceholder(list)) {
    report('error', 'wrong-type', 'service.extensions is a list of component ids', ['service', 'extensions'])
  }
  const items = Array.isArray(list) ? list : []
  items.forEach((item, index) => {
    const path = ['service', 'extensions', index]
    if (typeof item !== 'string') report('error', 'wrong-type', 'service.extensions is a list of component ids', path)
    else if (hasPlaceholder(item)) return
    else if (parseComponentId(item) === undefined) report('error', 'invalid-component-id', invalidId(item), path)
    else if (!defined.has(item) && !open)
      report('error', 'unknown-component', `service.extensions names ${JSON.stringify(item)}, which is not defined in extensions`, path)
    if (typeof item === 'string') enabled.add(item)
  })
  const certain = !hasPlaceholder(list) && !items.some(hasPlaceholder)
  if (!certain) return
  for (const id of defined) {
    if (!enabled.has(id)) report('warning', 'unused-component', `extension ${JSON.stringify(id)} is not in service.extensions`, ['extensions', id])
  }
  checkAuthenticators(config, enabled, report)
}

/** `auth: { authenticator: id }` anywhere in a component needs that extension to run. */
function checkAuthenticators(config: ConfigMap, enabled: ReadonlySet<string>, report: ReportPath): void {
  const visit = (value: ConfigValue, path: Path): void => {
    if (Array.isArray(value)) value.forEach((item, index) => visit(item, [...path, index]))
    if (!isMap(value)) return
    const id = child(value['auth'], 'authenticator')
    if (typeof id === 'string' && !hasPlaceholder(id) && !enabled.has(id)) {
      report('error', 'extension-not-enabled', `the authenticator ${JSON.stringify(id)} is not in service.extensions`, [...path, 'auth', 'authenticator'])
    }
    for (const [key, item] of Object.entries(value)) visit(item, [...path, key])
  }
  for (const name of ['receivers', 'exporters', 'extensions']) visit(config[name] ?? null, [name])
}

const ownPlaceholder = /\$\{(drover:[^}]{0,256})\}/g

/** What Drover fills in: attributes and labels by any name, variables and secrets by an identifier. */
const knownReference = /^drover:(?:(?:agent|label)\.[^{}$\s][^{}$\n]*|(?:var|secret)\.[A-Za-z_][A-Za-z0-9_]{0,62})$/

/** `${env:…}` and `${file:…}` are the Collector's to fill in; `${drover:…}` is Drover's, so that what names nothing would never be. */
export function checkPlaceholders(config: ConfigMap, report: ReportPath): void {
  const check = (text: string, path: Path): void => {
    for (const match of text.matchAll(ownPlaceholder)) {
      const name = match[1] ?? ''
      // `$$` is an escaped dollar sign: the text is meant as it is.
      if (isEscaped(text, match.index) || knownReference.test(name)) continue
      const known = ['agent', 'label', 'var', 'secret'].map((kind) => `\${drover:${kind}.NAME}`).join(', ')
      report('error', 'unknown-reference', `\${${name}} names nothing: there are ${known}; write $\${ for the text itself`, path)
    }
  }
  const visit = (value: ConfigValue, path: Path): void => {
    if (typeof value === 'string') check(value, path)
    else if (Array.isArray(value)) value.forEach((item, index) => visit(item, [...path, index]))
    else if (isMap(value)) {
      for (const [key, item] of Object.entries(value)) {
        check(key, [...path, key])
        visit(item, [...path, key])
      }
    }
  }
  visit(config, [])
}

function isEscaped(text: string, offset: number): boolean {
  let dollars = 0
  while (text[offset - 1 - dollars] === '$') dollars++
  return dollars % 2 === 1
}
