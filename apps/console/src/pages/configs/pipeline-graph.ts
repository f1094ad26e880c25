/** The pipelines of a Collector configuration as a graph: receivers → processors → exporters, joined by connectors. Pure. */
import { parseDocument } from 'yaml'

export type NodeKind = 'receiver' | 'processor' | 'exporter' | 'connector'

export interface PipelineNode {
  /** Receivers, exporters and connectors are one for all pipelines; a processor is one for each pipeline that has it. */
  readonly id: string
  readonly kind: NodeKind
  readonly component: string
  /** Used in a pipeline but not configured in its section. */
  readonly undefined: boolean
}

export interface PipelineEdge {
  readonly from: string
  readonly to: string
  readonly pipeline: string
  readonly signal: string
}

export interface Pipeline {
  readonly name: string
  readonly signal: string
  readonly receivers: readonly string[]
  readonly processors: readonly string[]
  readonly exporters: readonly string[]
}

export interface PipelineGraph {
  readonly pipelines: readonly Pipeline[]
  readonly nodes: readonly PipelineNode[]
  readonly edges: readonly PipelineEdge[]
}

export type ReadGraph = { readonly kind: 'graph'; readonly graph: PipelineGraph } | { readonly kind: 'unreadable'; readonly reason: string }

/** Reads the graph from the texts of a configuration; later files override earlier ones, as they do when merged. */
export function readPipelineGraph(texts: readonly string[]): ReadGraph {
  let merged: Readonly<Record<string, unknown>> = {}
  for (const text of texts) {
    const document = parseDocument(text, { merge: true })
    const problem = document.errors[0]
    if (problem !== undefined) return { kind: 'unreadable', reason: problem.message.split('\n')[0] ?? 'not valid YAML' }
    merged = mergeMaps(merged, asMap(document.toJS({ maxAliasCount: 100 })))
  }
  return { kind: 'graph', graph: graphOf(merged) }
}

function graphOf(config: Readonly<Record<string, unknown>>): PipelineGraph {
  const sections = {
    receiver: asMap(config['receivers']),
    processor: asMap(config['processors']),
    exporter: asMap(config['exporters']),
    connector: asMap(config['connectors']),
  }
  const pipelines = Object.entries(asMap(asMap(config['service'])['pipelines'])).map(([name, value]) => pipelineOf(name, asMap(value)))
  const nodes = new Map<string, PipelineNode>()
  const edges = new Map<string, PipelineEdge>()
  const place = (pipeline: Pipeline, role: Exclude<NodeKind, 'connector'>, component: string): string => {
    const kind = role !== 'processor' && component in sections.connector ? 'connector' : role
    const id = kind === 'processor' ? `processor ${component} in ${pipeline.name}` : `${kind} ${component}`
    nodes.set(id, { id, kind, component, undefined: !(component in sections[kind]) })
    return id
  }
  for (const pipeline of pipelines) {
    const receivers = pipeline.receivers.map((component) => place(pipeline, 'receiver', component))
    const processors = pipeline.processors.map((component) => place(pipeline, 'processor', component))
    const exporters = pipeline.exporters.map((component) => place(pipeline, 'exporter', component))
    const layers = [receivers, ...processors.map((id) => [id]), exporters]
    for (const [index, layer] of layers.slice(0, -1).entries())
      for (const from of layer)
        for (const to of layers[index + 1] ?? []) edges.set(`${from}→${to}→${pipeline.name}`, { from, to, pipeline: pipeline.name, signal: pipeline.signal })
  }
  return { pipelines, nodes: [...nodes.values()], edges: [...edges.values()] }
}

function pipelineOf(name: string, value: Readonly<Record<string, unknown>>): Pipeline {
  return {
    name,
    signal: name.split('/')[0] ?? name,
    receivers: asNames(value['receivers']),
    processors: asNames(value['processors']),
    exporters: asNames(value['exporters']),
  }
}

function asMap(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : {} // as: a YAML mapping, its values are still unknown
}

function asNames(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((name) => typeof name === 'string') : []
}

function mergeMaps(base: Readonly<Record<string, unknown>>, over: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const merged: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(over)) {
    const both = isMap(merged[key]) && isMap(value)
    Object.defineProperty(merged, key, {
      value: both ? mergeMaps(asMap(merged[key]), asMap(value)) : value,
      enumerable: true,
      configurable: true,
      writable: true,
    })
  }
  return merged
}

const isMap = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value)
