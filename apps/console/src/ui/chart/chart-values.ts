/** Values of charts as text: with their unit, as exact as their size asks for. Pure. */

/** `share`: 1 is one whole (one full queue, one core), shown as percent. */
export type ValueUnit = 'count' | 'perSecond' | 'bytes' | 'share'

interface Scale {
  readonly size: number
  readonly suffix: string
}

const plainScales: readonly Scale[] = [
  { size: 1e9, suffix: ' G' },
  { size: 1e6, suffix: ' M' },
  { size: 1e4, suffix: ' k' },
  { size: 0, suffix: '' },
]
const byteScales: readonly Scale[] = [
  { size: 1e12, suffix: ' TB' },
  { size: 1e9, suffix: ' GB' },
  { size: 1e6, suffix: ' MB' },
  { size: 1e3, suffix: ' kB' },
  { size: 0, suffix: ' B' },
]

const scales: Readonly<Record<ValueUnit, readonly Scale[]>> = {
  count: plainScales,
  perSecond: plainScales,
  bytes: byteScales,
  share: [{ size: 0, suffix: ' %' }],
}
const divisors: Readonly<Record<string, number>> = { ' G': 1e9, ' M': 1e6, ' k': 1e3, ' TB': 1e12, ' GB': 1e9, ' MB': 1e6, ' kB': 1e3, ' %': 0.01 }
const endings: Readonly<Record<ValueUnit, string>> = { count: '', perSecond: '/s', bytes: '', share: '' }

const scaleFor = (largest: number, unit: ValueUnit): Scale => scales[unit].find(({ size }) => Math.abs(largest) >= size) ?? { size: 0, suffix: '' }
const divisorOf = ({ suffix }: Scale): number => divisors[suffix] ?? 1

/** E.g. `1,234/s`, `12.3 k/s`, `2.5 MB`, `0.4 %`; three digits where there is a fraction. */
export function formatValue(value: number | undefined, unit: ValueUnit): string {
  if (value === undefined) return 'not told'
  const scale = scaleFor(value, unit)
  const shown = value / divisorOf(scale)
  return `${number(shown, digitsFor(Math.abs(shown)))}${scale.suffix}${endings[unit]}`
}

function digitsFor(size: number): number {
  if (size === 0 || size >= 100) return 0
  return size >= 10 ? 1 : 2
}

/** The ticks of an axis, all in the unit of the largest, with as many digits as their distance needs. */
export function formatTicks(ticks: readonly number[], stepSize: number, unit: ValueUnit): readonly string[] {
  const scale = scaleFor(Math.max(...ticks.map(Math.abs)), unit)
  const divisor = divisorOf(scale)
  const digits = digitsOfStep(stepSize / divisor)
  return ticks.map((tick) => (tick === 0 && unit !== 'share' ? '0' : `${number(tick / divisor, digits)}${scale.suffix}${endings[unit]}`))
}

/** How many digits after the point the step itself has: 1 for 0.5, 2 for 0.25. */
function digitsOfStep(step: number): number {
  const exact = [0, 1, 2, 3, 4, 5].find((digits) => Math.abs(step * 10 ** digits - Math.round(step * 10 ** digits)) < 1e-6 && step * 10 ** digits > 0.5)
  return exact ?? 6
}

const number = (value: number, digits: number) => value.toLocaleString('en', { maximumFractionDigits: digits })

/** The least that an axis spans, so that noise near nothing does not look like mountains. */
export const leastSpan: Readonly<Record<ValueUnit, number>> = { count: 4, perSecond: 1, bytes: 1e6, share: 0.01 }

/** What a column of values is headed with. */
export const unitNames: Readonly<Record<ValueUnit, string>> = { count: '', perSecond: 'per second', bytes: 'bytes', share: 'percent' }

/** Local time as short as the step between two ticks allows; midnight is told by its date when the axis spans more than a day. */
export function axisTime(atMs: number, stepSeconds: number, spanSeconds: number): string {
  const date = new Date(atMs)
  const midnight = date.getHours() === 0 && date.getMinutes() === 0
  if (stepSeconds >= 86_400 || (midnight && spanSeconds > 86_400)) return date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })
  return date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', ...(stepSeconds < 60 ? { second: '2-digit' as const } : {}) })
}

/** The moment of a readout: with its date when the chart spans more than a day. */
export function readoutTime(atMs: number, spanMs: number): string {
  const options: Intl.DateTimeFormatOptions = spanMs > 86_400_000 ? { dateStyle: 'medium', timeStyle: 'short' } : { timeStyle: 'medium' }
  return new Intl.DateTimeFormat('en-GB', options).format(atMs)
}
