/** All groups, strongest first, with their members and how far these are. */
import { Button } from '@mantine/core'
import { IconPlus, IconStack2 } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { groupListQuery } from '../../api/queries.ts'
import { AgentText } from '../../ui/AgentText.tsx'
import { DataTable } from '../../ui/DataTable.tsx'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { LinkButton } from '../../ui/LinkButton.tsx'
import { MemberProgress } from '../../ui/MemberProgress.tsx'
import { PageHeader } from '../../ui/PageHeader.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { RolloutStateBadge } from '../../ui/RolloutStateBadge.tsx'
import { rolloutStates } from '../../ui/rollout-states.ts'

export function GroupsPage() {
  const query = useInfiniteQuery(groupListQuery)
  const groups = query.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <>
      <PageHeader
        title="Groups"
        below={<span className="dimmed">Highest priority first: where several groups match one agent, the upper one wins.</span>}
        actions={
          <LinkButton to="/create/group" leftSection={<IconPlus size={14} aria-hidden />}>
            New group
          </LinkButton>
        }
      />
      <div className="panel">
        <QueryView query={query}>
          {() =>
            groups.length === 0 ? (
              <EmptyState
                title="No group yet"
                icon={<IconStack2 size={28} stroke={1.4} aria-hidden />}
                action={<LinkButton to="/create/group">Create the first group</LinkButton>}
              >
                A group chooses agents by what they report, and says which configs they get.
              </EmptyState>
            ) : (
              <DataTable label="Groups table">
                <thead>
                  <tr>
                    <th scope="col">Name</th>
                    <th scope="col" className="number">
                      Priority
                    </th>
                    <th scope="col">Selector</th>
                    <th scope="col">Configs</th>
                    <th scope="col">Rollout</th>
                    <th scope="col" className="number">
                      Agents
                    </th>
                    <th scope="col">Applied</th>
                    <th scope="col" className="number">
                      Failed
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {groups.map((group) => (
                    <tr key={group.name}>
                      <td>
                        <Link to="/groups/$name" params={{ name: group.name }}>
                          {group.name}
                        </Link>
                        {group.description !== '' && (
                          <div className="dimmed">
                            <AgentText text={group.description} />
                          </div>
                        )}
                      </td>
                      <td className="number">{group.priority}</td>
                      <td className="mono wrap-anywhere">{group.selector}</td>
                      <td>
                        {group.revision.configs.length === 0 ? (
                          <span className="dimmed">none</span>
                        ) : (
                          group.revision.configs.map(({ config, version }) => (
                            <div key={config} className="nowrap">
                              {config}@{version}
                            </div>
                          ))
                        )}
                      </td>
                      <td>
                        {group.rollout === null ? (
                          <span className="dimmed">none yet</span>
                        ) : (
                          <Link
                            to="/rollouts/$rolloutId"
                            params={{ rolloutId: group.rollout.id }}
                            aria-label={`Rollout of revision ${group.rollout.to}: ${rolloutStates[group.rollout.state].label}`}
                          >
                            <RolloutStateBadge state={group.rollout.state} />
                          </Link>
                        )}
                      </td>
                      <td className="number">{group.counts.total.toLocaleString('en')}</td>
                      <td style={{ minWidth: 110, verticalAlign: 'middle' }}>
                        <MemberProgress counts={group.counts} />
                      </td>
                      <td className="number">{group.counts.failed.toLocaleString('en')}</td>
                    </tr>
                  ))}
                </tbody>
              </DataTable>
            )
          }
        </QueryView>
        {query.hasNextPage && (
          <div className="panel-foot">
            <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
              More groups
            </Button>
          </div>
        )}
      </div>
    </>
  )
}
