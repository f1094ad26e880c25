/** The pipelines of a configuration, and how connectors join them, as values. */
import { definedIds } from './components.ts'
import type { ConfigMap, ConfigValue } from './value.ts'
import { child, hasPlaceholder, isMap } from './value.ts'

export type PipelineRole = 'receivers' | 'processors' | 'exporters'
export const pipelineRoles: readonly PipelineRole[] = ['receivers', 'processors', 'exporters']

export interface Pipeline {
  readonly id: string
  /** Component ids as written, in order. Entries that are filled in when the Collector starts are left out. */
  readonly receivers: readonly string[]
  readonly processors: readonly string[]
  readonly exporters: readonly string[]
  /** Roles of which a part is only known when the Collector starts, such as `${env:EXPORTER}`. */
  readonly open: readonly PipelineRole[]
}

export function pipelinesOf(config: ConfigMap): Pipeline[] {
  const pipelines = child(child(config, 'service'), 'pipelines')
  if (!isMap(pipelines)) return []
  return Object.entries(pipelines).map(([id, value]) => {
    const list = (role: PipelineRole): string[] => {
      const items = child(value, role)
      return Array.isArray(items) ? items.filter((item): item is string => typeof item === 'string' && !hasPlaceholder(item)) : []
    }
    const open = pipelineRoles.filter((role) => hasPlaceholder(value) || isOpen(child(value, role)))
    return { id, receivers: list('receivers'), processors: list('processors'), exporters: list('exporters'), open }
  })
}

function isOpen(value: ConfigValue | undefined): boolean {
  return hasPlaceholder(value) || (Array.isArray(value) && value.some(hasPlaceholder))
}

export interface PipelineNode {
  /** Unique in the graph. A connector is one node, whatever pipelines it joins. */
  readonly id: string
  readonly kind: 'receiver' | 'processor' | 'exporter' | 'connector'
  readonly component: string
  /** The pipeline of a processor, which runs once per pipeline; the others are shared. */
  readonly pipeline?: string
}

export interface PipelineGraph {
  readonly nodes: readonly PipelineNode[]
  readonly edges: readonly { readonly from: string; readonly to: string; readonly pipeline: string }[]
}

/** How telemetry flows: receivers, then the processors in order, then every exporter. */
export function pipelineGraph(config: ConfigMap): PipelineGraph {
  const connectors = new Set(definedIds(config, 'connector'))
  const nodes = new Map<string, PipelineNode>()
  const edges: { from: string; to: string; pipeline: string }[] = []
  const add = (node: PipelineNode): string => {
    nodes.set(node.id, node)
    return node.id
  }
  const shared = (kind: 'receiver' | 'exporter', component: string): string => {
    const actual = connectors.has(component) ? 'connector' : kind
    return add({ id: `${actual} ${component}`, kind: actual, component })
  }
  for (const pipeline of pipelinesOf(config)) {
    let previous = pipeline.receivers.map((component) => shared('receiver', component))
    for (const component of pipeline.processors) {
      const id = add({ id: `processor ${component} in ${pipeline.id}`, kind: 'processor', component, pipeline: pipeline.id })
      for (const from of previous) edges.push({ from, to: id, pipeline: pipeline.id })
      previous = [id]
    }
    const exporters = pipeline.exporters.map((component) => shared('exporter', component))
    for (const from of previous) for (const to of exporters) edges.push({ from, to, pipeline: pipeline.id })
  }
  return { nodes: [...nodes.values()], edges }
}

/** Pipelines that feed themselves through connectors, in order of flow; undefined when there is no circle. */
export function findPipelineCycle(pipelines: readonly Pipeline[], connectors: ReadonlySet<string>): readonly string[] | undefined {
  const readers = new Map<string, Pipeline[]>()
  for (const pipeline of pipelines) {
    for (const id of pipeline.receivers) if (connectors.has(id)) readers.set(id, [...(readers.get(id) ?? []), pipeline])
  }
  const done = new Set<Pipeline>()
  const trail = new Set<Pipeline>()
  const visit = (pipeline: Pipeline): readonly string[] | undefined => {
    if (trail.has(pipeline)) {
      const ids = [...trail].map(({ id }) => id)
      return [...ids.slice(ids.indexOf(pipeline.id)), pipeline.id]
    }
    if (done.has(pipeline)) return undefined
    trail.add(pipeline)
    for (const id of pipeline.exporters) {
      for (const reader of readers.get(id) ?? []) {
        const cycle = visit(reader)
        if (cycle !== undefined) return cycle
      }
    }
    trail.delete(pipeline)
    done.add(pipeline)
    return undefined
  }
  for (const pipeline of pipelines) {
    const cycle = visit(pipeline)
    if (cycle !== undefined) return cycle
  }
  return undefined
}
