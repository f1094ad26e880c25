/** Where the nodes of a graph are placed. */
import { expect, it } from 'vitest'
import { LARGEST_SCALE, NODE_HEIGHT, canvasHeight, layoutGraph } from './graph-layout.ts'
import { readPipelineGraph } from './pipeline-graph.ts'

const read = readPipelineGraph([
  'service: {pipelines: {logs: {receivers: [a], processors: [p], exporters: [b]}, traces: {receivers: [a], processors: [p], exporters: [b]}}}',
])

it('places what comes later in a pipeline further to the right', () => {
  if (read.kind !== 'graph') throw new Error(read.reason)
  const { places } = layoutGraph(read.graph)
  const x = (id: string) => places.get(id)?.x ?? Number.NaN
  expect(x('receiver a')).toBeLessThan(x('processor p in logs'))
  expect(x('processor p in logs')).toBeLessThan(x('exporter b'))
  expect(places.get('processor p in logs')?.y).not.toBe(places.get('processor p in traces')?.y)
})

it('makes the drawing no higher than the graph needs at the given width, within limits', () => {
  expect(canvasHeight({ width: 1_000, height: 300 }, 500)).toBe(174)
  expect(canvasHeight({ width: 100, height: 200 }, 2_000)).toBe(Math.round(200 * LARGEST_SCALE + 24))
  expect(canvasHeight({ width: 1_000, height: NODE_HEIGHT }, 400)).toBe(120)
  expect(canvasHeight({ width: 100, height: 9_000 }, 400)).toBe(480)
})
