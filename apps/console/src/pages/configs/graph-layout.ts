/** Places the nodes of a pipeline graph from left to right. */
import dagre from '@dagrejs/dagre'
import type { PipelineGraph } from './pipeline-graph.ts'

export const NODE_WIDTH = 176
export const NODE_HEIGHT = 40

export interface GraphLayout {
  /** Upper left corner of each node. */
  readonly places: ReadonlyMap<string, { readonly x: number; readonly y: number }>
  readonly width: number
  readonly height: number
}

export function layoutGraph(graph: PipelineGraph): GraphLayout {
  const layout = new dagre.graphlib.Graph()
  layout.setGraph({ rankdir: 'LR', nodesep: 14, ranksep: 52, marginx: 12, marginy: 12 })
  layout.setDefaultEdgeLabel(() => ({}))
  for (const node of graph.nodes) layout.setNode(node.id, { width: NODE_WIDTH, height: NODE_HEIGHT })
  for (const edge of graph.edges) layout.setEdge(edge.from, edge.to)
  dagre.layout(layout)
  const places = new Map(
    graph.nodes.map(({ id }) => {
      const { x, y } = layout.node(id)
      return [id, { x: x - NODE_WIDTH / 2, y: y - NODE_HEIGHT / 2 }]
    }),
  )
  const { width = NODE_WIDTH, height = NODE_HEIGHT } = layout.graph()
  return { places, width, height }
}

const LEAST_HEIGHT = 120
const MOST_HEIGHT = 480
export const LARGEST_SCALE = 1.1

/** How high the drawing must be to show the whole graph in a given width. */
export function canvasHeight(layout: Pick<GraphLayout, 'width' | 'height'>, availableWidth: number): number {
  const scale = Math.min(LARGEST_SCALE, availableWidth / layout.width)
  return Math.round(Math.max(LEAST_HEIGHT, Math.min(MOST_HEIGHT, layout.height * scale + 24)))
}
