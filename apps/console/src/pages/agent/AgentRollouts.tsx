/** The rollouts that an agent was in, and what became of it there. */
import type { RolloutSummary } from '@drover/api'
import { Button } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { rolloutListQuery } from '../../api/rollout-queries.ts'
import { AgentText } from '../../ui/AgentText.tsx'
import { DataTable } from '../../ui/DataTable.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { RelativeTime } from '../../ui/RelativeTime.tsx'
import { RolloutStateBadge } from '../../ui/RolloutStateBadge.tsx'
import { StateBadge } from '../../ui/StateBadge.tsx'
import { memberStates } from '../../ui/rollout-states.ts'
import { changeOf } from '../rollouts/rollout-view.ts'

const PAGE_SIZE = 10

export function AgentRollouts({ agentId }: { readonly agentId: string }) {
  const query = useInfiniteQuery(rolloutListQuery({ agent: agentId }, PAGE_SIZE))
  const rollouts = query.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <Panel
      title="Rollouts"
      flush
      footer={
        query.hasNextPage ? (
          <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            Earlier rollouts
          </Button>
        ) : undefined
      }
    >
      <QueryView query={query}>
        {() =>
          rollouts.length === 0 ? (
            <p className="panel-body dimmed">It was in no rollout yet. Each change of a group that it is in is one.</p>
          ) : (
            <Table rollouts={rollouts} />
          )
        }
      </QueryView>
    </Panel>
  )
}

function Table({ rollouts }: { readonly rollouts: readonly RolloutSummary[] }) {
  return (
    <DataTable label="Rollouts table">
      <thead>
        <tr>
          <th scope="col">Rollout</th>
          <th scope="col">This agent</th>
          <th scope="col">All agents</th>
          <th scope="col">Started</th>
          <th scope="col">What happened</th>
        </tr>
      </thead>
      <tbody>
        {rollouts.map((rollout) => (
          <tr key={rollout.id}>
            <td className="nowrap">
              <Link to="/rollouts/$rolloutId" params={{ rolloutId: rollout.id }}>
                {rollout.group}: {changeOf(rollout)}
              </Link>
            </td>
            <td>
              <Outcome member={rollout.member} />
            </td>
            <td>
              <RolloutStateBadge state={rollout.state} />
            </td>
            <td>
              <RelativeTime at={rollout.startedAt} never="not yet" />
            </td>
            <td className="wrap-anywhere">{rollout.summary}</td>
          </tr>
        ))}
      </tbody>
    </DataTable>
  )
}

function Outcome({ member }: { readonly member: RolloutSummary['member'] }) {
  if (member === undefined) return <span className="dimmed">see the rollout</span>
  const look = memberStates[member.state]
  return (
    <>
      <StateBadge tone={look.tone} title={look.meaning}>
        {look.label}
      </StateBadge>{' '}
      <span className="dimmed nowrap">wave {member.wave + 1}</span>
      {member.error !== null && (
        <div className="agent-message">
          <AgentText text={member.error} />
        </div>
      )}
    </>
  )
}
