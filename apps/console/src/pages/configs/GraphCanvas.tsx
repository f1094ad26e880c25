/** The drawn pipeline graph. It is for looking at; the table beside it says the same for everybody. */
import { Background, Handle, type Edge, type Node, type NodeProps, Position, ReactFlow } from '@xyflow/react'
import '@xyflow/react/dist/base.css'
import { useElementSize } from '@mantine/hooks'
import { useMemo } from 'react'
import { visibleText } from '../../ui/visible-text.ts'
import { LARGEST_SCALE, type GraphLayout, NODE_HEIGHT, NODE_WIDTH, canvasHeight, layoutGraph } from './graph-layout.ts'
import './graph.css'
import type { PipelineGraph, PipelineNode } from './pipeline-graph.ts'

type FlowNode = Node<{ readonly node: PipelineNode }, 'component'>

const signalColors: Readonly<Record<string, string>> = {
  traces: 'var(--signal-traces)',
  metrics: 'var(--signal-metrics)',
  logs: 'var(--signal-logs)',
  profiles: 'var(--signal-profiles)',
}
const colorOf = (signal: string) => signalColors[signal] ?? 'var(--line-strong)'

function ComponentNode({ data: { node } }: NodeProps<FlowNode>) {
  return (
    <div
      className="graph-node"
      data-kind={node.kind}
      data-undefined={node.undefined || undefined}
      title={node.undefined ? `${visibleText(node.component)} is not configured` : visibleText(node.component)}
    >
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <span className="graph-node-kind">{node.undefined ? `${node.kind}, not configured` : node.kind}</span>
      <span className="truncate">{visibleText(node.component)}</span>
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </div>
  )
}

const nodeTypes = { component: ComponentNode }

export function GraphCanvas({ graph }: { readonly graph: PipelineGraph }) {
  const layout = useMemo(() => layoutGraph(graph), [graph])
  const { nodes, edges } = useMemo(() => flowOf(graph, layout), [graph, layout])
  const { ref, width } = useElementSize()
  const signals = [...new Set(graph.pipelines.map(({ signal }) => signal))]
  return (
    <figure className="graph" ref={ref} aria-label="Drawing of the pipelines; the table below says the same">
      <div className="graph-canvas" aria-hidden style={{ height: canvasHeight(layout, width || layout.width) }}>
        <ReactFlow
          key={`${width} ${JSON.stringify(graph.pipelines)}`}
          nodes={nodes}
          edges={edges}
          nodeTypes={nodeTypes}
          fitView
          fitViewOptions={{ maxZoom: LARGEST_SCALE, padding: 0.03 }}
          minZoom={0.2}
          maxZoom={2}
          nodesDraggable={false}
          nodesConnectable={false}
          nodesFocusable={false}
          edgesFocusable={false}
          elementsSelectable={false}
          disableKeyboardA11y
          // Its link could be reached by Tab within what is hidden from assistive technology; the licence leaves it to us.
          proOptions={{ hideAttribution: true }}
          preventScrolling={false}
          zoomOnScroll={false}
        >
          <Background gap={18} size={1} color="var(--line)" />
        </ReactFlow>
      </div>
      <figcaption className="graph-legend">
        {signals.map((signal) => (
          <span key={signal}>
            <i style={{ background: colorOf(signal) }} /> {visibleText(signal)}
          </span>
        ))}
      </figcaption>
    </figure>
  )
}

function flowOf(graph: PipelineGraph, { places }: GraphLayout): { nodes: FlowNode[]; edges: Edge[] } {
  return {
    nodes: graph.nodes.map((node) => ({
      id: node.id,
      type: 'component',
      position: places.get(node.id) ?? { x: 0, y: 0 },
      data: { node },
      width: NODE_WIDTH,
      height: NODE_HEIGHT,
    })),
    edges: graph.edges.map((edge) => ({
      id: `${edge.from}→${edge.to}→${edge.pipeline}`,
      source: edge.from,
      target: edge.to,
      style: { stroke: colorOf(edge.signal), strokeWidth: 1.6 },
    })),
  }
}
