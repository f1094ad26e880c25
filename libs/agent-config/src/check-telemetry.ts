/** Checks `service.telemetry`, which every Collector reads alike. Keys that a Collector does not know yet or any more are warnings. */
import type { Path, ReportPath } from './finding.ts'
import type { ConfigMap, ConfigValue } from './value.ts'
import { child, hasPlaceholder, isMap } from './value.ts'

const path: Path = ['service', 'telemetry']

interface Signal {
  readonly keys: ReadonlySet<string>
  readonly levels: ReadonlySet<string>
  /** The key with the list of where the signal goes, and what an item of it may be. */
  readonly list: string
  readonly items: ReadonlySet<string>
}

const meterLevels: ReadonlySet<string> = new Set(['', 'none', 'basic', 'normal', 'detailed'])
const signals: Readonly<Record<string, Signal>> = {
  logs: {
    keys: new Set(
      'level development encoding disable_caller disable_stacktrace disable_zap_resource sampling output_paths error_output_paths initial_fields processors'.split(
        ' ',
      ),
    ),
    levels: new Set(['', 'debug', 'info', 'warn', 'warning', 'error', 'dpanic', 'panic', 'fatal']),
    list: 'processors',
    items: new Set(['batch', 'simple']),
  },
  metrics: { keys: new Set(['level', 'readers', 'views']), levels: meterLevels, list: 'readers', items: new Set(['pull', 'periodic']) },
  traces: {
    keys: new Set(['level', 'propagators', 'processors', 'sampler', 'limits']),
    levels: meterLevels,
    list: 'processors',
    items: new Set(['batch', 'simple']),
  },
}
/** What a resource in declarative form has, which Collectors later than 0.149 read. */
const declarative: ReadonlySet<string> = new Set(['attributes', 'attributes_list', 'detectors', 'schema_url'])

export function checkTelemetry(config: ConfigMap, report: ReportPath): void {
  const telemetry = child(config['service'], 'telemetry')
  if (!isMapToCheck(telemetry, 'service.telemetry', path, report)) return
  for (const [key, value] of Object.entries(telemetry)) {
    const signal = Object.hasOwn(signals, key) ? signals[key] : undefined
    if (signal !== undefined) checkSignal(key, signal, value, report)
    else if (key === 'resource') checkResource(value, report)
    else report('warning', 'unknown-key', `service.telemetry has no key ${JSON.stringify(key)}`, [...path, key])
  }
}

/** Absent, empty and filled in later: nothing to check. Another kind of value is reported. */
function isMapToCheck(value: ConfigValue | undefined, name: string, at: Path, report: ReportPath): value is ConfigMap {
  if (value === undefined || value === null || hasPlaceholder(value)) return false
  if (!isMap(value)) report('error', 'wrong-type', `${name} is a map`, at)
  return isMap(value)
}

function checkSignal(name: string, signal: Signal, value: ConfigValue, report: ReportPath): void {
  const at = [...path, name]
  if (!isMapToCheck(value, `service.telemetry.${name}`, at, report)) return
  for (const key of Object.keys(value)) {
    if (signal.keys.has(key)) continue
    // The most common one: it was in every example for years.
    const hint = name === 'metrics' && key === 'address' ? ' any more: use readers' : ''
    report('warning', 'unknown-key', `service.telemetry.${name} has no key ${JSON.stringify(key)}${hint}`, [...at, key])
  }
  const level = value['level']
  if (level !== undefined && level !== null && !hasPlaceholder(level) && !(typeof level === 'string' && signal.levels.has(level.toLowerCase()))) {
    const known = [...signal.levels].filter((one) => one !== '').join(', ')
    report('error', 'unknown-level', `the level of ${name} is one of ${known}`, [...at, 'level'])
  }
  checkList(name, signal, value[signal.list], report)
}

function checkList(name: string, signal: Signal, list: ConfigValue | undefined, report: ReportPath): void {
  const at = [...path, name, signal.list]
  if (list === undefined || list === null || hasPlaceholder(list)) return
  if (!Array.isArray(list)) {
    report('error', 'wrong-type', `service.telemetry.${name}.${signal.list} is a list`, at)
    return
  }
  list.forEach((item, index) => {
    if (!isMapToCheck(item, `an item of service.telemetry.${name}.${signal.list}`, [...at, index], report)) return
    for (const key of Object.keys(item)) {
      if (!signal.items.has(key)) {
        const message = `an item of service.telemetry.${name}.${signal.list} is ${[...signal.items].join(' or ')}, not ${JSON.stringify(key)}`
        report('warning', 'unknown-key', message, [...at, index, key])
      }
    }
  })
}

function checkResource(value: ConfigValue, report: ReportPath): void {
  const at = [...path, 'resource']
  if (!isMapToCheck(value, 'service.telemetry.resource', at, report)) return
  for (const [key, attribute] of Object.entries(value)) {
    if (attribute === null || typeof attribute === 'string') continue
    const message = declarative.has(key)
      ? `Collectors up to 0.149 take ${JSON.stringify(key)} for an attribute, and want a text`
      : `the attribute ${JSON.stringify(key)} of the resource is a text; put it in quotes`
    report('warning', 'attribute-not-text', message, [...at, key])
  }
}
