/** The agents of a rollout by state: chips to filter by, and a table of them, a page at a time. */
import type { MemberState, Rollout, RolloutMember } from '@drover/api'
import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { type MemberFilter, memberPageQuery } from '../../api/rollout-queries.ts'
import { isOver } from '../../api/rollout-stream.ts'
import { AgentText } from '../../ui/AgentText.tsx'
import { DataTable } from '../../ui/DataTable.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { RelativeTime } from '../../ui/RelativeTime.tsx'
import { StateBadge } from '../../ui/StateBadge.tsx'
import { type Counts, memberStates } from '../../ui/rollout-states.ts'

/** Their states change with every answer; the counts above the table are told at once by the stream. */
const REFRESH_MS = 4_000

interface Props {
  readonly rollout: Rollout
  readonly filter: MemberFilter
  readonly onFilter: (filter: MemberFilter) => void
}

export function Members({ rollout, filter, onFilter }: Props) {
  const counts = filter.wave === undefined ? rollout.counts : (rollout.waves[filter.wave]?.counts ?? {})
  return (
    <Panel
      title="Agents"
      flush
      actions={
        filter.wave === undefined ? undefined : (
          <Button variant="default" size="compact-xs" onClick={() => onFilter({ state: filter.state })}>
            Wave {filter.wave + 1} only: show all
          </Button>
        )
      }
    >
      <StateChips counts={counts} chosen={filter.state} onChoose={(state) => onFilter({ ...filter, state })} />
      {/* A new filter begins at its first page. */}
      <MemberTable key={`${filter.wave} ${filter.state}`} rollout={rollout} filter={filter} />
    </Panel>
  )
}

function StateChips(props: { readonly counts: Counts; readonly chosen: MemberState | undefined; readonly onChoose: (state: MemberState | undefined) => void }) {
  const states = Object.keys(memberStates) as readonly MemberState[] // as: the keys of a total table
  const shown = states.filter((state) => (props.counts[state] ?? 0) > 0 || state === props.chosen)
  return (
    <fieldset className="chips" aria-label="Show agents in a state">
      {shown.map((state) => {
        const look = memberStates[state]
        const isChosen = props.chosen === state
        return (
          <button
            key={state}
            type="button"
            className="state-chip"
            aria-pressed={isChosen}
            title={look.meaning}
            onClick={() => props.onChoose(isChosen ? undefined : state)}
          >
            <span className="legend-swatch" data-part={look.part} aria-hidden />
            {look.label} <strong>{(props.counts[state] ?? 0).toLocaleString('en')}</strong>
          </button>
        )
      })}
    </fieldset>
  )
}

function MemberTable({ rollout, filter }: { readonly rollout: Rollout; readonly filter: MemberFilter }) {
  // The cursors of the pages before this one; the way back.
  const [trail, setTrail] = useState<readonly (string | undefined)[]>([undefined])
  const query = useQuery({
    ...memberPageQuery(rollout.id, filter, trail.at(-1)),
    refetchInterval: isOver(rollout) && rollout.state !== 'stopped' ? false : REFRESH_MS,
  })
  return (
    <QueryView query={query}>
      {({ items, nextCursor, total }) => (
        <>
          {items.length === 0 ? <p className="panel-body dimmed">No agent is in this state.</p> : <Rows members={items} />}
          {(nextCursor !== null || trail.length > 1) && (
            <nav className="panel-foot" aria-label="Pages of agents">
              <Button variant="default" disabled={trail.length === 1} onClick={() => setTrail(trail.slice(0, -1))}>
                Previous
              </Button>
              <Button variant="default" disabled={nextCursor === null} onClick={() => nextCursor !== null && setTrail([...trail, nextCursor])}>
                Next
              </Button>
              <span className="dimmed">
                Page {trail.length}, {total.toLocaleString('en')} agents
              </span>
            </nav>
          )}
        </>
      )}
    </QueryView>
  )
}

function Rows({ members }: { readonly members: readonly RolloutMember[] }) {
  return (
    <DataTable label="Agents of the rollout">
      <thead>
        <tr>
          <th scope="col">Agent</th>
          <th scope="col" className="number">
            Wave
          </th>
          <th scope="col">State</th>
          <th scope="col">Since</th>
        </tr>
      </thead>
      <tbody>
        {members.map((member) => {
          const look = memberStates[member.state]
          return (
            <tr key={member.agentId}>
              <td>
                <Link to="/agents/$agentId" params={{ agentId: member.agentId }}>
                  <AgentText text={member.agentName} />
                </Link>
                {!member.connected && <span className="dimmed"> not connected</span>}
                {member.error !== null && (
                  <div className="member-error">
                    <AgentText text={member.error} />
                  </div>
                )}
              </td>
              <td className="number">{member.wave + 1}</td>
              <td>
                <StateBadge tone={look.tone} title={look.meaning} plain>
                  {look.label}
                </StateBadge>
                {member.tries > 1 && <span className="dimmed nowrap"> try {member.tries}</span>}
              </td>
              <td>
                <RelativeTime at={member.since} />
              </td>
            </tr>
          )
        })}
      </tbody>
    </DataTable>
  )
}
