/** Search, selector and state: what narrows the agents table. `/` focuses the search. */
import { CloseButton, Kbd, Select, TextInput } from '@mantine/core'
import { useDebouncedCallback, useHotkeys } from '@mantine/hooks'
import { IconSearch } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { describeError } from '../../api/client.ts'
import { countsQuery } from '../../api/queries.ts'
import { SelectorInput } from '../../ui/SelectorInput.tsx'
import { type AgentSearch, type AgentState, stateLabels, withSearch } from './agent-search.ts'

const SEARCH_DELAY_MS = 250

interface Props {
  readonly search: AgentSearch
  readonly onChange: (change: { readonly [Key in keyof AgentSearch]: AgentSearch[Key] | undefined }) => void
  /** How many match; undefined while that is not known. */
  readonly total: number | undefined
  readonly busy: boolean
}

export function AgentFilters({ search, onChange, total, busy }: Props) {
  const field = useRef<HTMLInputElement>(null)
  const [text, setText] = useSearchText(search.search ?? '', (value) => onChange({ search: value }))
  const counts = useQuery(countsQuery(search.filter))
  useHotkeys([['/', () => field.current?.focus()]])
  const states = (Object.keys(stateLabels) as AgentState[]).map((state) => {
    const count = counts.data && (state === 'disconnected' ? counts.data.total - counts.data.connected : counts.data[state])
    return { value: state, label: count === undefined ? stateLabels[state] : `${stateLabels[state]} (${count.toLocaleString('en')})` }
  })
  return (
    <search className="agent-filters">
      <TextInput
        ref={field}
        className="agent-filters-search"
        aria-label="Search agents"
        placeholder="Name, host, uid…"
        leftSection={<IconSearch size={14} aria-hidden />}
        rightSection={text === '' ? <Kbd size="xs">/</Kbd> : <CloseButton size="xs" aria-label="Clear the search" onClick={() => setText('')} />}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        maxLength={255}
      />
      <div className="agent-filters-selector">
        <SelectorInput
          label="Selector"
          hideLabel
          placeholder="service.name = otelcol and label.site in (ber, ham)"
          value={search.filter ?? ''}
          onCommit={(filter) => onChange({ filter })}
          facts
          error={counts.error === null ? undefined : describeError(counts.error).detail}
        />
      </div>
      <Select
        className="agent-filters-state"
        aria-label="State"
        placeholder="Any state"
        data={states}
        value={search.state ?? null}
        onChange={(state) =>
          onChange(
            withSearch({}, { state: (state as AgentState | null) ?? undefined }).state === undefined ? { state: undefined } : { state: state as AgentState },
          )
        }
        clearable
        clearButtonProps={{ 'aria-label': 'Any state' }}
      />
      <output className="dimmed agent-filters-total">
        {total === undefined ? '' : `${total.toLocaleString('en')} ${total === 1 ? 'agent' : 'agents'}`}
        {busy ? ' …' : ''}
      </output>
    </search>
  )
}

/** What is typed, handed on when the typing pauses; follows the address when that changes otherwise. */
function useSearchText(value: string, onCommit: (value: string | undefined) => void) {
  const [text, setText] = useState(value)
  const committed = useRef(value)
  const commit = useDebouncedCallback((next: string) => {
    committed.current = next
    onCommit(next === '' ? undefined : next)
  }, SEARCH_DELAY_MS)
  useEffect(() => {
    if (value === committed.current) return
    committed.current = value
    setText(value)
  }, [value])
  return [
    text,
    (next: string) => {
      setText(next)
      commit(next)
    },
  ] as const
}
