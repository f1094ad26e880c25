/** Makes the supervisor's configuration of what its file says, and collects everything there is to say about it. */
import { join, resolve } from 'node:path'
import type { AgentCapability } from '@drover/protocol'
import { ProtocolError, parseInstanceUid } from '@drover/protocol'
import type { ProxySettings } from '@drover/client'
import { readAuth } from './auth.ts'
import type { Host } from './host.ts'
import { keys } from './keys.ts'
import { readAgentKind } from './process-agent.ts'
import type { RawMap } from './raw-value.ts'
import { readRestrictions } from './restrictions.ts'
import { pathOf, readKeys } from './read-keys.ts'
import type { ReadKeys, Report } from './read-keys.ts'
import type { AgentSettings, ConfigSource, DroverSettings, SupervisorConfig } from './supervisor-config.ts'
import { readTelemetry } from './telemetry.ts'
import { readTls } from './tls.ts'

type Read = ReadKeys<typeof keys>

/** The value is to be used only when no error was reported. */
export function readConfig(document: RawMap, host: Host, report: Report): SupervisorConfig {
  const read = readKeys(keys, document, report)
  const drover = readDrover(read, host, report)
  const healthcheck = readHealthcheck(read, report)
  return {
    server: readServer(read, host, report),
    capabilities: readCapabilities(read, drover.agent.kind, report),
    agent: readAgent(read, host, report),
    storageDirectory: readStorage(read, host),
    telemetry: readTelemetry(read.values, host, report),
    ...(healthcheck === undefined ? {} : { healthcheck }),
    drover,
  }
}

function readServer({ values, given }: Read, host: Host, report: Report): SupervisorConfig['server'] {
  const endpoint = values['server.endpoint'] ?? ''
  const isSecure = checkEndpoint(endpoint, values['server.headers'].length > 0 || given.has('server.auth'), given, report)
  const auth = readAuth(values['server.auth'], values.extensions, host, report)
  // As for the stock supervisor, these keys are looked at only where they count.
  const tls = isSecure ? readTls(values, host, report) : {}
  const unused = [...given].filter((key) => key.startsWith('server.tls.') && key !== 'server.tls.insecure')
  if (!isSecure && endpoint !== '') for (const key of unused) report('note', pathOf(key), 'has no effect: the endpoint is without TLS')
  return {
    endpoint,
    headers: values['server.headers'],
    tls,
    proxy: readProxy(values['drover.connection.proxy'], report),
    ...(auth === undefined ? {} : { auth }),
  }
}

const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/

/** Whether it is reached through TLS. */
function checkEndpoint(endpoint: string, hasSecrets: boolean, given: ReadonlySet<string>, report: Report): boolean {
  const at = pathOf('server.endpoint')
  if (endpoint === '') {
    report(
      'error',
      given.has('server.endpoint') ? at : pathOf('server'),
      'endpoint must be given: where the Server is, such as wss://drover.example.com/v1/opamp',
    )
    return false
  }
  const url = URL.parse(endpoint)
  if (url === null || !['ws:', 'wss:', 'http:', 'https:'].includes(url.protocol)) {
    report('error', at, 'takes an address that begins with ws://, wss://, http:// or https://')
    return false
  }
  const isSecure = url.protocol === 'wss:' || url.protocol === 'https:'
  if (!isSecure && hasSecrets && !loopback.test(url.hostname))
    report('warning', at, `what is in the headers can be read on the way to ${url.hostname}: use ${url.protocol === 'ws:' ? 'wss' : 'https'}://`)
  return isSecure
}

function readProxy(given: string, report: Report): ProxySettings {
  if (given === 'environment' || given === 'none') return { kind: given }
  const protocol = URL.parse(given)?.protocol ?? ''
  if (!['http:', 'https:', 'socks5:', 'socks5h:'].includes(protocol))
    report('error', pathOf('drover.connection.proxy'), 'takes environment, none, or an address that begins with http://, https:// or socks5://')
  return { kind: 'url', url: given, connectHeaders: [] }
}

const capabilityNames: Readonly<Partial<Record<keyof typeof keys, AgentCapability>>> = {
  'capabilities.accepts_remote_config': 'AcceptsRemoteConfig',
  'capabilities.reports_remote_config': 'ReportsRemoteConfig',
  'capabilities.reports_effective_config': 'ReportsEffectiveConfig',
  'capabilities.reports_health': 'ReportsHealth',
  'capabilities.reports_heartbeat': 'ReportsHeartbeat',
  'capabilities.reports_available_components': 'ReportsAvailableComponents',
  'capabilities.accepts_restart_command': 'AcceptsRestartCommand',
  'capabilities.accepts_opamp_connection_settings': 'AcceptsOpAMPConnectionSettings',
  'capabilities.reports_own_metrics': 'ReportsOwnMetrics',
  'capabilities.reports_own_logs': 'ReportsOwnLogs',
  'capabilities.reports_own_traces': 'ReportsOwnTraces',
}
const collectorCapabilities: readonly AgentCapability[] = ['ReportsAvailableComponents', 'ReportsOwnMetrics', 'ReportsOwnLogs', 'ReportsOwnTraces']

function readCapabilities({ values, given }: Read, kind: 'collector' | 'process', report: Report): ReadonlySet<AgentCapability> {
  const chosen = new Set<AgentCapability>(['ReportsStatus'])
  for (const [key, name] of Object.entries(capabilityNames)) if (values[key as keyof typeof keys] === true) chosen.add(name) // as: the names of the table above
  if (kind === 'process') for (const name of collectorCapabilities) chosen.delete(name)
  for (const key of ['capabilities.accepts_packages', 'capabilities.reports_package_statuses'] as const)
    if (values[key]) report('error', pathOf(key), 'cannot be true: there is no package installation yet')
  // What became of offered settings is always said.
  if (['AcceptsOpAMPConnectionSettings', 'ReportsOwnMetrics', 'ReportsOwnLogs', 'ReportsOwnTraces'].some((name) => chosen.has(name as AgentCapability)))
    chosen.add('ReportsConnectionSettingsStatus')
  if (given.size > 0 && !chosen.has('AcceptsRemoteConfig'))
    report('note', pathOf('capabilities'), 'without accepts_remote_config: true the Server cannot configure the agent')
  else if (!chosen.has('ReportsRemoteConfig'))
    report('note', pathOf('capabilities'), 'without reports_remote_config: true nobody is told whether a configuration was applied')
  return chosen
}

function readAgent({ values, given }: Read, host: Host, report: Report): AgentSettings {
  const instanceId = readInstanceId(values['agent.instance_id'], report)
  const hup = values['agent.use_hup_config_reload']
  if (hup && host.platform === 'win32') report('error', pathOf('agent.use_hup_config_reload'), 'is not possible on Windows')
  for (const [key, always] of alwaysOn) if (given.has(key) && !values[key]) report('note', pathOf(key), `has no effect: ${always}`)
  return {
    executable: readExecutable(values['agent.executable'], given, host, report),
    args: values['agent.args'],
    env: values['agent.env'],
    ...(instanceId === undefined ? {} : { instanceId }),
    orphanDetectionIntervalMs: values['agent.orphan_detection_interval'],
    configApplyTimeoutMs: values['agent.config_apply_timeout'],
    bootstrapTimeoutMs: values['agent.bootstrap_timeout'],
    opampServerPort: values['agent.opamp_server_port'],
    passthroughLogs: values['agent.passthrough_logs'],
    useHupConfigReload: hup,
    startupFallbackConfigs: values['agent.startup_fallback_configs'].map((path, index) => readFallback(path, index, host, report)),
    crashLogSnippetKib: values['agent.collector_crash_log_snippet_kib'],
    configFiles: readSources(values['agent.config_files'], host, report),
    description: {
      identifyingAttributes: values['agent.description.identifying_attributes'],
      nonIdentifyingAttributes: values['agent.description.non_identifying_attributes'],
      includeResourceAttributes: values['agent.description.include_resource_attributes'],
    },
  }
}

const alwaysOn = [
  ['agent.validate_config', 'a new configuration is always checked before the running one is touched, for that is what keeps the telemetry flowing'],
  ['agent.automatic_config_rollback', 'the last good configuration always comes back, for that is what keeps the telemetry flowing'],
] as const

function readExecutable(given: string | undefined, keysGiven: ReadonlySet<string>, host: Host, report: Report): string {
  const at = pathOf('agent.executable')
  if (given === undefined || given === '') {
    report('error', keysGiven.has('agent.executable') ? at : pathOf('agent'), 'executable must be given: the program to run')
    return ''
  }
  const path = resolve(host.cwd, given)
  const look = host.look(path)
  if (look.kind === 'absent') report('error', at, `there is no file ${path}`)
  else if (look.kind === 'forbidden') report('error', at, `${path} may not be looked at by this user`)
  else if (look.kind !== 'file') report('error', at, `${path} is not a file`)
  else if (!look.executable) report('error', at, `${path} is not executable: chmod +x it`)
  return path
}

/** Also as Go's library takes it: in braces, as a URN, without hyphens. */
function readInstanceId(given: string | undefined, report: Report): string | undefined {
  if (given === undefined || given === '') return undefined
  const digits = given.replace(/^urn:uuid:|^\{(?=.*\}$)|\}$/gi, '')
  const canonical = /^[0-9a-f]{32}$/i.test(digits) ? digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5') : digits
  try {
    return parseInstanceUid(canonical.toLowerCase())
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return report('error', pathOf('agent.instance_id'), 'takes a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057')
  }
}

function readFallback(path: string, index: number, host: Host, report: Report): string {
  const absolute = resolve(host.cwd, path)
  if (host.look(absolute).kind !== 'file') report('error', pathOf('agent.startup_fallback_configs', index), `there is no file ${absolute}`)
  return absolute
}

const specialNames: Readonly<Record<string, ConfigSource>> = {
  $OWN_TELEMETRY_CONFIG: { kind: 'own-telemetry' },
  $OPAMP_EXTENSION_CONFIG: { kind: 'opamp-extension' },
  $REMOTE_CONFIG: { kind: 'remote' },
}

/** The special names that are not there take the places that the stock supervisor gives them. */
function readSources(given: readonly string[], host: Host, report: Report): readonly ConfigSource[] {
  const sources = given.flatMap((name, index): readonly ConfigSource[] => {
    if (!name.startsWith('$')) return [readLocalFile(resolve(host.cwd, name), index, host, report)]
    const special = Object.hasOwn(specialNames, name) ? specialNames[name] : undefined
    if (special === undefined)
      report('error', pathOf('agent.config_files', index), `there is no special file ${name}: ${Object.keys(specialNames).join(', ')} are known`)
    if (special === undefined) return []
    if (given.lastIndexOf(name) === index) return [special]
    report('warning', pathOf('agent.config_files', index), `${name} is there again further down, and that place counts`)
    return []
  })
  const has = (kind: ConfigSource['kind']) => sources.some((source) => source.kind === kind)
  return [
    ...(has('own-telemetry') ? [] : [{ kind: 'own-telemetry' } as const]),
    ...sources,
    ...(has('opamp-extension') ? [] : [{ kind: 'opamp-extension' } as const]),
    ...(has('remote') ? [] : [{ kind: 'remote' } as const]),
  ]
}

function readLocalFile(path: string, index: number, host: Host, report: Report): ConfigSource {
  if (host.look(path).kind !== 'file') report('warning', pathOf('agent.config_files', index), `there is no file ${path}: it is left out until there is`)
  return { kind: 'file', path }
}

export function readStorage({ values, given }: Read, host: Host): string {
  return given.has('storage.directory') ? resolve(host.cwd, values['storage.directory']) : defaultStorageDirectory(host)
}

export function defaultStorageDirectory({ platform, env }: Pick<Host, 'platform' | 'env'>): string {
  return platform === 'win32' ? join(env['ProgramData'] ?? 'C:\\ProgramData', 'Otelcol', 'Supervisor') : keys['storage.directory'].fallback
}

function readHealthcheck({ values, given }: Read, report: Report): SupervisorConfig['healthcheck'] {
  if (given.has('healthcheck.tls')) report('error', pathOf('healthcheck.tls'), 'is not supported: the health endpoint is plain HTTP, so serve it on 127.0.0.1')
  if (given.has('healthcheck.auth')) report('error', pathOf('healthcheck.auth'), 'is not supported: the health endpoint asks for no credentials')
  const endpoint = values['healthcheck.endpoint']
  if (endpoint === undefined || endpoint === '') return undefined
  const [, bracketed, bare, port] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(endpoint) ?? []
  const at = pathOf('healthcheck.endpoint')
  if (port !== undefined && Number(port) > 65_535) return report('error', at, 'takes a port up to 65535')
  if (port === undefined) return report('warning', at, 'has no effect, as for the stock supervisor: it takes HOST:PORT, such as 127.0.0.1:13133')
  if (Number(port) === 0) return report('note', at, 'has no effect: port 0 switches it off, as for the stock supervisor')
  return { host: bracketed ?? bare ?? '', port: Number(port), path: '/health' }
}

function readDrover(read: Read, host: Host, report: Report): DroverSettings {
  const { values } = read
  return {
    agent: readAgentKind(read, host, report),
    connection: { allowWeakerTls: values['drover.connection.allow_weaker_tls'], proofTimeoutMs: values['drover.connection.proof_timeout'] },
    ...readRestrictions(read, host, report),
    logs: { maxFileBytes: values['drover.logs.max_file_size'], maxFiles: values['drover.logs.max_files'] },
    stopTimeoutMs: values['drover.agent.stop_timeout'],
  }
}
