/** Keys of the health endpoint that the stock supervisor has because its HTTP server has them, and names that never were keys. */
import { optional } from './key.ts'
import type { Keys } from './key.ts'
import { anything } from './key-type.ts'

const fixed = 'the health endpoint has fixed limits'

export const healthcheckKeys = {
  'healthcheck.transport': optional(anything, 'Kind of socket.', { withoutEffect: 'the health endpoint is a TCP port' }),
  'healthcheck.tls': optional(anything, 'Serve over TLS. Refused: the health endpoint is plain HTTP.'),
  'healthcheck.auth': optional(anything, 'Ask for credentials. Refused: the health endpoint asks for none.'),
  'healthcheck.dialer': optional(anything, 'Limits.', { withoutEffect: fixed }),
  'healthcheck.cors': optional(anything, 'Origins that browsers may ask from.', { withoutEffect: 'browsers have no business there' }),
  'healthcheck.max_request_body_size': optional(anything, 'Limits.', { withoutEffect: fixed }),
  'healthcheck.include_metadata': optional(anything, 'Metadata.', { withoutEffect: 'nothing would read it' }),
  'healthcheck.response_headers': optional(anything, 'Headers of answers.', { withoutEffect: 'answers have no more headers than they need' }),
  'healthcheck.compression_algorithms': optional(anything, 'Compression.', { withoutEffect: 'answers are a few bytes' }),
  'healthcheck.read_timeout': optional(anything, 'Limits.', { withoutEffect: fixed }),
  'healthcheck.read_header_timeout': optional(anything, 'Limits.', { withoutEffect: fixed }),
  'healthcheck.write_timeout': optional(anything, 'Limits.', { withoutEffect: fixed }),
  'healthcheck.idle_timeout': optional(anything, 'Limits.', { withoutEffect: fixed }),
  'healthcheck.middlewares': optional(anything, 'Middlewares.', { withoutEffect: 'there are none' }),
  'healthcheck.keep_alives_enabled': optional(anything, 'Keep connections.', { withoutEffect: fixed }),
} satisfies Keys

/** What people write that looks like a key, and what to do about it. */
export const knownMistakes: Readonly<Record<string, string>> = {
  'capabilities.accepts_package_available': 'the key is capabilities.accepts_packages, and there is no package installation yet',
  'capabilities.accepts_other_connection_settings': 'the supervisor has no other connections, so there is no such capability',
  'agent.run_as': 'it was planned and never built: run the supervisor itself as that user',
  'agent.access_dirs': 'it was planned and never built: drover.restrictions.paths restricts remote configuration, the service manager the agent',
  'agent.fallback_configs': 'the key is agent.startup_fallback_configs',
  'storage.path': 'the key is storage.directory',
}

/** Keys that mean something for a Collector alone. */
export const collectorAlone: readonly string[] = [
  'agent.orphan_detection_interval',
  'agent.opamp_server_port',
  'agent.use_hup_config_reload',
  'agent.description.include_resource_attributes',
  'capabilities.reports_available_components',
  'capabilities.reports_own_metrics',
  'capabilities.reports_own_logs',
  'capabilities.reports_own_traces',
]
