/** What a supervisor would do with a file, in words: for `drover supervisor check`. Pure; no secrets in it. */
import { redactText } from '@drover/agent-config'
import type { Restrictions } from '@drover/agent-config'
import { formatGoDuration } from './go-duration.ts'
import type { LoadedConfig } from './load-config.ts'
import type { ConfigFinding } from './finding.ts'
import type { ConfigSource, Credential, SupervisorConfig } from './supervisor-config.ts'

export interface Explanation {
  readonly file: string
  readonly sections: readonly ExplainedSection[]
  /** What the stock supervisor would do otherwise with the same file. */
  readonly differences: readonly string[]
  readonly notes: readonly ConfigFinding[]
}

export interface ExplainedSection {
  readonly title: string
  readonly facts: readonly (readonly [name: string, value: string])[]
}

export function explainConfig({ file, config, notes }: LoadedConfig): Explanation {
  return {
    file,
    sections: [
      { title: 'Server', facts: explainServer(config) },
      { title: 'Agent', facts: explainAgent(config) },
      { title: 'Configuration', facts: explainSources(config) },
      ...(config.drover.restrictions === undefined ? [] : [{ title: 'Remote configuration may use', facts: explainRestrictions(config.drover.restrictions) }]),
      { title: 'On this machine', facts: explainMachine(config) },
    ],
    differences: explainDifferences(config),
    notes,
  }
}

type Facts = ExplainedSection['facts']

/** Without what may be a secret in it. */
export function shownEndpoint(endpoint: string): string {
  const url = URL.parse(endpoint)
  return url === null ? '' : `${url.protocol}//${url.host}${url.pathname}`
}

function explainServer({ server, capabilities }: SupervisorConfig): Facts {
  const protocol = URL.parse(server.endpoint)?.protocol ?? ''
  const { proxy } = server
  return [
    ['endpoint', shownEndpoint(server.endpoint)],
    ['transport', protocol.startsWith('ws') ? 'WebSocket' : 'HTTP, polling'],
    ['TLS', explainTls(server.tls, protocol === 'wss:' || protocol === 'https:')],
    ['headers', [...new Set(server.headers.map(([name]) => name))].join(', ') || 'none'],
    ['authentication', explainAuth(server.auth)],
    [
      'proxy',
      proxy.kind === 'url'
        ? shownEndpoint(proxy.url)
        : proxy.kind === 'none'
          ? 'none'
          : 'as the environment says (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY)',
    ],
    ['capabilities', [...capabilities].join(', ')],
  ]
}

function explainTls(tls: SupervisorConfig['server']['tls'], isSecure: boolean): string {
  if (!isSecure) return 'no'
  const authorities =
    tls.ca === undefined ? "the system's authorities" : tls.includeSystemCa ? "the given and the system's authorities" : 'the given authorities'
  return [
    tls.insecureSkipVerify ? 'yes, any certificate is taken' : `yes, with ${authorities}`,
    ...(tls.cert === undefined ? [] : ['with a client certificate']),
    ...(tls.serverName === undefined ? [] : [`the certificate must be for ${tls.serverName}`]),
    ...(tls.minVersion === undefined ? [] : [`from ${tls.minVersion}`]),
    ...(tls.maxVersion === undefined ? [] : [`up to ${tls.maxVersion}`]),
  ].join(', ')
}

function explainAuth(auth: SupervisorConfig['server']['auth']): string {
  const from = (source: Credential) => (source.kind === 'file' ? ` from ${source.path}, read for each connection` : '')
  if (auth === undefined) return 'by headers and certificate alone'
  if (auth.kind === 'bearer') return `a token in ${auth.header}${from(auth.token)}`
  return `user and password${from(auth.password)}`
}

function explainAgent({ agent, drover }: SupervisorConfig): Facts {
  const isCollector = drover.agent.kind === 'collector'
  const reload = drover.agent.kind === 'process' ? drover.agent.reload : agent.useHupConfigReload ? { kind: 'signal', signal: 'SIGHUP' } : undefined
  return [
    ['runs', redactText([agent.executable, ...agent.args].join(' '))],
    ['as', isCollector ? 'an OpenTelemetry Collector' : `a program of its own, ${drover.agent.kind === 'process' ? drover.agent.name : ''}`],
    ['environment', Object.keys(agent.env).join(', ') || 'that of the supervisor'],
    ['instance uid', agent.instanceId ?? 'made at the first start and kept'],
    ['new configuration', reload === undefined ? 'checked, then by a restart' : `checked, then by ${'signal' in reload ? reload.signal : 'a reload command'}`],
    ['applied when', `healthy ${formatGoDuration(agent.configApplyTimeoutMs)} later, without a crash in between`],
    ['first answer within', formatGoDuration(agent.bootstrapTimeoutMs)],
    ['stopped within', formatGoDuration(drover.stopTimeoutMs)],
  ]
}

const sourceNames: Readonly<Record<Exclude<ConfigSource['kind'], 'file'>, string>> = {
  'own-telemetry': 'where own telemetry goes ($OWN_TELEMETRY_CONFIG)',
  'opamp-extension': 'the link to the supervisor ($OPAMP_EXTENSION_CONFIG)',
  remote: 'what the Server offers ($REMOTE_CONFIG)',
}

function explainSources({ agent, drover }: SupervisorConfig): Facts {
  const sources = agent.configFiles.filter(({ kind }) => drover.agent.kind === 'collector' || kind === 'file' || kind === 'remote')
  return [
    ...sources.map((source, index) => [`${index + 1}.`, source.kind === 'file' ? source.path : sourceNames[source.kind]] as const),
    ...(drover.agent.kind === 'process' ? [['written to', drover.agent.configFile] as const] : []),
    ...(agent.startupFallbackConfigs.length === 0 ? [] : [['without Server and anything kept', agent.startupFallbackConfigs.join(', ')] as const]),
  ]
}

function explainRestrictions({ components, paths, references }: Restrictions): Facts {
  const list = (items: readonly string[] | undefined) => (items === undefined ? 'any' : items.join(', ') || 'none')
  return [
    ...(['receiver', 'processor', 'exporter', 'connector', 'extension'] as const).map((kind) => [`${kind}s`, list(components[kind])] as const),
    ['files in', list(paths)],
    ['references to', list(references)],
  ]
}

function explainMachine({ agent, storageDirectory, telemetry, healthcheck, drover }: SupervisorConfig): Facts {
  const agentLog = `agent.log in the storage, ${drover.logs.maxFiles} files of up to ${drover.logs.maxFileBytes / 2 ** 20} MiB`
  const exported = (['logs', 'metrics'] as const).flatMap((signal) =>
    telemetry.export[signal] === undefined ? [] : [`${signal} to ${shownEndpoint(telemetry.export[signal].endpoint)}`],
  )
  return [
    ['storage', storageDirectory],
    ['own log', `${telemetry.logLevel} and above, to ${telemetry.logOutputPaths.join(', ') || 'nowhere'}`],
    ["agent's log", agent.passthroughLogs ? "in the supervisor's own" : agentLog],
    ['own telemetry', exported.join(', ') || 'where the Server says'],
    ['health', healthcheck === undefined ? 'not served' : `http://${healthcheck.host === '' ? '*' : healthcheck.host}:${healthcheck.port}${healthcheck.path}`],
  ]
}

function explainDifferences({ agent, capabilities, drover }: SupervisorConfig): readonly string[] {
  if (drover.agent.kind === 'process') return ['The stock supervisor runs Collectors alone.']
  return [
    'A new configuration is checked by the Collector itself before the running one is touched; the stock supervisor does so with agent.validate_config: true.',
    'When a configuration fails, the last good one comes back at once and FAILED is reported for the other; the stock supervisor leaves the Collector with the bad one.',
    ...(agent.crashLogSnippetKib === 0
      ? []
      : [`The last ${agent.crashLogSnippetKib} KiB of the Collector's log are reported when it crashes, without secrets.`]),
    ...(agent.passthroughLogs ? [] : ["The Collector's log is kept over restarts and rotated; the stock supervisor begins it anew at each start."]),
    ...(capabilities.has('AcceptsOpAMPConnectionSettings')
      ? [
          'Offered connection settings are proven before they are used, kept over a restart, and their status is reported (ReportsConnectionSettingsStatus); the stock supervisor takes them unseen, forgets them at a restart and says nothing.',
          ...(drover.connection.allowWeakerTls ? [] : ['Offered connection settings with weaker TLS than the present ones are refused.']),
        ]
      : []),
  ]
}
