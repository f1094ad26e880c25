/** What people read of each template; its configuration is the YAML file of that name in `catalogue/`. */
import type { Template } from '@drover/api'

export interface CatalogueEntry extends Pick<Template, 'name' | 'title' | 'description' | 'category' | 'variables' | 'secrets'> {}

type Variable = Template['variables'][number]

const backend: Variable = {
  name: 'backend_endpoint',
  description: 'Where the data goes: base address of an OTLP/HTTP backend',
  example: 'https://otlp.example.com',
}
const listenHost: Variable = {
  name: 'listen_host',
  description: 'Address to listen on; 0.0.0.0 takes data from other machines, 127.0.0.1 from this one alone',
  example: '0.0.0.0',
}
const token = { name: 'backend_token', description: 'Bearer token that the backend asks for' }
const toBackend = { variables: [backend], secrets: [token] }

/** In the order in which people meet them. */
export const catalogue: readonly CatalogueEntry[] = [
  {
    name: 'first-try',
    title: 'First try',
    description: 'Takes OTLP and writes what arrives to the log of the Collector. Needs no backend.',
    category: 'gateway',
    variables: [],
    secrets: [],
  },
  {
    name: 'otlp-gateway',
    title: 'OTLP gateway',
    description: 'Takes traces, metrics and logs by OTLP, in batches and within a memory limit, and passes them on.',
    category: 'gateway',
    variables: [listenHost, backend],
    secrets: [token],
  },
  {
    name: 'store-and-forward',
    title: 'Store and forward',
    description: 'An OTLP gateway that keeps data on disk while the backend cannot be reached.',
    category: 'gateway',
    variables: [{ name: 'queue_directory', description: 'Where data waits; the agent makes the folder', example: '/var/lib/otelcol/queue' }, backend],
    secrets: [token],
  },
  {
    name: 'host-metrics',
    title: 'Host metrics',
    description: 'CPU, memory, disks, file systems and network of a machine.',
    category: 'host',
    ...toBackend,
  },
  {
    name: 'log-files',
    title: 'Log files',
    description: 'Follows log files, with several lines in one record where they belong together.',
    category: 'logs',
    variables: [
      { name: 'log_files', description: 'Which files, as a pattern', example: '/var/log/app/*.log' },
      { name: 'state_directory', description: 'Where it is remembered how far each file was read', example: '/var/lib/otelcol/positions' },
      backend,
    ],
    secrets: [token],
  },
  {
    name: 'quiet-logs',
    title: 'Logs without noise',
    description: 'Drops debug lines and requests of health checks before they cost anything.',
    category: 'logs',
    variables: [{ name: 'dropped_paths', description: 'Request paths to drop, as a regular expression', example: '^/(healthz|readyz|livez)$' }, backend],
    secrets: [token],
  },
  {
    name: 'prometheus-scrape',
    title: 'Prometheus to OTLP',
    description: 'Scrapes Prometheus endpoints and sends the metrics by OTLP.',
    category: 'metrics',
    variables: [
      { name: 'job_name', description: 'Name of the job, which becomes the service name', example: 'node' },
      { name: 'scrape_target', description: 'Host and port to scrape', example: '127.0.0.1:9100' },
      backend,
    ],
    secrets: [token],
  },
  {
    name: 'tail-sampling',
    title: 'Tail sampling',
    description: 'Keeps all traces with errors or long duration, and a share of the rest.',
    category: 'traces',
    variables: [
      listenHost,
      { name: 'slow_ms', description: 'From how many milliseconds a trace is slow', example: '2000' },
      { name: 'kept_percent', description: 'How much of the rest is kept', example: '10' },
      backend,
    ],
    secrets: [token],
  },
  {
    name: 'hide-personal-data',
    title: 'Hide personal data',
    description: 'Masks card numbers, e-mail addresses, passwords and tokens in traces, metrics and logs.',
    category: 'gateway',
    variables: [listenHost, backend],
    secrets: [token],
  },
  {
    name: 'kubernetes-node',
    title: 'Kubernetes node',
    description: 'For a DaemonSet: metrics from the kubelet and logs of the containers, with the names of their workloads.',
    category: 'kubernetes',
    variables: [
      { name: 'cluster_name', description: 'Goes into every metric and log', example: 'production' },
      { name: 'own_container', description: 'Name of the container that the agent runs in', example: 'otel-collector' },
      { name: 'skip_kubelet_certificate', description: 'true where the kubelet has a self-signed certificate', example: 'false' },
      backend,
    ],
    secrets: [token],
  },
]
