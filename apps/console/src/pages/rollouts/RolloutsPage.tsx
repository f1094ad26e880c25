/** All rollouts: those that still want something first, then the rest; filtered and paged by the server. */
import { RolloutState } from '@drover/api'
import { Button, Select } from '@mantine/core'
import { IconRocket } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { groupListQuery } from '../../api/queries.ts'
import { type RolloutFilter, rolloutListQuery } from '../../api/rollout-queries.ts'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { LinkButton } from '../../ui/LinkButton.tsx'
import { PageHeader } from '../../ui/PageHeader.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { rolloutStates } from '../../ui/rollout-states.ts'
import { RolloutTable } from './RolloutTable.tsx'
import { filterOf, isFiltered } from './rollout-search.ts'
import './rollouts.css'

export function RolloutsPage() {
  const filter = filterOf(useSearch({ from: '/shell/rollouts' }))
  return (
    <>
      <PageHeader
        title="Rollouts"
        below={<span className="dimmed">Each change of a group goes out in waves that are watched before the next one opens.</span>}
      />
      <div className="stack">
        <Filters filter={filter} />
        {isFiltered(filter) ? <Found filter={filter} /> : <ActiveFirst filter={filter} />}
      </div>
    </>
  )
}

function Filters({ filter }: { readonly filter: RolloutFilter }) {
  const navigate = useNavigate()
  const groups = useInfiniteQuery(groupListQuery)
  const names = groups.data?.pages.flatMap((page) => page.items.map(({ name }) => name)) ?? []
  const show = (changed: { state?: string | undefined; group?: string | undefined }) =>
    void navigate({ to: '/rollouts', search: { ...filter, ...changed }, replace: true })
  return (
    <search className="row" aria-label="Filter rollouts">
      <Select
        aria-label="State"
        placeholder="Every state"
        data={[
          { value: 'active', label: 'Under way' },
          { value: 'over', label: 'Over' },
          ...RolloutState.options.map((state) => ({ value: state, label: rolloutStates[state].label })),
        ]}
        value={filter.state ?? null}
        onChange={(state) => show({ state: state ?? undefined })}
        clearable
        clearButtonProps={{ 'aria-label': 'Every state' }}
        w={170}
      />
      <Select
        aria-label="Group"
        placeholder="Every group"
        data={filter.group === undefined || names.includes(filter.group) ? names : [filter.group, ...names]}
        value={filter.group ?? null}
        onChange={(group) => show({ group: group ?? undefined })}
        searchable
        clearable
        clearButtonProps={{ 'aria-label': 'Every group' }}
        nothingFoundMessage="No such group"
        w={220}
      />
    </search>
  )
}

/** Without a state: what goes on or waits for somebody above, what is over below. */
function ActiveFirst({ filter }: { readonly filter: RolloutFilter }) {
  const active = useRolloutPages({ ...filter, state: 'active' })
  const drafts = useRolloutPages({ ...filter, state: 'draft' })
  const over = useRolloutPages({ ...filter, state: 'over' })
  const totals = [active, drafts, over].map(({ data }) => data?.pages[0]?.total)
  if (totals.every((total) => total === 0)) return <NoneYet group={filter.group} />
  return (
    <>
      <RolloutPanel title="Under way" query={active} empty="No rollout is under way." />
      {(totals[1] ?? 0) > 0 && <RolloutPanel title="Drafts" query={drafts} empty="Nothing is prepared." />}
      <RolloutPanel title="Over" query={over} empty="No rollout is over yet." />
    </>
  )
}

function Found({ filter }: { readonly filter: RolloutFilter }) {
  const query = useRolloutPages(filter)
  return <RolloutPanel title="Rollouts" query={query} empty="No rollout passes this filter." />
}

const useRolloutPages = (filter: RolloutFilter) => useInfiniteQuery(rolloutListQuery(filter))
type RolloutPages = ReturnType<typeof useRolloutPages>

function RolloutPanel({ title, query, empty }: { readonly title: string; readonly query: RolloutPages; readonly empty: string }) {
  const rollouts = query.data?.pages.flatMap((page) => page.items) ?? []
  const total = query.data?.pages[0]?.total ?? 0
  return (
    <Panel
      title={title}
      flush
      actions={total > 0 ? <span className="dimmed">{total.toLocaleString('en')}</span> : undefined}
      footer={
        query.hasNextPage ? (
          <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            More rollouts
          </Button>
        ) : undefined
      }
    >
      <QueryView query={query}>
        {() => (rollouts.length === 0 ? <p className="panel-body dimmed">{empty}</p> : <RolloutTable label={`${title}, table`} rollouts={rollouts} />)}
      </QueryView>
    </Panel>
  )
}

function NoneYet({ group }: { readonly group: string | undefined }) {
  return (
    <div className="panel">
      <EmptyState
        title={group === undefined ? 'No rollout yet' : `No rollout of ${group} yet`}
        icon={<IconRocket size={28} stroke={1.4} aria-hidden />}
        action={
          group === undefined ? (
            <LinkButton to="/create/group">Create a group</LinkButton>
          ) : (
            <LinkButton to="/groups/$name/edit" params={{ name: group }}>
              Change {group}
            </LinkButton>
          )
        }
      >
        A rollout begins when a group is created or changed: you see who gets the change in which wave before anything is sent.{' '}
        <Link to="/groups">All groups</Link>
      </EmptyState>
    </div>
  )
}
