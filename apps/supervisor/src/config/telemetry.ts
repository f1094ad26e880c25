/** The `telemetry` keys: the supervisor's own log, and where its own telemetry goes. */
import { resolve } from 'node:path'
import type { Path } from '@drover/agent-config'
import type { OwnTelemetry, TelemetryDestination } from '../own-telemetry/settings.ts'
import { FileProblem } from './host.ts'
import type { Host } from './host.ts'
import type { keys } from './keys.ts'
import { pathOf } from './read-keys.ts'
import type { ReadKeys, Report } from './read-keys.ts'
import { headers as headersType, text as textType } from './key-type.ts'
import { Expanded, isRawList, isRawMap, plain } from './raw-value.ts'
import type { RawMap, RawValue } from './raw-value.ts'
import type { TelemetrySettings } from './supervisor-config.ts'

type Values = ReadKeys<typeof keys>['values']

export function readTelemetry(values: Values, host: Host, report: Report): TelemetrySettings {
  return {
    logLevel: values['telemetry.logs.level'],
    logOutputPaths: values['telemetry.logs.output_paths'].flatMap((path, index) => readOutputPath(path, index, host, report)),
    resource: readResource(values['telemetry.resource'], report),
    export: readExport(values, host, report),
  }
}

function readOutputPath(path: string, index: number, host: Host, report: Report): readonly string[] {
  if (path === 'stdout' || path === 'stderr') return [path]
  const file = path.startsWith('file://') ? path.slice('file://'.length).replace(/^localhost\//, '/') : path
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(file)) {
    report('error', pathOf('telemetry.logs.output_paths', index), 'takes stdout, stderr or a file')
    return []
  }
  return [resolve(host.cwd, file)]
}

const declarativeKeys = ['attributes', 'attributes_list', 'schema_url', 'detectors', 'detection', 'detection/development']

/** A map of attributes, or the declarative form that newer versions take. An attribute without a value is left out. */
function readResource(given: RawValue | undefined, report: Report): Readonly<Record<string, string>> {
  const bare = plain(given ?? null)
  if (bare === null) return {}
  const at = pathOf('telemetry.resource')
  if (!isRawMap(bare)) return (report('error', at, 'takes a map of attributes'), {})
  if (!declarativeKeys.some((key) => isRawList(bare[key]) || isRawMap(bare[key])) && typeof bare['attributes_list'] !== 'string')
    return attributesOf(Object.entries(bare), at, report)
  for (const key of Object.keys(bare)) if (key !== 'attributes') report('note', [...at, key], 'has no effect: attributes are taken, nothing is detected')
  const attributes = plain(bare['attributes'] ?? null) ?? []
  if (isRawMap(attributes)) return attributesOf(Object.entries(attributes), [...at, 'attributes'], report)
  if (!isRawList(attributes)) return (report('error', [...at, 'attributes'], 'takes a list of names and values'), {})
  const pairs = attributes.flatMap((item): [string, RawValue][] =>
    isRawMap(item) && typeof item['name'] === 'string' ? [[item['name'], item['value'] ?? null]] : [],
  )
  return attributesOf(pairs, [...at, 'attributes'], report)
}

function attributesOf(pairs: readonly (readonly [string, RawValue])[], at: Path, report: Report): Readonly<Record<string, string>> {
  return Object.fromEntries(
    pairs.flatMap(([name, value]) => {
      if (value === null) return []
      const bare = value instanceof Expanded ? value.text : value
      if (typeof bare === 'object') return (report('error', [...at, name], 'takes a text'), [])
      return [[name, String(bare)]]
    }),
  )
}

const signals = [
  ['telemetry.logs.processors', 'logs', ['batch', 'simple'], '/v1/logs'],
  ['telemetry.metrics.readers', 'metrics', ['periodic'], '/v1/metrics'],
  ['telemetry.traces.processors', 'traces', ['batch', 'simple'], '/v1/traces'],
] as const

function readExport(values: Values, host: Host, report: Report): OwnTelemetry {
  const destinations: { -readonly [Signal in keyof OwnTelemetry]: OwnTelemetry[Signal] } = {}
  for (const [key, signal, kinds, path] of signals) {
    const bare = plain(values[key] ?? null)
    if (bare === null) continue
    if (!isRawList(bare)) {
      report('error', pathOf(key), 'takes a list')
      continue
    }
    const found = bare.flatMap((item, index) => readDestination(item, kinds, path, pathOf(key, index), host, report) ?? [])
    if (found.length > 1) report('note', pathOf(key), 'only the first one has an effect: the supervisor sends to one receiver')
    if (found[0] !== undefined) destinations[signal] = found[0]
  }
  return destinations
}

/** `{batch: {exporter: {otlp: {…}}}}`. What is not OTLP over HTTP has no effect. */
function readDestination(item: RawValue, kinds: readonly string[], signalPath: string, at: Path, host: Host, report: Report): TelemetryDestination | undefined {
  const [kind = '', settings = null] = isRawMap(item) ? (Object.entries(item)[0] ?? []) : []
  const exporter = childMap(settings, 'exporter')
  const otlp = childMap(exporter ?? null, 'otlp') ?? childMap(exporter ?? null, 'otlp_http')
  if (!kinds.includes(kind) || otlp === undefined) return report('note', at, 'has no effect: the supervisor sends OTLP over HTTP alone')
  const protocol = otlp['protocol'] ?? 'http/protobuf'
  if (plain(protocol) !== 'http/protobuf' && plain(protocol) !== 'http/json')
    return report('note', at, 'has no effect: the supervisor sends OTLP over HTTP, not over gRPC')
  const endpoint = readUrl(otlp['endpoint'], signalPath)
  if (endpoint === undefined) return report('error', at, 'needs an endpoint that is an http or https address')
  const ca = readFile(otlp['certificate'], at, host, report)
  const cert = readFile(otlp['client_certificate'], at, host, report)
  const key = readFile(otlp['client_key'], at, host, report)
  const tls = { ...(ca === undefined ? {} : { ca }), ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) }
  return { endpoint, headers: readHeaders(otlp['headers'], at, report), ...(Object.keys(tls).length === 0 ? {} : { tls }) }
}

function childMap(value: RawValue, key: string): RawMap | undefined {
  const bare = plain(value)
  const child = isRawMap(bare) ? plain(bare[key] ?? null) : null
  return isRawMap(child) ? child : undefined
}

/** Without a path, that of the signal. */
function readUrl(value: RawValue | undefined, signalPath: string): string | undefined {
  const url = typeof value === 'string' || value instanceof Expanded ? URL.parse(value instanceof Expanded ? value.text : value) : null
  if (url === null || !['http:', 'https:'].includes(url.protocol)) return undefined
  if (url.pathname === '/') url.pathname = signalPath
  return url.href
}

/** A map, or a list of names and values. */
function readHeaders(value: RawValue | undefined, at: Path, report: Report): TelemetryDestination['headers'] {
  const bare = plain(value ?? null) ?? {}
  const map = isRawList(bare) ? Object.fromEntries(bare.flatMap((item) => (isRawMap(item) ? [[textOf(item['name']), item['value'] ?? '']] : []))) : bare
  const refuse = (message: string, inside: Path = []) => report('error', [...at, 'headers', ...inside], message)
  return headersType.read(map as RawValue, refuse) ?? [] // as: built from raw values above
}

const textOf = (value: RawValue | undefined) => textType.read(value ?? '', () => undefined) ?? ''

function readFile(value: RawValue | undefined, at: Path, host: Host, report: Report): string | undefined {
  const path = textOf(value)
  if (path === '') return undefined
  try {
    return host.readText(resolve(host.cwd, path))
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error
    return report('error', at, error.message)
  }
}
