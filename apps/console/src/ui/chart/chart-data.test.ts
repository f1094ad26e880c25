/** Series on one axis. */
import { describe, expect, it } from 'vitest'
import { type ChartPoint, type ChartSeries, alignSeries, lastValue, stepReadout, tableRows } from './chart-data.ts'

const series = (key: string, points: readonly ChartPoint[]): ChartSeries => ({ key, label: key, color: '--chart-1', points })

describe('series on one axis', () => {
  it('keep a line going where only the other series has a point', () => {
    const data = alignSeries([
      series('a', [
        [0, 1],
        [20, 3],
      ]),
      series('b', [[10, 2]]),
    ])
    expect(data.times).toEqual([0, 10, 20])
    expect(data.values).toEqual([
      [1, undefined, 3],
      [undefined, 2, undefined],
    ])
  })

  it('have a gap where null was told', () => {
    const { values } = alignSeries([
      series('a', [
        [0, 1],
        [10, null],
        [20, 3],
      ]),
    ])
    expect(values).toEqual([[1, null, 3]])
  })

  it('have a gap where a series was silent for more than 2.5 intervals, and none where it missed one point', () => {
    const points: readonly ChartPoint[] = [
      [0, 1],
      [20, 2],
      [60, 3],
    ]
    const { times, values } = alignSeries([series('a', points)], 10)
    expect(times).toEqual([0, 20, 30, 60])
    expect(values).toEqual([[1, 2, null, 3]])
  })

  it('begin with the first value that anybody told and end with the last', () => {
    const { times } = alignSeries([
      series('a', [
        [0, null],
        [10, null],
        [20, 5],
        [30, null],
      ]),
      series('b', [
        [10, 7],
        [30, null],
      ]),
    ])
    expect(times).toEqual([10, 20])
  })

  it('are nothing when nothing was told', () => {
    expect(alignSeries([series('a', [[0, null]]), series('b', [])])).toEqual({ times: [], values: [[], []] })
  })

  it('align 90 days of quarter hours of eight components', () => {
    const points = Array.from({ length: 8_640 }, (_, index): ChartPoint => [index * 900_000, index % 7])
    const data = alignSeries(
      Array.from({ length: 8 }, (_, index) => series(String(index), points)),
      900_000,
    )
    expect(data.times).toHaveLength(8_640)
    expect(data.values.map((values) => values.length)).toEqual(Array<number>(8).fill(8_640))
  })
})

it('knows the last value that was told', () => {
  expect(lastValue([1, 2, null, undefined])).toBe(2)
  expect(lastValue([null])).toBeUndefined()
})

describe('the table of a chart', () => {
  const data = alignSeries([
    series(
      'a',
      Array.from({ length: 100 }, (_, index): ChartPoint => [index, index]),
    ),
  ])

  it('has one row for each moment of a short chart, newest first', () => {
    expect(tableRows(data, 100).slice(0, 2)).toEqual([
      { atMs: 99, values: [99] },
      { atMs: 98, values: [98] },
    ])
  })

  it('has means of a long one', () => {
    const rows = tableRows(data, 10)
    expect(rows).toHaveLength(10)
    expect(rows.at(-1)).toEqual({ atMs: 0, values: [4.5] })
  })

  it('leaves out of a mean what was not told, and says nothing where nothing was', () => {
    const gaps = { times: [0, 1, 2, 3], values: [[2, null, null, undefined]] }
    expect(tableRows(gaps, 2)).toEqual([
      { atMs: 2, values: [undefined] },
      { atMs: 0, values: [2] },
    ])
  })
})

it('moves the readout by keys, from the newest value on, and stays within the chart', () => {
  expect(stepReadout('ArrowLeft', undefined, 100)).toBe(98)
  expect(stepReadout('ArrowRight', 99, 100)).toBe(99)
  expect(stepReadout('PageDown', 5, 100)).toBe(0)
  expect(stepReadout('Home', 50, 100)).toBe(0)
  expect(stepReadout('End', 50, 100)).toBe(99)
  expect(stepReadout('Tab', 50, 100)).toBeUndefined()
  expect(stepReadout('Home', undefined, 0)).toBeUndefined()
})
