/** What a change does to one agent that somebody chooses: its whole configuration before and after, beside each other. */
import type { AgentChange, RolloutPreview } from '@drover/api'
import { Select } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { api } from '../../../api/client.ts'
import { Notice } from '../../../ui/Notice.tsx'
import { QueryView } from '../../../ui/QueryView.tsx'
import { Diff } from '../../../ui/editor/lazy.tsx'
import { visibleText } from '../../../ui/visible-text.ts'
import { type RolloutChange, sidesOf } from './start-choice.ts'

interface Props {
  readonly change: RolloutChange
  readonly preview: RolloutPreview | undefined
}

export function AgentChangePanel({ change, preview }: Props) {
  const [agentId, setAgentId] = useState<string | null>(null)
  const [search, setSearch] = useState('')
  const options = useAgentOptions(preview, search, agentId)
  return (
    <div className="stack">
      <Select
        label="What changes for one agent"
        placeholder="Choose an agent, or type a part of its name"
        data={options}
        value={agentId}
        onChange={setAgentId}
        searchable
        searchValue={search}
        onSearchChange={setSearch}
        filter={({ options: all }) => all} // the server has searched
        nothingFoundMessage="No such agent"
        clearable
        clearButtonProps={{ 'aria-label': 'No agent' }}
        maw={420}
      />
      {agentId !== null && <Changed change={change} agentId={agentId} />}
    </div>
  )
}

interface Option {
  readonly value: string
  readonly label: string
}

/** Agents of the first waves until something is typed; then what the server finds. */
function useAgentOptions(preview: RolloutPreview | undefined, search: string, chosen: string | null): Option[] {
  const [typed] = useDebouncedValue(search.trim(), 250)
  const found = useQuery({
    queryKey: ['agents', 'named', typed],
    queryFn: async ({ signal }) => (await api.listAgents({ query: { search: typed, limit: 20 }, signal })).data.items,
    enabled: typed !== '',
    placeholderData: keepPreviousData,
  })
  return useMemo(() => {
    const sample = preview?.waves.flatMap(({ sample: some }) => some).slice(0, 20) ?? []
    const known = new Map(sample.map(({ id, name }) => [id, visibleText(name)]))
    const isName = chosen !== null && known.get(chosen) === typed
    const items = typed === '' || isName ? sample : (found.data ?? [])
    const options = items.map(({ id, name }) => ({ value: id, label: visibleText(name) }))
    const kept = chosen === null || options.some(({ value }) => value === chosen) ? undefined : known.get(chosen)
    return kept === undefined || chosen === null ? options : [{ value: chosen, label: kept }, ...options]
  }, [preview, typed, chosen, found.data])
}

function Changed({ change, agentId }: { readonly change: RolloutChange; readonly agentId: string }) {
  const query = useQuery({
    queryKey: ['rollout-preview', 'agent', agentId, JSON.stringify(change)],
    queryFn: async ({ signal }) => (await api.previewAgentChange({ params: { agentId }, body: { change }, signal })).data,
    gcTime: 0,
  })
  return <QueryView query={query}>{(changed) => <Shown changed={changed} />}</QueryView>
}

function Shown({ changed }: { readonly changed: AgentChange }) {
  const { before, after } = useMemo(() => sidesOf(changed.unified), [changed.unified])
  if (changed.unified.trim() === '')
    return (
      <p className="dimmed">
        {changed.from.hash === changed.to.hash
          ? 'Nothing changes for this agent.'
          : 'What this agent runs stays the same: only comments or the way it is written differ.'}
      </p>
    )
  return (
    <div className="stack">
      {changed.missing.length > 0 && (
        <Notice tone="warn">This agent lacks {changed.missing.map(({ kind, type }) => `${kind} ${type}`).join(', ')}, and would fail the change.</Notice>
      )}
      <Diff before={{ label: `Before: ${changed.from.source}`, text: before }} after={{ label: `After: ${changed.to.source}`, text: after }} />
    </div>
  )
}
