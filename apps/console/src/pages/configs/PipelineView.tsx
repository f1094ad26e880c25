/** The pipelines of a configuration: drawn, and as a table. */
import { Suspense, lazy, useMemo } from 'react'
import { DataTable } from '../../ui/DataTable.tsx'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { LoadingRows } from '../../ui/Loading.tsx'
import { Notice } from '../../ui/Notice.tsx'
import { visibleText } from '../../ui/visible-text.ts'
import { type Pipeline, readPipelineGraph } from './pipeline-graph.ts'

const GraphCanvas = lazy(async () => ({ default: (await import('./GraphCanvas.tsx')).GraphCanvas }))

export function PipelineView({ texts }: { readonly texts: readonly string[] }) {
  const read = useMemo(() => readPipelineGraph(texts), [texts])
  if (read.kind === 'unreadable')
    return (
      <Notice tone="warn" title="The pipelines cannot be drawn">
        {read.reason}
      </Notice>
    )
  if (read.graph.pipelines.length === 0)
    return <EmptyState title="No pipelines">This configuration has no entry below service.pipelines. It may be meant to be merged with others.</EmptyState>
  return (
    <div className="stack">
      <Suspense fallback={<LoadingRows rows={5} height={30} />}>
        <GraphCanvas graph={read.graph} />
      </Suspense>
      <PipelineTable pipelines={read.graph.pipelines} />
    </div>
  )
}

function PipelineTable({ pipelines }: { readonly pipelines: readonly Pipeline[] }) {
  return (
    <DataTable label="Pipelines table">
      <thead>
        <tr>
          <th scope="col">Pipeline</th>
          <th scope="col">Receivers</th>
          <th scope="col">Processors, in order</th>
          <th scope="col">Exporters</th>
        </tr>
      </thead>
      <tbody>
        {pipelines.map((pipeline) => (
          <tr key={pipeline.name}>
            <td className="mono">{visibleText(pipeline.name)}</td>
            <td className="mono">{names(pipeline.receivers, ', ')}</td>
            <td className="mono">{names(pipeline.processors, ' → ')}</td>
            <td className="mono">{names(pipeline.exporters, ', ')}</td>
          </tr>
        ))}
      </tbody>
    </DataTable>
  )
}

function names(list: readonly string[], separator: string) {
  return list.length === 0 ? <span className="dimmed">none</span> : visibleText(list.join(separator))
}
