/** The parts of a Collector's configuration that its supervisor writes: own telemetry, the link to the supervisor, and the pipeline that does nothing. */
import { createMap } from '../value.ts'
import type { ConfigMap, ConfigValue } from '../value.ts'

/** Where one signal of the Collector's own telemetry goes. */
export interface ExportDestination {
  /** Full URL of an OTLP/HTTP receiver, path included. Empty: the signal is not exported. */
  readonly endpoint: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Paths of PEM files that the Collector can read. */
  readonly tls?: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string }
}

/** An absent signal is not exported. */
export interface ExportDestinations {
  readonly metrics?: ExportDestination
  readonly logs?: ExportDestination
  readonly traces?: ExportDestination
}

/** How the Collector's `opamp` extension finds its supervisor. */
export interface SupervisorLink {
  /** Canonical text of the instance uid. */
  readonly instanceUid: string
  /** Of the supervisor's own OpAMP server, on 127.0.0.1. */
  readonly port: number
  readonly supervisorPid: number
  /** How often the Collector looks whether its supervisor still runs. */
  readonly pollIntervalMs: number
  readonly reportsAvailableComponents: boolean
  /** The Collector's resource attributes become part of its description. Default false. */
  readonly includeResourceAttributes?: boolean
}

/** The extension `opamp`, enabled. */
export function opampExtensionFragment(link: SupervisorLink): ConfigMap {
  return mapOf({
    extensions: mapOf({
      opamp: mapOf({
        instance_uid: link.instanceUid,
        server: mapOf({ ws: mapOf({ endpoint: `ws://127.0.0.1:${link.port}/v1/opamp`, tls: mapOf({ insecure: true }) }) }),
        ppid: link.supervisorPid,
        ppid_poll_interval: formatGoDuration(link.pollIntervalMs),
        capabilities: mapOf({ reports_available_components: link.reportsAvailableComponents }),
        ...(link.includeResourceAttributes === true ? { agent_description: mapOf({ include_resource_attributes: true }) } : {}),
      }),
    }),
    service: mapOf({ extensions: ['opamp'] }),
  })
}

/** Exporters for the offered destinations; empty when there is none. */
export function exportFragment(destinations: ExportDestinations): ConfigMap {
  const telemetry = createMap()
  const { traces, metrics, logs } = destinations
  if (isExported(traces)) telemetry['traces'] = mapOf({ processors: [mapOf({ batch: otlpExporter(traces) })] })
  if (isExported(metrics)) telemetry['metrics'] = mapOf({ readers: [mapOf({ periodic: otlpExporter(metrics) })] })
  if (isExported(logs)) telemetry['logs'] = mapOf({ processors: [mapOf({ batch: otlpExporter(logs) })] })
  return Object.keys(telemetry).length === 0 ? createMap() : mapOf({ service: mapOf({ telemetry }) })
}

function isExported(destination: ExportDestination | undefined): destination is ExportDestination {
  return destination !== undefined && destination.endpoint !== ''
}

function otlpExporter({ endpoint, headers, tls }: ExportDestination): ConfigMap {
  const otlp = mapOf({ protocol: 'http/protobuf', endpoint })
  if (headers.length > 0) otlp['headers'] = headerMap(headers)
  if (tls?.caFile !== undefined) otlp['certificate'] = tls.caFile
  if (tls?.certFile !== undefined) otlp['client_certificate'] = tls.certFile
  if (tls?.keyFile !== undefined) otlp['client_key'] = tls.keyFile
  return mapOf({ exporter: mapOf({ otlp }) })
}

/** A name that comes several times is one header with all values, as in HTTP. */
function headerMap(headers: ExportDestination['headers']): ConfigMap {
  const map = createMap()
  for (const [name, value] of headers) map[name] = Object.hasOwn(map, name) ? `${String(map[name])},${value}` : value
  return map
}

/** Logs that a supervisor can read, and the resource that the Agent reports itself as. */
export function resourceFragment(attributes: Readonly<Record<string, string>>): ConfigMap {
  const logs = mapOf({ encoding: 'json', error_output_paths: ['stderr'], output_paths: ['stdout'] })
  const resource = Object.keys(attributes).length === 0 ? null : mapOf(attributes)
  return mapOf({ service: mapOf({ telemetry: mapOf({ logs, resource }) }) })
}

/** Something to run where a Collector does not start without a pipeline. */
export function noopPipelineFragment(): ConfigMap {
  return mapOf({
    receivers: mapOf({ nop: null }),
    exporters: mapOf({ nop: null }),
    service: mapOf({ pipelines: mapOf({ traces: mapOf({ receivers: ['nop'], exporters: ['nop'] }) }) }),
  })
}

function mapOf(entries: Readonly<Record<string, ConfigValue>>): ConfigMap {
  return Object.assign(createMap(), entries)
}

/** As Go writes a duration: `1m30s`, `1.5s`, `500ms`. */
export function formatGoDuration(durationMs: number): string {
  if (durationMs === 0) return '0s'
  if (durationMs < 1000) return `${durationMs}ms`
  const hours = Math.floor(durationMs / 3_600_000)
  const minutes = Math.floor(durationMs / 60_000) % 60
  const seconds = (durationMs % 60_000) / 1000
  return `${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${seconds}s`
}
