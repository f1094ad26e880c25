/** What the Collector's own metrics stand for. */

/** A number that is told of an agent as a whole, and of each component where it belongs to one. */
export type ToldMetric = 'accepted' | 'refused' | 'sent' | 'sendFailed' | 'queueSize' | 'queueCapacity' | 'cpu' | 'memory' | 'uptime'

export type Signal = 'traces' | 'metrics' | 'logs' | 'profiles'

export interface MetricRole {
  /** Short and unique: the metric's name in one spelling. */
  readonly name: string
  readonly metric: ToldMetric
  /** `rate`: a counter, of which the increase per second is kept; `value`: kept as it is told. */
  readonly kept: 'rate' | 'value'
  readonly component: 'receiver' | 'exporter' | null
  /** null: not of one signal, or told by an attribute. */
  readonly signal: Signal | null
}

const signals: readonly (readonly [suffix: string, signal: Signal])[] = [
  ['spans', 'traces'],
  ['metric_points', 'metrics'],
  ['log_records', 'logs'],
  ['profile_samples', 'profiles'],
]

/** What did not get in counts as refused, what did not get out as not sent, whatever of the two or three reasons it was. */
const itemCounters: readonly (readonly [component: 'receiver' | 'exporter', word: string, metric: ToldMetric])[] = [
  ['receiver', 'accepted', 'accepted'],
  ['receiver', 'refused', 'refused'],
  ['receiver', 'failed', 'refused'],
  ['exporter', 'sent', 'sent'],
  ['exporter', 'send_failed', 'sendFailed'],
  ['exporter', 'enqueue_failed', 'sendFailed'],
]

const roles = new Map<string, MetricRole>(
  [
    ...itemCounters.flatMap(([component, word, metric]) =>
      signals.map(([suffix, signal]): MetricRole => ({ name: `${component}_${word}_${suffix}`, metric, kept: 'rate', component, signal })),
    ),
    role('exporter_queue_size', 'queueSize', 'value', 'exporter'),
    role('exporter_queue_capacity', 'queueCapacity', 'value', 'exporter'),
    role('process_cpu_seconds', 'cpu', 'rate', null),
    role('process_memory_rss', 'memory', 'value', null),
    role('process_uptime', 'uptime', 'value', null),
  ].map((one) => [one.name, one]),
)

function role(name: string, metric: ToldMetric, kept: 'rate' | 'value', component: 'exporter' | null): MetricRole {
  return { name, metric, kept, component, signal: null }
}

/**
 * The spellings that Collectors have used: `otelcol_exporter_sent_spans`, `otelcol.exporter.sent_spans`, and with the endings of
 * Prometheus, `otelcol_process_memory_rss_bytes`, `otelcol_process_uptime_seconds_total`. Undefined: not kept.
 */
export function roleOf(name: string): MetricRole | undefined {
  if (!/^otelcol[._]/.test(name)) return undefined
  const plain = name
    .slice('otelcol_'.length)
    .replaceAll('.', '_')
    .replace(/_total$/, '')
  return roles.get(plain) ?? roles.get(plain.replace(/_(bytes|seconds)$/, ''))
}

const dataTypes: ReadonlyMap<string, Signal> = new Map([
  ['traces', 'traces'],
  ['metrics', 'metrics'],
  ['logs', 'logs'],
  ['profiles', 'profiles'],
])

/** Of the attribute that queues have. */
export function signalOf(dataType: string): Signal | null {
  return dataTypes.get(dataType) ?? null
}
