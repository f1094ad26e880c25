/** Every key of the supervisor's file. */
import { optional, withDefault } from './key.ts'
import type { Keys } from './key.ts'
import { allowList, anything, choice, command, duration, headers, integer, logLevel, map, size, text, textMap, texts, yesNo } from './key-type.ts'
import { healthcheckKeys } from './keys-without-effect.ts'

const newer = { origin: 'newer' } as const
const ours = { origin: 'drover' } as const

const serverKeys = {
  'server.endpoint': optional(text, 'Where the Server is: `ws:`, `wss:`, `http:` or `https:`; the scheme selects the transport. Required.'),
  'server.headers': withDefault(headers, [], 'Headers of each connection and request.'),
  'server.auth': optional(text, 'Name of the extension under `extensions` that proves who the supervisor is.', newer),
  'server.tls.ca_file': optional(text, 'Authorities to trust instead of those of the system.'),
  'server.tls.ca_pem': optional(text, 'The same, as PEM text.'),
  'server.tls.include_system_ca_certs_pool': withDefault(yesNo, false, "Trust the system's authorities as well."),
  'server.tls.cert_file': optional(text, "The client's certificate."),
  'server.tls.cert_pem': optional(text, 'The same, as PEM text.'),
  'server.tls.key_file': optional(text, 'Its private key.'),
  'server.tls.key_pem': optional(text, 'The same, as PEM text.'),
  'server.tls.insecure': withDefault(yesNo, false, 'The scheme of the endpoint decides whether there is TLS.', {
    withoutEffect: 'the scheme of server.endpoint decides whether there is TLS, for the stock supervisor as well',
  }),
  'server.tls.insecure_skip_verify': withDefault(yesNo, false, 'Take any certificate. For tries on one machine.'),
  'server.tls.server_name_override': optional(text, "Name that the certificate must have, instead of the endpoint's host."),
  'server.tls.min_version': optional(choice(['1.0', '1.1', '1.2', '1.3']), 'Oldest version of TLS.', { shownDefault: '1.2' }),
  'server.tls.max_version': optional(choice(['1.0', '1.1', '1.2', '1.3']), 'Newest version of TLS.', { shownDefault: '1.3' }),
  'server.tls.cipher_suites': withDefault(texts, [], 'Cipher suites for TLS 1.2 and older, by the names that Go gives them.', { shownDefault: 'a safe list' }),
  'server.tls.reload_interval': optional(duration('zero'), 'How often certificate files are read again.', {
    withoutEffect: 'certificate files are read when the supervisor starts; restart it when they have changed',
  }),
  'server.tls.curve_preferences': optional(anything, 'Curves for the key exchange.', { withoutEffect: 'the default curves are used' }),
  'server.tls.tpm': optional(map, 'A private key in a trusted platform module. `enabled: true` is refused.', {}),
} satisfies Keys

const capabilityKeys = {
  'capabilities.accepts_remote_config': withDefault(yesNo, false, 'Take configurations from the Server.'),
  'capabilities.reports_remote_config': withDefault(yesNo, false, 'Say whether they were applied.'),
  'capabilities.reports_effective_config': withDefault(yesNo, true, 'Report the configuration that runs.'),
  'capabilities.reports_health': withDefault(yesNo, true, 'Report the health of the agent and its parts.'),
  'capabilities.reports_heartbeat': withDefault(yesNo, true, 'Let the Server choose how often the supervisor reports.'),
  'capabilities.reports_available_components': withDefault(yesNo, false, 'Report which components the Collector contains.'),
  'capabilities.accepts_restart_command': withDefault(yesNo, false, 'Restart the agent when the Server says so.'),
  'capabilities.accepts_opamp_connection_settings': withDefault(
    yesNo,
    false,
    'Take endpoint, headers and certificates of the OpAMP connection from the Server.',
  ),
  'capabilities.reports_own_metrics': withDefault(yesNo, true, 'Send own metrics where the Server says.'),
  'capabilities.reports_own_logs': withDefault(yesNo, false, 'Send own logs where the Server says.'),
  'capabilities.reports_own_traces': withDefault(yesNo, false, 'Send own traces where the Server says.'),
  'capabilities.accepts_packages': withDefault(yesNo, false, 'Install packages. `true` is refused: there is no package installation yet.', newer),
  'capabilities.reports_package_statuses': withDefault(yesNo, false, 'Report packages. `true` is refused: there is no package installation yet.', newer),
} satisfies Keys

const agentKeys = {
  'agent.executable': optional(text, 'The program to run. Required; it must exist.'),
  'agent.args': withDefault(texts, [], 'Arguments behind those that the supervisor gives.'),
  'agent.env': withDefault(textMap, {}, 'Environment variables besides those of the supervisor.'),
  'agent.instance_id': optional(text, 'A UUID to use instead of one that is made at the first start.'),
  'agent.config_files': withDefault(
    texts,
    [],
    'Local configuration files, later ones win; `$OWN_TELEMETRY_CONFIG`, `$OPAMP_EXTENSION_CONFIG` and `$REMOTE_CONFIG` stand for what the supervisor and the Server bring.',
  ),
  'agent.startup_fallback_configs': withDefault(texts, [], 'Whole configurations to run when the first start finds no Server and none is kept.', newer),
  'agent.config_apply_timeout': withDefault(
    duration('positive'),
    5_000,
    'How long after it was given to the agent a new configuration has to be healthy to count as applied.',
  ),
  'agent.bootstrap_timeout': withDefault(duration('positive'), 3_000, 'How long the agent may take to say who it is.'),
  'agent.orphan_detection_interval': withDefault(duration('positive'), 5_000, 'How often the Collector looks whether its supervisor is still there.'),
  'agent.opamp_server_port': withDefault(integer(0, 65_535), 0, "Port of 127.0.0.1 for the Collector's extension; 0: any free one."),
  'agent.opamp_server_socket': optional(map, "Socket for the Collector's extension.", {
    ...newer,
    withoutEffect: "the Collector's extension is given a port of 127.0.0.1 instead",
  }),
  'agent.passthrough_logs': withDefault(yesNo, false, "Write what the agent says into the supervisor's log instead of a file of its own."),
  'agent.use_hup_config_reload': withDefault(yesNo, false, 'Let the Collector read a new configuration by SIGHUP instead of a restart.'),
  'agent.validate_config': withDefault(yesNo, true, 'A new configuration is checked with the Collector itself before the running one is touched: always.'),
  'agent.automatic_config_rollback': withDefault(yesNo, true, 'A configuration that fails is replaced by the last good one: always.', newer),
  'agent.collector_crash_log_snippet_kib': withDefault(
    integer(0, 1_024),
    4,
    'How much of the end of its log is reported when the agent crashes, in KiB, without secrets; 0: nothing.',
    newer,
  ),
  'agent.description.identifying_attributes': withDefault(textMap, {}, 'Attributes that identify the agent, over those that it reports.'),
  'agent.description.non_identifying_attributes': withDefault(textMap, {}, 'Other attributes of it, over those that it reports.'),
  'agent.description.include_resource_attributes': withDefault(yesNo, false, "Report the Collector's resource attributes as well.", newer),
  'agent.package': optional(anything, 'How packages are installed.', { ...newer, withoutEffect: 'there is no package installation yet' }),
  'agent.health_check_port': optional(anything, 'A port of older versions.', {
    withoutEffect: 'health comes through the opamp extension; healthcheck.endpoint serves that of the supervisor',
  }),
} satisfies Keys

const otherKeys = {
  'storage.directory': withDefault(text, '/var/lib/otelcol/supervisor', 'Where the supervisor keeps its state.', {
    shownDefault: '/var/lib/otelcol/supervisor; on Windows %ProgramData%\\Otelcol\\Supervisor',
  }),
  'healthcheck.endpoint': optional(text, 'HOST:PORT of `/health`: 200 as soon as state and configuration are loaded, connected or not.'),
  ...healthcheckKeys,
  'telemetry.logs.level': withDefault(logLevel, 'info', "How much the supervisor's own log has."),
  'telemetry.logs.output_paths': withDefault(texts, ['stdout'], 'Where it is written: `stdout`, `stderr` or files.'),
  'telemetry.logs.error_output_paths': withDefault(texts, ['stderr'], 'Where trouble with writing it is written.', {
    withoutEffect: 'the log is written to output_paths alone, by the stock supervisor as well',
  }),
  'telemetry.logs.processors': optional(anything, 'OTLP over HTTP receiver for it.'),
  'telemetry.metrics.level': optional(text, "How many of the supervisor's metrics there are.", { withoutEffect: 'the supervisor has one set of metrics' }),
  'telemetry.metrics.readers': optional(anything, "OTLP over HTTP receiver for the supervisor's own metrics."),
  'telemetry.traces.level': optional(text, "How many of the supervisor's spans there are.", { withoutEffect: 'the supervisor has one set of spans' }),
  'telemetry.traces.propagators': optional(anything, 'How spans find their parents.', { withoutEffect: 'its spans have none' }),
  'telemetry.traces.processors': optional(anything, "OTLP over HTTP receiver for the supervisor's own spans: its bootstrap, and each configuration."),
  'telemetry.resource': optional(anything, "Resource attributes of the supervisor's own telemetry."),
  extensions: withDefault(map, {}, 'Extensions by name, for `server.auth`: `bearertokenauth` and `basicauth`.', newer),
} satisfies Keys

const droverKeys = {
  'drover.agent.kind': withDefault(
    choice(['collector', 'process']),
    'collector',
    'What `agent.executable` is: an OpenTelemetry Collector, or any other program.',
    ours,
  ),
  'drover.agent.name': optional(text, '`process`: its name, reported as `service.name`.', { ...ours, shownDefault: "the executable's file name" }),
  'drover.agent.version': optional(text, '`process`: its version.', ours),
  'drover.agent.version_command': optional(command, '`process`: prints its version.', ours),
  'drover.agent.config_file': optional(text, '`process`: where it reads its configuration. Required.', ours),
  'drover.agent.validate_command': optional(command, '`process`: ends with 0 when the configuration `{config}` is good.', ours),
  'drover.agent.reload.signal': optional(choice(['SIGHUP', 'SIGUSR1', 'SIGUSR2']), '`process`: makes it read its configuration again.', ours),
  'drover.agent.reload.command': optional(command, '`process`: does the same.', ours),
  'drover.agent.health.command': optional(command, '`process`: ends with 0 while it is healthy.', ours),
  'drover.agent.health.url': optional(text, '`process`: answers with a status below 400 while it is healthy.', ours),
  'drover.agent.health.interval': withDefault(duration('positive'), 5_000, '`process`: how often that is asked.', ours),
  'drover.agent.stop_timeout': withDefault(duration('positive'), 10_000, 'How long the agent may take to end before it is killed.', ours),
  'drover.connection.allow_weaker_tls': withDefault(yesNo, false, 'Take connection settings whose TLS is weaker than that of the present ones.', ours),
  'drover.connection.proof_timeout': withDefault(duration('positive'), 20_000, 'How long offered connection settings may take to prove themselves.', ours),
  'drover.connection.proxy': withDefault(text, 'environment', '`environment`, `none`, or the URL of a proxy.', ours),
  'drover.logs.max_file_size': withDefault(
    size(2 ** 16, 2 ** 30),
    10 * 2 ** 20,
    "How large a file of the agent's log becomes before the next one is begun.",
    ours,
  ),
  'drover.logs.max_files': withDefault(integer(1, 1_000), 3, 'How many of these files are kept, the current one included.', ours),
  'drover.restrictions.components.receivers': components('receivers'),
  'drover.restrictions.components.processors': components('processors'),
  'drover.restrictions.components.exporters': components('exporters'),
  'drover.restrictions.components.connectors': components('connectors'),
  'drover.restrictions.components.extensions': components('extensions'),
  'drover.restrictions.paths': optional(
    allowList('paths', isPlainPath, 'takes an absolute path without .. and wildcards; a folder stands for all that is in it'),
    'Files and folders that remote configuration may name.',
    { ...ours, shownDefault: 'any' },
  ),
  'drover.restrictions.references': optional(
    allowList('schemes', (text) => /^[A-Za-z][A-Za-z0-9+.-]+$/.test(text), 'takes the scheme of a reference, such as env or file'),
    'What `${scheme:…}` remote configuration may refer to; `env` is also for `${NAME}`.',
    { ...ours, shownDefault: 'any' },
  ),
} satisfies Keys

function components(kind: string) {
  const types = allowList('types', (text) => /^[a-zA-Z]\w{0,62}$/.test(text), 'takes the type of a component, such as otlp, which allows otlp/2 as well')
  return optional(types, `Types of ${kind} that remote configuration may define.`, { ...ours, shownDefault: 'any' })
}

/** Nothing in it that would have to be interpreted. */
function isPlainPath(text: string): boolean {
  return /^\/[^*?[\]{}\\]*$/.test(text) && !text.split('/').includes('..')
}

export const keys = { ...serverKeys, ...capabilityKeys, ...agentKeys, ...otherKeys, ...droverKeys } satisfies Keys
