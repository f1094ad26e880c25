/** Places the nodes of a pipeline graph from left to right. */
import dagre from '@dagrejs/dagre'
import type { PipelineGraph } from './pipeline-graph.ts'

export const NODE_WIDTH = 176
export const NODE_HEIGHT = 40

export function layoutGraph(graph: PipelineGraph): ReadonlyMap<string, { readonly x: number; readonly y: number }> {
  const layout = new dagre.graphlib.Graph()
  layout.setGraph({ rankdir: 'LR', nodesep: 14, ranksep: 56, marginx: 12, marginy: 12 })
  layout.setDefaultEdgeLabel(() => ({}))
  for (const node of graph.nodes) layout.setNode(node.id, { width: NODE_WIDTH, height: NODE_HEIGHT })
  for (const edge of graph.edges) layout.setEdge(edge.from, edge.to)
  dagre.layout(layout)
  return new Map(
    graph.nodes.map(({ id }) => {
      const { x, y } = layout.node(id)
      return [id, { x: x - NODE_WIDTH / 2, y: y - NODE_HEIGHT / 2 }]
    }),
  )
}
