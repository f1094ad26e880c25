/** Which components an agent contains, by kind. */
import type { AgentDetail } from '@drover/api'
import { TextInput } from '@mantine/core'
import { useState } from 'react'
import { AgentText } from '../../ui/AgentText.tsx'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { Notice } from '../../ui/Notice.tsx'
import { Panel } from '../../ui/Panel.tsx'

export function ComponentsTab({ agent }: { readonly agent: AgentDetail }) {
  const [search, setSearch] = useState('')
  const components = agent.components
  if (components === null || components.items.length === 0)
    return (
      <Panel title="Components">
        <EmptyState title={components === null ? 'Nothing reported' : 'The list is being asked for'}>
          {components === null
            ? 'The agent did not say which components it contains, so configurations cannot be checked against it.'
            : 'Only its hash has arrived so far.'}
        </EmptyState>
      </Panel>
    )
  const found = components.items.filter(({ type, module }) => `${type} ${module ?? ''}`.toLowerCase().includes(search.toLowerCase()))
  const kinds = [...Map.groupBy(found, ({ kind }) => kind)].toSorted(([left], [right]) => left.localeCompare(right))
  return (
    <div className="stack">
      {!components.complete && <Notice tone="idle">The list may not be complete yet.</Notice>}
      <TextInput
        aria-label="Search components"
        placeholder="Search components"
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
        maw={280}
      />
      {kinds.length === 0 && <p className="dimmed">The agent contains no component of that name.</p>}
      {kinds.map(([kind, items]) => (
        <Panel key={kind} title={`${kind} (${items.length})`}>
          <ul className="component-list">
            {items.map(({ type, module }) => (
              <li key={type} title={module ?? undefined}>
                <code>
                  <AgentText text={type} />
                </code>
              </li>
            ))}
          </ul>
        </Panel>
      ))}
    </div>
  )
}
