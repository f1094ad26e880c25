/** Which counters an agent tells, and which series come of them. Agents that tell the same share one layout. */
import type { MetricPoint } from '../otlp/point.ts'
import type { SeriesKey, SeriesList } from '../store/series.ts'
import { keyText, positionsIn, seriesList } from '../store/series.ts'
import type { MetricRole } from './roles.ts'
import { signalOf } from './roles.ts'

export interface CounterSpec {
  readonly id: string
  readonly role: MetricRole
  /** E.g. `receiver otlp traces`; empty: of the agent as a whole. */
  readonly component: string
}

export interface Layout {
  readonly specs: readonly CounterSpec[]
  /** By id. */
  readonly positions: ReadonlyMap<string, number>
  readonly list: SeriesList
  /** For each spec the places in the list that its number adds to: of its component, if that is not one too many, and of the agent. */
  readonly targets: readonly (readonly number[])[]
  readonly queues: readonly { readonly size: number; readonly capacity: number; readonly use: number }[]
  /** Of the agent. */
  readonly queueUse: number
  /** Rates of the agent of which it has no counter. */
  readonly unknownRates: readonly number[]
}

const toldOfAgent = ['accepted', 'refused', 'sent', 'sendFailed', 'queueSize', 'queueCapacity', 'queueUse', 'cpu', 'memory', 'uptime'] as const
const rates = ['accepted', 'refused', 'sent', 'sendFailed'] as const

const MAX_NAME_CHARS = 128
/** Layouts that are remembered for agents to come. */
const MAX_KNOWN = 4_096
const MAX_KNOWN_CHARS = 8 * 1024 * 1024
const known = new Map<string, Layout>()
let knownChars = 0

export const idOf = ({ role, identity }: MetricPoint): string => `${role.name} ${identity}`

export function specOf(point: MetricPoint): CounterSpec {
  const { role } = point
  if (role.component === null) return { id: idOf(point), role, component: '' }
  const name = role.component === 'receiver' ? point.receiver : point.exporter
  const signal = role.signal ?? signalOf(point.dataType)
  return { id: idOf(point), role, component: `${role.component} ${cleaned(name) || '?'}${signal === null ? '' : ` ${signal}`}` }
}

/** Names come from outside and are shown to people. */
function cleaned(name: string): string {
  return name.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\uFFFD]/gu, '?').slice(0, MAX_NAME_CHARS)
}

/** In the order of ids, so that it does not matter in which order an agent told them. */
export function layoutOf(unordered: readonly CounterSpec[], maxComponents: number): Layout {
  const specs = unordered.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const text = [maxComponents, ...specs.map(({ id, component }) => `${id}\0${component}`)].join('\n')
  const found = known.get(text)
  if (found !== undefined) return found
  const layout = build(specs, maxComponents)
  if (known.size >= MAX_KNOWN || knownChars >= MAX_KNOWN_CHARS) {
    known.clear()
    knownChars = 0
  }
  known.set(text, layout)
  knownChars += text.length
  return layout
}

function build(specs: readonly CounterSpec[], maxComponents: number): Layout {
  const components = new Set([...new Set(specs.map(({ component }) => component))].filter((component) => component !== '').slice(0, maxComponents))
  const keys = specs.filter(({ component }) => components.has(component)).map(({ role, component }) => ({ metric: role.metric, component }))
  const queues = keys.filter(({ metric }) => metric === 'queueSize').map(({ component }) => component)
  const list = seriesList([
    ...toldOfAgent.map((metric) => ({ metric, component: '' })),
    ...keys,
    ...queues.map((component): SeriesKey => ({ metric: 'queueUse', component })),
  ])
  const positions = positionsIn(list)
  const place = (metric: SeriesKey['metric'], component = '') => positions.get(keyText({ metric, component })) ?? -1
  return {
    specs,
    positions: new Map(specs.map(({ id }, at) => [id, at])),
    list,
    targets: specs.map(({ role: { metric }, component }) => (components.has(component) ? [place(metric, component), place(metric)] : [place(metric)])),
    queues: queues.map((component) => ({
      size: place('queueSize', component),
      capacity: place('queueCapacity', component),
      use: place('queueUse', component),
    })),
    queueUse: place('queueUse'),
    unknownRates: rates.filter((metric) => specs.every(({ role }) => role.metric !== metric)).map((metric) => place(metric)),
  }
}
