/** The graph that is read from a configuration. */
import { describe, expect, it } from 'vitest'
import { readPipelineGraph } from './pipeline-graph.ts'
import { firstPoint } from './starting-points.ts'

function graphOf(...texts: string[]) {
  const read = readPipelineGraph(texts)
  if (read.kind !== 'graph') throw new Error(read.reason)
  return read.graph
}

const simple = `
receivers: { otlp: {}, prometheus: {} }
processors: { batch: {}, filter: {} }
exporters: { debug: {} }
service:
  pipelines:
    traces: { receivers: [otlp], processors: [filter, batch], exporters: [debug] }
    metrics/own: { receivers: [otlp, prometheus], processors: [batch], exporters: [debug] }
`

describe('the graph of a configuration', () => {
  it('shares receivers and exporters between pipelines, and gives each pipeline its own processors', () => {
    const { nodes } = graphOf(simple)
    expect(nodes.map(({ id }) => id)).toEqual([
      'receiver otlp',
      'processor filter in traces',
      'processor batch in traces',
      'exporter debug',
      'receiver prometheus',
      'processor batch in metrics/own',
    ])
  })

  it('joins the parts of a pipeline in order', () => {
    const { edges } = graphOf(simple)
    expect(edges.filter(({ pipeline }) => pipeline === 'traces').map(({ from, to }) => `${from} > ${to}`)).toEqual([
      'receiver otlp > processor filter in traces',
      'processor filter in traces > processor batch in traces',
      'processor batch in traces > exporter debug',
    ])
  })

  it('takes the signal from the first part of a pipeline’s name', () => {
    expect(graphOf(simple).pipelines.map(({ signal }) => signal)).toEqual(['traces', 'metrics'])
  })

  it('goes straight from receivers to exporters when there are no processors', () => {
    const { edges } = graphOf('receivers: {a: }\nexporters: {b: }\nservice: {pipelines: {logs: {receivers: [a], exporters: [b]}}}')
    expect(edges.map(({ from, to }) => [from, to])).toEqual([['receiver a', 'exporter b']])
  })

  it('shows a connector once, as the end of one pipeline and the start of another', () => {
    const { nodes, edges } = graphOf(`
receivers: { otlp: {} }
connectors: { spanmetrics: {} }
exporters: { debug: {} }
service:
  pipelines:
    traces: { receivers: [otlp], exporters: [spanmetrics] }
    metrics: { receivers: [spanmetrics], exporters: [debug] }
`)
    expect(nodes.filter(({ kind }) => kind === 'connector')).toEqual([
      { id: 'connector spanmetrics', kind: 'connector', component: 'spanmetrics', undefined: false },
    ])
    expect(edges.map(({ from, to }) => `${from} > ${to}`)).toEqual(['receiver otlp > connector spanmetrics', 'connector spanmetrics > exporter debug'])
  })

  it('marks a component that is used but not configured', () => {
    const { nodes } = graphOf('service: {pipelines: {logs: {receivers: [nowhere], exporters: []}}}')
    expect(nodes).toEqual([{ id: 'receiver nowhere', kind: 'receiver', component: 'nowhere', undefined: true }])
  })

  it('merges files as they are merged when offered: maps deeply, lists replaced', () => {
    const { pipelines } = graphOf(simple, 'service: {pipelines: {traces: {processors: [batch]}}}')
    expect(pipelines[0]).toMatchObject({ name: 'traces', receivers: ['otlp'], processors: ['batch'], exporters: ['debug'] })
    expect(pipelines).toHaveLength(2)
  })

  it('says why a text cannot be read', () => {
    expect(readPipelineGraph(['receivers: [unclosed'])).toMatchObject({ kind: 'unreadable' })
  })

  it('survives texts of any other shape', () => {
    for (const text of [
      '',
      '- a list',
      'just words',
      'service: 3',
      'service: {pipelines: [1]}',
      'service: {pipelines: {traces: }}',
      'receivers:\n__proto__: {a: 1}',
    ])
      expect(readPipelineGraph([text]).kind).toBe('graph')
  })
})

describe('what a new config begins with', () => {
  it('is drawn without an unconfigured component', () => {
    const { pipelines, nodes } = graphOf(firstPoint.files[0]?.body ?? '')
    expect(pipelines.length).toBeGreaterThan(0)
    expect(nodes.filter((node) => node.undefined)).toEqual([])
    expect(pipelines.every(({ receivers, exporters }) => receivers.length > 0 && exporters.length > 0)).toBe(true)
  })
})
