/** Complete files to paste, so that a supervisor or a Collector connects without reading any manual. */

export interface SnippetInput {
  /** Where agents connect, e.g. `ws://127.0.0.1:4320/v1/opamp`. */
  readonly endpoint: string
  readonly token: string
  /** Name of the token, for the comment. */
  readonly name: string
}

/** Configuration of `drover supervisor` and of the stock `opampsupervisor`; the defaults of both leave remote configuration off, so everything useful is switched on here. */
export function supervisorSnippet({ endpoint, token, name }: SnippetInput): string {
  return `# Connects an OpenTelemetry Collector to Drover through an OpAMP supervisor.
# Enrolment token: ${commentText(name)}
# Adapt the two lines marked with <-- and run: drover supervisor --config THIS_FILE
# The stock opampsupervisor takes the same file: opampsupervisor --config THIS_FILE
# Stop a Collector that runs here already: the first start needs its port 8888.
server:
  endpoint: ${endpoint}
  headers:
    Authorization: ["Bearer ${token}"]

capabilities:
  accepts_remote_config: true
  reports_remote_config: true
  reports_effective_config: true
  reports_health: true
  reports_available_components: true
  reports_heartbeat: true
  accepts_restart_command: true
  # The Collector's own metrics are what a rollout is judged by; its log is a few lines for each start.
  # Where they go is said by Drover; until it says so, nothing is sent.
  reports_own_metrics: true
  reports_own_logs: true

agent:
  executable: /usr/local/bin/otelcol-contrib   # <-- the Collector; it has to contain the opamp extension
  # How long a new configuration has to run healthily before it counts as applied.
  config_apply_timeout: 10s
  # Time for the Collector's first start; slow machines need more than the default of 3s.
  bootstrap_timeout: 15s
  env:
    # Own metrics every 10 s instead of every 60 s, in milliseconds: a bad change is noticed sooner.
    OTEL_METRIC_EXPORT_INTERVAL: "10000"

storage:
  directory: /var/lib/otelcol/supervisor   # <-- must be writable; keeps the agent's identity and its last configuration
`
}

/** For a Collector without a supervisor: Drover sees it, but cannot configure it. */
export function extensionSnippet({ endpoint, token, name }: SnippetInput): string {
  const transport = /^https?:/.test(endpoint) ? 'http' : 'ws'
  return `# Shows an OpenTelemetry Collector in Drover through its opamp extension. The extension only reports:
# to configure a Collector from Drover, run it under the OpAMP supervisor.
# Enrolment token: ${commentText(name)}
# Merge this into the Collector's configuration and keep the extensions that are listed there already.
extensions:
  opamp:
    server:
      ${transport}:
        endpoint: ${endpoint}
        headers:
          Authorization: "Bearer ${token}"
    capabilities:
      reports_effective_config: true
      reports_health: true
      reports_available_components: true

service:
  extensions: [opamp]
`
}

/** A token's name is free text; in a comment it must not begin a new line. */
function commentText(text: string): string {
  return text.replaceAll(/[^\x20-\x7e\u00a0-\ud7ff]/g, ' ')
}
