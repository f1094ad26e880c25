/** What `validate` refuses: unknown components, dangling references, a service without pipelines. */
import { readBehaviour } from './behaviour.ts'
import { stubComponents, typeOf } from './components.ts'
import type { ComponentSection } from './components.ts'
import { ConfigurationError, mapAt, textsAt } from './configuration.ts'
import type { ConfigMap } from './configuration.ts'
import { allowNoPipelines } from './feature-gates.ts'

const sections: readonly string[] = [...Object.keys(stubComponents), 'service']
const undecodable = 'failed to get config: cannot unmarshal the configuration: decoding failed due to the following error(s):\n\n'

/** Throws a ConfigurationError with the words of the real Collector. */
export function checkConfiguration(config: ConfigMap, featureGates: ReadonlySet<string>): void {
  for (const key of Object.keys(config)) if (!sections.includes(key)) throw new ConfigurationError(`${undecodable}'' has invalid keys: ${key}`)
  for (const [section, types] of Object.entries(stubComponents)) {
    for (const id of Object.keys(mapAt(config, section))) {
      if (types.includes(typeOf(id))) continue
      throw new ConfigurationError(`${undecodable}'${section}' unknown type: "${typeOf(id)}" for id: "${id}" (valid values: [${types.join(' ')}])`)
    }
  }
  checkService(config, featureGates)
  const { invalid } = readBehaviour(config)
  if (invalid !== undefined) throw new ConfigurationError(`invalid configuration: ${invalid}`)
}

function checkService(config: ConfigMap, featureGates: ReadonlySet<string>): void {
  const pipelines = mapAt(config, 'service', 'pipelines')
  if (Object.keys(pipelines).length === 0 && !featureGates.has(allowNoPipelines))
    throw new ConfigurationError('invalid configuration: service::pipelines config validation failed: service must have at least one pipeline')
  for (const id of textsAt(config, 'service', 'extensions')) expectDefined(config, 'extensions', id, 'service::extensions')
  for (const [pipeline, settings] of Object.entries(pipelines)) {
    const where = `service::pipelines::${pipeline}`
    for (const [section, noun] of [
      ['receivers', 'receiver'],
      ['exporters', 'exporter'],
    ] as const) {
      const ids = textsAt(settings, section)
      if (ids.length === 0) throw new ConfigurationError(`invalid configuration: ${where}: must have at least one ${noun}`)
      for (const id of ids) if (mapAt(config, 'connectors')[id] === undefined) expectDefined(config, section, id, where)
    }
    for (const id of textsAt(settings, 'processors')) expectDefined(config, 'processors', id, where)
  }
}

function expectDefined(config: ConfigMap, section: ComponentSection, id: string, where: string): void {
  if (mapAt(config, section)[id] === undefined)
    throw new ConfigurationError(`invalid configuration: ${where}: references ${section.slice(0, -1)} "${id}" which is not configured`)
}
