/** The agents as a virtual grid: only the rows in sight are in the document, more pages load towards the end. */
// oxlint-disable jsx-a11y/prefer-tag-over-role -- rows are placed one by one, which the elements of a table do not allow
import type { AgentSummary } from '@drover/api'
import { UnstyledButton } from '@mantine/core'
import { IconArrowDown, IconArrowUp, IconSelector } from '@tabler/icons-react'
import { Link, useNavigate } from '@tanstack/react-router'
import { createColumnHelper, flexRender, tableFeatures, useTable } from '@tanstack/react-table'
import { useVirtualizer } from '@tanstack/react-virtual'
import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import { AGENT_PAGE_SIZE } from '../../api/queries.ts'
import { ConfigStateBadge, ConnectionBadge, HealthBadge } from '../../ui/AgentBadges.tsx'
import { AgentText } from '../../ui/AgentText.tsx'
import { RelativeTime } from '../../ui/RelativeTime.tsx'
import { visibleText } from '../../ui/visible-text.ts'
import { type AgentSearch, type AgentSort, type SortColumn, nextSort, sortOf } from './agent-search.ts'
import { rowForKey } from './row-keys.ts'

const ROW_HEIGHT = 34
/** Rows from the end at which the next page is asked for. */
const PREFETCH_ROWS = 40

const features = tableFeatures({})
const column = createColumnHelper<typeof features, AgentSummary>()
const columns = column.columns([
  column.accessor('name', { header: 'Name', cell: ({ row }) => <NameCell agent={row.original} /> }),
  column.accessor('connected', { header: 'Connection', cell: ({ row }) => <ConnectionBadge agent={row.original} plain /> }),
  column.accessor('healthy', { header: 'Health', cell: ({ row }) => <HealthCell agent={row.original} /> }),
  column.accessor('configState', { header: 'Configuration', cell: ({ row }) => <ConfigCell agent={row.original} /> }),
  column.accessor('groups', { header: 'Groups', cell: ({ row }) => <Chips texts={row.original.groups} /> }),
  column.accessor('serviceName', {
    header: 'Service',
    cell: ({ row }) => <AgentText text={[row.original.serviceName, row.original.serviceVersion].filter(Boolean).join(' ')} />,
  }),
  column.accessor('labels', {
    header: 'Labels',
    cell: ({ row }) => <Chips texts={Object.entries(row.original.labels).map(([key, value]) => `${key}=${value}`)} />,
  }),
  column.accessor('lastSeenAt', { header: 'Last seen', cell: ({ row }) => <RelativeTime at={row.original.lastSeenAt} /> }),
])
const sortable: Readonly<Record<string, SortColumn>> = { name: 'name', lastSeenAt: 'lastSeenAt' }

interface Props {
  readonly agents: readonly AgentSummary[]
  readonly total: number
  readonly search: AgentSearch
  readonly onSort: (sort: AgentSort) => void
  readonly hasMore: boolean
  readonly loadingMore: boolean
  readonly onMore: () => void
  readonly onPagesInSight: (first: number, last: number) => void
}

export function AgentTable(props: Props) {
  const { agents, hasMore, loadingMore, onMore, onPagesInSight } = props
  const scroller = useRef<HTMLDivElement>(null)
  const table = useTable({ features, columns, data: agents as AgentSummary[], getRowId: (agent) => agent.id }) // as: the table only reads it
  const rows = table.getRowModel().rows
  // oxlint-disable-next-line react/incompatible-library -- no compiler memoizes here
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => ROW_HEIGHT, overscan: 12 })
  const visible = virtual.getVirtualItems()
  const first = visible[0]?.index ?? 0
  const last = visible.at(-1)?.index ?? 0
  useEffect(() => {
    onPagesInSight(Math.floor(first / AGENT_PAGE_SIZE), Math.floor(last / AGENT_PAGE_SIZE))
    if (hasMore && !loadingMore && last >= rows.length - PREFETCH_ROWS) onMore()
  }, [first, last, rows.length, hasMore, loadingMore, onMore, onPagesInSight])
  const { active, setActive, onKeyDown } = useRowKeys(
    rows.length,
    scroller,
    (index) => virtual.scrollToIndex(index),
    (index) => rows[index]?.original.id,
  )
  return (
    <div
      className="agent-grid"
      role="grid"
      aria-label="Agents"
      aria-rowcount={props.total + 1}
      aria-colcount={columns.length}
      aria-busy={loadingMore}
      ref={scroller}
      tabIndex={-1}
      onKeyDown={onKeyDown}
    >
      <div role="rowgroup" className="agent-grid-head">
        <div role="row" aria-rowindex={1} className="agent-grid-row">
          {table.getHeaderGroups()[0]?.headers.map((header) => (
            <HeaderCell key={header.id} id={header.column.id} search={props.search} onSort={props.onSort} label={String(header.column.columnDef.header)} />
          ))}
        </div>
      </div>
      <div role="rowgroup" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
        {visible.map((item) => {
          const row = rows[item.index]
          if (row === undefined) return null
          return (
            <div
              key={row.id}
              role="row"
              aria-rowindex={item.index + 2}
              className="agent-grid-row"
              data-row={item.index}
              tabIndex={item.index === active || (item.index === first && (active < first || active > last)) ? 0 : -1}
              onFocus={() => setActive(item.index)}
              style={{ position: 'absolute', top: 0, left: 0, right: 0, height: ROW_HEIGHT, transform: `translateY(${item.start}px)` }}
            >
              {row.getAllCells().map((cell) => (
                <div key={cell.id} role="gridcell" className="agent-grid-cell" data-column={cell.column.id}>
                  {flexRender(cell.column.columnDef.cell, cell.getContext())}
                </div>
              ))}
            </div>
          )
        })}
      </div>
    </div>
  )
}

/** One row is in the tab order; arrows, Home, End and page keys move to others, Enter opens. */
function useRowKeys(
  count: number,
  scroller: { readonly current: HTMLDivElement | null },
  scrollTo: (index: number) => void,
  idOf: (index: number) => string | undefined,
) {
  const navigate = useNavigate()
  const [active, setActive] = useState(0)
  const onKeyDown = (event: KeyboardEvent) => {
    if (!(event.target instanceof HTMLElement) || event.target.dataset['row'] === undefined) return
    if (event.key === 'Enter') {
      const agentId = idOf(active)
      if (agentId !== undefined) void navigate({ to: '/agents/$agentId', params: { agentId } })
      return
    }
    const next = rowForKey(event.key, active, count, Math.floor((scroller.current?.clientHeight ?? ROW_HEIGHT) / ROW_HEIGHT) - 1)
    if (next === undefined) return
    event.preventDefault()
    setActive(next)
    scrollTo(next)
    // The row may only now come into the document.
    requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-row="${next}"]`)?.focus({ preventScroll: true }))
  }
  return { active, setActive, onKeyDown }
}

function HeaderCell({
  id,
  label,
  search,
  onSort,
}: {
  readonly id: string
  readonly label: string
  readonly search: AgentSearch
  readonly onSort: (sort: AgentSort) => void
}) {
  const by = sortable[id]
  if (by === undefined)
    return (
      <div role="columnheader" className="agent-grid-cell" data-column={id}>
        {label}
      </div>
    )
  const { column: current, descending } = sortOf(search)
  const Mark = current === by ? (descending ? IconArrowDown : IconArrowUp) : IconSelector
  return (
    <div role="columnheader" className="agent-grid-cell" data-column={id} aria-sort={current === by ? (descending ? 'descending' : 'ascending') : 'none'}>
      <UnstyledButton className="agent-grid-sort" onClick={() => onSort(nextSort(search, by))}>
        {label} <Mark size={13} aria-hidden />
      </UnstyledButton>
    </div>
  )
}

function NameCell({ agent }: { readonly agent: AgentSummary }) {
  return (
    <Link to="/agents/$agentId" params={{ agentId: agent.id }} tabIndex={-1} className="agent-grid-name" title={visibleText(agent.name)}>
      <AgentText text={agent.name} />
    </Link>
  )
}

function HealthCell({ agent }: { readonly agent: AgentSummary }) {
  return (
    <span title={agent.lastError === null ? undefined : visibleText(agent.lastError)}>
      <HealthBadge healthy={agent.healthy} plain />
    </span>
  )
}

function ConfigCell({ agent }: { readonly agent: AgentSummary }) {
  return (
    <span title={agent.configError === null ? undefined : visibleText(agent.configError)}>
      <ConfigStateBadge state={agent.configState} plain />
    </span>
  )
}

function Chips({ texts }: { readonly texts: readonly string[] }) {
  if (texts.length === 0) return <span className="dimmed">–</span>
  return (
    <span className="agent-grid-chips" title={texts.map(visibleText).join(', ')}>
      {texts.map((text) => (
        <span className="chip" key={text}>
          <AgentText text={text} />
        </span>
      ))}
    </span>
  )
}
