/** Configurations to start from: each runs as it is on a Collector with the usual components. Pure. */

export interface Template {
  readonly id: string
  readonly label: string
  readonly description: string
  readonly body: string
}

export const templates: readonly Template[] = [
  {
    id: 'otlp',
    label: 'OTLP in, log out',
    description: 'Takes traces, metrics and logs by OTLP on this machine and prints a summary: to see that it works',
    body: `# Takes telemetry by OTLP on the agent's own machine and prints a summary of it.
# Replace the debug exporter when you know where the telemetry should go.
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:4317
      http:
        endpoint: 127.0.0.1:4318

processors:
  batch: {}

exporters:
  debug:
    verbosity: basic

service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [batch]
      exporters: [debug]
    metrics:
      receivers: [otlp]
      processors: [batch]
      exporters: [debug]
    logs:
      receivers: [otlp]
      processors: [batch]
      exporters: [debug]
`,
  },
  {
    id: 'gateway',
    label: 'OTLP to a backend',
    description: 'Passes OTLP on to a backend over HTTP, with a queue and retries. Needs OTLP_ENDPOINT in the agent’s environment',
    body: `# Passes telemetry on to a backend. The address comes from the agent's environment, so that it can differ by site.
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:4317
      http:
        endpoint: 127.0.0.1:4318

processors:
  # Refuses data before the Collector runs out of memory. Keep it first.
  memory_limiter:
    check_interval: 1s
    limit_percentage: 80
    spike_limit_percentage: 20
  batch: {}

exporters:
  # Older Collectors know it as otlphttp.
  otlp_http:
    endpoint: \${env:OTLP_ENDPOINT}
    sending_queue:
      queue_size: 2000
    retry_on_failure:
      max_elapsed_time: 10m

service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [memory_limiter, batch]
      exporters: [otlp_http]
    metrics:
      receivers: [otlp]
      processors: [memory_limiter, batch]
      exporters: [otlp_http]
    logs:
      receivers: [otlp]
      processors: [memory_limiter, batch]
      exporters: [otlp_http]
`,
  },
  {
    id: 'host',
    label: 'Host metrics',
    description: 'Reads CPU, memory, disk and network of the machine (contrib distribution) and prints them',
    body: `# Reads the metrics of the machine that the agent runs on.
receivers:
  hostmetrics:
    collection_interval: 30s
    scrapers:
      cpu: {}
      memory: {}
      load: {}
      disk: {}
      filesystem: {}
      network: {}

processors:
  memory_limiter:
    check_interval: 1s
    limit_percentage: 80
    spike_limit_percentage: 20
  batch: {}

exporters:
  debug:
    verbosity: basic

service:
  pipelines:
    metrics:
      receivers: [hostmetrics]
      processors: [memory_limiter, batch]
      exporters: [debug]
`,
  },
  {
    id: 'empty',
    label: 'Empty',
    description: 'Nothing but the sections',
    body: 'receivers: {}\n\nprocessors: {}\n\nexporters: {}\n\nservice:\n  pipelines: {}\n',
  },
]

export const DEFAULT_FILE_NAME = 'collector.yaml'
