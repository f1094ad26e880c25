/** All configs, with their newest version and the groups that use them. */
import { Button, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconFileCode, IconPlus } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { configListQuery } from '../../api/queries.ts'
import { AgentText } from '../../ui/AgentText.tsx'
import { DataTable } from '../../ui/DataTable.tsx'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { LinkButton } from '../../ui/LinkButton.tsx'
import { PageHeader } from '../../ui/PageHeader.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { RelativeTime } from '../../ui/RelativeTime.tsx'
import { DraftsPanel } from './drafts/DraftsPanel.tsx'

export function ConfigsPage() {
  const [search, setSearch] = useState('')
  const [settled] = useDebouncedValue(search, 250)
  const query = useInfiniteQuery(configListQuery(settled === '' ? undefined : settled))
  const configs = query.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <>
      <PageHeader
        title="Configs"
        actions={
          <>
            <LinkButton to="/templates" variant="default">
              From a template
            </LinkButton>
            <LinkButton to="/create/config" leftSection={<IconPlus size={14} aria-hidden />}>
              New config
            </LinkButton>
          </>
        }
      />
      <div className="stack">
        <TextInput
          aria-label="Search configs"
          placeholder="Search configs"
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
          maw={260}
        />
        <DraftsPanel />
        <div className="panel">
          <QueryView query={query}>
            {() =>
              configs.length === 0 ? (
                settled === '' ? (
                  <EmptyState
                    title="No config yet"
                    icon={<IconFileCode size={28} stroke={1.4} aria-hidden />}
                    action={<LinkButton to="/templates">Choose a template</LinkButton>}
                  >
                    A config is a Collector configuration with numbered versions. Begin with a template, then give it to agents with a group.
                  </EmptyState>
                ) : (
                  <EmptyState
                    title="No config of that name"
                    action={
                      <Button variant="default" onClick={() => setSearch('')}>
                        Clear the search
                      </Button>
                    }
                  />
                )
              ) : (
                <DataTable label="Configs table">
                  <thead>
                    <tr>
                      <th scope="col">Name</th>
                      <th scope="col">Newest version</th>
                      <th scope="col">Message</th>
                      <th scope="col">Used by</th>
                      <th scope="col">Changed</th>
                    </tr>
                  </thead>
                  <tbody>
                    {configs.map((config) => (
                      <tr key={config.name}>
                        <td>
                          <Link to="/configs/$name" params={{ name: config.name }}>
                            {config.name}
                          </Link>
                          {config.description !== '' && (
                            <div className="dimmed">
                              <AgentText text={config.description} />
                            </div>
                          )}
                        </td>
                        <td className="nowrap">{config.latest.version}</td>
                        <td className="wrap-anywhere">{config.latest.message || <span className="dimmed">none</span>}</td>
                        <td>
                          <UsedBy usedBy={config.usedBy} latest={config.latest.version} />
                        </td>
                        <td className="nowrap">
                          <RelativeTime at={config.updatedAt} /> <span className="dimmed">by {config.latest.author}</span>
                        </td>
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
                More configs
              </Button>
            </div>
          )}
        </div>
      </div>
    </>
  )
}

function UsedBy({ usedBy, latest }: { readonly usedBy: readonly { readonly group: string; readonly version: number }[]; readonly latest: number }) {
  if (usedBy.length === 0) return <span className="dimmed">no group</span>
  return (
    <span className="row">
      {usedBy.map(({ group, version }) => (
        <Link
          key={`${group} ${version}`}
          to="/groups/$name"
          params={{ name: group }}
          className="chip"
          title={version < latest ? `Uses version ${version}, the newest is ${latest}` : undefined}
        >
          {group} @{version}
          {version < latest ? ' (older)' : ''}
        </Link>
      ))}
    </span>
  )
}
