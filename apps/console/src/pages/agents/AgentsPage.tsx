/** The agents table with its filters; everything that narrows it is in the address. */
import { Button } from '@mantine/core'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo } from 'react'
import { fieldErrors } from '../../api/client.ts'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { ErrorState } from '../../ui/ErrorState.tsx'
import { LoadingRows } from '../../ui/Loading.tsx'
import { PageHeader } from '../../ui/PageHeader.tsx'
import { useAddAgent } from '../add-agent/AddAgentProvider.tsx'
import { AgentFilters } from './AgentFilters.tsx'
import { AgentTable } from './AgentTable.tsx'
import { type AgentSearch, toListFilter, withSearch } from './agent-search.ts'
import './agents.css'
import { useAgentPages } from './use-agent-pages.ts'

export function AgentsPage() {
  const search = useSearch({ from: '/shell/agents' })
  const navigate = useNavigate()
  const change = (next: { readonly [Key in keyof AgentSearch]: AgentSearch[Key] | undefined }) =>
    void navigate({ to: '/agents', search: withSearch(search, next), replace: true })
  const filter = useMemo(() => toListFilter(search), [search])
  const { query, agents, total, setPagesInSight } = useAgentPages(filter)
  const unreadable = fieldErrors(query.error)['query.filter'] !== undefined
  const narrowed = search.filter !== undefined || search.state !== undefined || search.search !== undefined
  return (
    <div className="agents-page">
      <PageHeader title="Agents" />
      <AgentFilters search={search} onChange={change} total={query.isSuccess ? total : undefined} busy={query.isPlaceholderData} />
      <div className="panel agents-panel">
        {unreadable && <EmptyState title="The selector cannot be read">What is wrong with it is said below its field.</EmptyState>}
        {query.isError && !unreadable && (
          <div style={{ padding: 14 }}>
            <ErrorState error={query.error} onRetry={() => void query.refetch()} />
          </div>
        )}
        {query.isPending && <LoadingRows rows={14} />}
        {query.isSuccess &&
          agents.length === 0 &&
          (narrowed ? <NoMatch onClear={() => change({ filter: undefined, state: undefined, search: undefined })} /> : <NoAgents />)}
        {query.isSuccess && agents.length > 0 && (
          <AgentTable
            agents={agents}
            total={total}
            search={search}
            onSort={(sort) => change({ sort })}
            hasMore={query.hasNextPage}
            loadingMore={query.isFetchingNextPage}
            onMore={() => void query.fetchNextPage()}
            onPagesInSight={setPagesInSight}
          />
        )}
      </div>
    </div>
  )
}

function NoMatch({ onClear }: { readonly onClear: () => void }) {
  return (
    <EmptyState
      title="No agent matches"
      action={
        <Button variant="default" onClick={onClear}>
          Clear the filters
        </Button>
      }
    >
      Agents appear here as soon as they match. Widen the filter, or check the spelling of attribute names and values.
    </EmptyState>
  )
}

function NoAgents() {
  const addAgent = useAddAgent()
  return (
    <EmptyState title="No agent has connected yet" action={<Button onClick={addAgent}>Add the first agent</Button>}>
      An agent is an OpenTelemetry Collector with a supervisor or the OpAMP extension. Adding one takes a single pasted file.
    </EmptyState>
  )
}
