/** `drover agents metrics|logs`: what agents tell about themselves. */
import type { TelemetrySeries } from '@drover/api'
import { clientCommand } from '../../command/command.ts'
import { argument, choice, flag, integer } from '../../command/spec.ts'
import type { Paint } from '../../output/colour.ts'
import type { Column } from '../../output/table.ts'
import { printable } from '../../output/text.ts'
import { formatBytes, formatTime } from '../../output/time.ts'
import { findAgentId } from './find-agent.ts'

const agentArgument = argument('id, instance uid or name', { completes: 'agent' })

export const agentMetrics = clientCommand({
  name: 'metrics',
  description: "Show an agent's own metrics over time",
  args: { agent: agentArgument },
  options: {
    range: choice('--range <range>', 'how far back (default 1h)', ['1h', '6h', '24h', '7d', '30d', '90d']),
    components: flag('--components', 'also of each receiver and exporter'),
  },
  examples: [{ run: 'agents metrics web-1 --range 24h --components', what: 'which exporter refuses since when' }],
  async run(context, args, { range = '1h', components }) {
    const { api, output } = context
    const { data } = await api.getAgentMetrics({ params: { agentId: await findAgentId(context, args.agent) }, query: { range } })
    const shown = data.series.filter(({ component }) => components || component === null)
    output.result(data, () => (shown.length === 0 ? '' : output.table(columns, shown)))
    if (data.absent !== null) output.note(data.absent)
  },
})

const bars = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const
const barCount = 40

/** One character for each part of the time, blank where nothing was told. */
export function sparkline(values: readonly (number | null)[]): string {
  const size = Math.max(1, Math.ceil(values.length / barCount))
  const parts: (number | null)[] = []
  for (let start = 0; start < values.length; start += size) {
    const known = values.slice(start, start + size).filter((value) => value !== null)
    parts.push(known.length === 0 ? null : Math.max(...known))
  }
  const highest = Math.max(...parts.map((value) => value ?? 0))
  return parts
    .map((value) => (value === null ? ' ' : (bars[highest <= 0 ? 0 : Math.min(bars.length - 1, Math.floor((value / highest) * bars.length))] ?? ' ')))
    .join('')
}

const latest = ({ points }: TelemetrySeries) => points.findLast(([, value]) => value !== null)?.[1] ?? null
const highest = ({ points }: TelemetrySeries) =>
  points.reduce<number | null>((most, [, value]) => (value === null ? most : Math.max(most ?? value, value)), null)

function valueText({ metric, unit }: TelemetrySeries, value: number | null): string {
  if (value === null) return ''
  if (metric === 'memory') return formatBytes(value)
  if (metric === 'cpu' || metric === 'queueUse') return `${(value * 100).toFixed(1)} %`
  const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : 2
  return `${value.toFixed(digits)} ${unit}`.trim()
}

const columns: readonly Column<TelemetrySeries>[] = [
  { title: 'METRIC', value: ({ metric }) => metric },
  { title: 'OF', value: ({ component }) => component ?? 'agent', flexible: true },
  { title: 'NOW', value: (series) => valueText(series, latest(series)), align: 'right' },
  { title: 'HIGHEST', value: (series) => valueText(series, highest(series)), align: 'right' },
  { title: 'OVER TIME', value: ({ points }) => sparkline(points.map(([, value]) => value)) },
]

export const agentLogs = clientCommand({
  name: 'logs',
  description: "Show an agent's own log of the last hour, oldest first",
  args: { agent: agentArgument },
  options: { limit: integer('--limit <count>', 'at most so many lines (default 200)', { min: 1, max: 1000 }) },
  examples: [{ run: 'agents logs web-1', what: 'what its Collector says' }],
  async run(context, args, { limit }) {
    const { api, output } = context
    const query = limit === undefined ? {} : { limit }
    const { data } = await api.getAgentLogs({ params: { agentId: await findAgentId(context, args.agent) }, query })
    output.result(data, () =>
      data.items
        .map(({ at, severity, body }) => `${formatTime(at)}  ${output.paint(severityPaint(severity), severity.padEnd(5))}  ${printable(body)}\n`)
        .join(''),
    )
    if (data.items.length === 0) output.note('It sent no log lines within the last hour.')
    if (data.dropped > 0) output.note(`${data.dropped} lines were left out because there were too many.`)
  },
})

function severityPaint(severity: string): Paint {
  if (/^(error|fatal)/i.test(severity)) return 'bad'
  return /^warn/i.test(severity) ? 'busy' : 'dim'
}
