/** The rollouts that an agent was in, what was offered to it, and what became of it. */
import { Button } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { agentAttemptsQuery } from '../../api/queries.ts'
import { AgentText } from '../../ui/AgentText.tsx'
import { DataTable } from '../../ui/DataTable.tsx'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { RelativeTime } from '../../ui/RelativeTime.tsx'
import { ShortHash } from '../../ui/ShortHash.tsx'
import { StateBadge } from '../../ui/StateBadge.tsx'
import { attemptReasons, attemptStates } from '../../ui/agent-states.ts'
import { AgentRollouts } from './AgentRollouts.tsx'

export function AttemptsTab({ agentId }: { readonly agentId: string }) {
  return (
    <div className="stack">
      <AgentRollouts agentId={agentId} />
      <Attempts agentId={agentId} />
    </div>
  )
}

function Attempts({ agentId }: { readonly agentId: string }) {
  const query = useInfiniteQuery(agentAttemptsQuery(agentId))
  const attempts = query.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <Panel
      title="Attempts"
      flush
      footer={
        query.hasNextPage ? (
          <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            Earlier attempts
          </Button>
        ) : undefined
      }
    >
      <QueryView query={query}>
        {() =>
          attempts.length === 0 ? (
            <EmptyState title="Nothing was offered yet">Each configuration that is offered to this agent is listed here with what became of it.</EmptyState>
          ) : (
            <DataTable label="Attempts table">
              <thead>
                <tr>
                  <th scope="col">State</th>
                  <th scope="col">Configuration</th>
                  <th scope="col">Why</th>
                  <th scope="col">Offered</th>
                  <th scope="col">Updated</th>
                  <th scope="col">What the agent said</th>
                </tr>
              </thead>
              <tbody>
                {attempts.map((attempt) => (
                  <tr key={attempt.id}>
                    <td>
                      <StateBadge tone={attemptStates[attempt.state].tone} title={attemptStates[attempt.state].meaning}>
                        {attemptStates[attempt.state].label}
                      </StateBadge>
                    </td>
                    <td>
                      <AgentText text={attempt.source} />
                      <div>
                        <ShortHash hash={attempt.hash} />
                      </div>
                    </td>
                    <td>{attemptReasons[attempt.reason]}</td>
                    <td>
                      <RelativeTime at={attempt.offeredAt} />
                    </td>
                    <td>
                      <RelativeTime at={attempt.updatedAt} />
                    </td>
                    <td>
                      {attempt.errorMessage === null ? (
                        <span className="dimmed">nothing</span>
                      ) : (
                        <div className="agent-message">
                          <AgentText text={attempt.errorMessage} />
                        </div>
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </DataTable>
          )
        }
      </QueryView>
    </Panel>
  )
}
