/** Where in a Collector's configuration a text can and cannot name a file. What is in neither list is judged by the text itself. */
import { parseComponentId } from '../components.ts'
import type { Path } from '../finding.ts'

/** `text`: never a file, whatever it says. `file`: nothing but files. */
export type Place = 'text' | 'file' | 'any'

/** Components without any setting that names a file. Their settings are full of slashes: conditions, expressions, attributes. */
const withoutFiles: Readonly<Record<string, ReadonlySet<string>>> = {
  processors: new Set(
    'attributes batch cumulativetodelta deltatocumulative deltatorate filter groupbyattrs groupbytrace interval logdedup memory_limiter metricsgeneration metricstransform probabilistic_sampler redaction resource span tail_sampling transform unroll'.split(
      ' ',
    ),
  ),
  connectors: new Set('count exceptions failover forward roundrobin routing servicegraph signaltometrics spanmetrics sum'.split(' ')),
}

/** Keys that mean a text in every component that has them. */
const textKeys: ReadonlySet<string> = new Set(
  'api_key expr if layout line_end_pattern line_start_pattern metrics_path password regex token url_path'.split(' '),
)
/** Where `path` and the like are part of a URL that the component itself serves. */
const urlPathKeys: Readonly<Record<string, ReadonlySet<string>>> = {
  'extensions health_check': new Set(['path']),
  'extensions healthcheckv2': new Set(['path']),
  'receivers splunk_hec': new Set(['raw_path', 'health_path']),
  'receivers webhookevent': new Set(['path', 'health_path']),
}
/** `ca_file`, `include_paths`, `directory`, `command`: also a name without a slash is one, in the folder that the Collector runs in. */
const fileKey = /(?:(?<!pro)file|filename|path|dir|directory|directories|folder|command|exec|executable|script)s?$/i
const globKeys: ReadonlySet<string> = new Set(['include', 'exclude'])
const telemetryAttributes = /^service telemetry resource [^ ]+$/
const idLists = /^service (?:extensions|pipelines [^ ]+ (?:receivers|processors|exporters))$/

/** `path`: of a text, or of the list that it stands in. */
export function placeOf(path: Path): Place {
  const keys = path.filter((segment) => typeof segment === 'string')
  const [section = '', id = ''] = keys
  const key = keys.at(-1) ?? ''
  const type = parseComponentId(id)?.type ?? ''
  if (Object.hasOwn(withoutFiles, section) && withoutFiles[section]?.has(type)) return 'text'
  if (section === 'service') {
    const position = keys.map((one) => one.replaceAll(' ', '_')).join(' ')
    if (idLists.test(position) || telemetryAttributes.test(position)) return 'text'
  }
  if (path.at(-1) === key && path.at(-2) === 'headers') return 'text'
  if (textKeys.has(key) || key.endsWith('_url_path')) return 'text'
  const component = `${section} ${type}`
  if (Object.hasOwn(urlPathKeys, component) && urlPathKeys[component]?.has(key)) return 'text'
  return fileKey.test(key) || (section === 'receivers' && globKeys.has(key)) ? 'file' : 'any'
}

/** Keys that are ids of components or pipelines, which have a slash in them. */
export function isIdPosition(path: Path): boolean {
  return path.length === 2 || (path.length === 3 && path[0] === 'service' && path[1] === 'pipelines')
}
