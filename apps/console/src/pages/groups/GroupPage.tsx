/** One group: its selector, its configs, how far its members are, its revisions. */
import type { Group } from '@drover/api'
import { Button } from '@mantine/core'
import { IconPencil, IconTrash } from '@tabler/icons-react'
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { api, isNotFound } from '../../api/client.ts'
import { groupQuery, revisionListQuery } from '../../api/queries.ts'
import { ActionButton } from '../../ui/ActionButton.tsx'
import { ConfirmDialog } from '../../ui/ConfirmDialog.tsx'
import { DataTable } from '../../ui/DataTable.tsx'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { Facts } from '../../ui/Facts.tsx'
import { LinkButton } from '../../ui/LinkButton.tsx'
import { LoadingPage } from '../../ui/Loading.tsx'
import { PageHeader } from '../../ui/PageHeader.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { RelativeTime } from '../../ui/RelativeTime.tsx'
import { useReadOnlyReason } from '../../ui/access.ts'
import { toastDone } from '../../ui/toasts.ts'
import { CountTiles } from '../overview/CountTiles.tsx'
import '../overview/overview.css'
import { draftOf } from './group-form.ts'
import { GroupPreviewPanel } from './GroupPreviewPanel.tsx'
import './groups.css'
import { useGroupPreview } from './use-group-preview.ts'

export function GroupPage() {
  const { name } = useParams({ from: '/shell/groups/$name' })
  const query = useQuery(groupQuery(name))
  if (isNotFound(query.error))
    return (
      <>
        <PageHeader title={name} parent={<Link to="/groups">Groups</Link>} />
        <div className="panel">
          <EmptyState title="There is no such group" action={<Link to="/groups">All groups</Link>}>
            It may have been deleted.
          </EmptyState>
        </div>
      </>
    )
  return (
    <QueryView query={query} loading={<LoadingPage />}>
      {({ data: group, etag }) => (
        <>
          <PageHeader
            title={group.name}
            parent={<Link to="/groups">Groups</Link>}
            below={group.description === '' ? undefined : <span className="dimmed">{group.description}</span>}
            actions={<Actions group={group} etag={etag} />}
          />
          <div className="stack">
            <CountTiles counts={group.counts} filter={`drover.group = ${group.name}`} />
            <div className="columns">
              <div className="span-6 stack">
                <Rule group={group} />
                <Revisions name={group.name} current={group.revision.number} />
              </div>
              <div className="span-6 stack">
                <Mixing group={group} />
              </div>
            </div>
          </div>
        </>
      )}
    </QueryView>
  )
}

function Rule({ group }: { readonly group: Group }) {
  return (
    <Panel title="Rule">
      <Facts
        items={[
          [
            'Selector',
            <code key="selector" className="wrap-anywhere">
              {group.selector}
            </code>,
          ],
          ['Priority', String(group.priority)],
          [
            'Configs',
            group.revision.configs.length === 0 ? (
              <span className="dimmed">none: members get nothing from this group</span>
            ) : (
              group.revision.configs.map(({ config, version }) => (
                <div key={config}>
                  <Link to="/configs/$name" params={{ name: config }} search={{ version: String(version) }}>
                    {config}@{version}
                  </Link>
                </div>
              ))
            ),
          ],
          ['Revision', `${group.revision.number}, by ${group.revision.author}`],
          ['Changed', <RelativeTime key="changed" at={group.updatedAt} />],
        ]}
      />
    </Panel>
  )
}

/** The preview of the group as it is shows how it mixes with others; nothing would change. */
function Mixing({ group }: { readonly group: Group }) {
  const preview = useGroupPreview(draftOf(group), group.name)
  return <GroupPreviewPanel preview={preview} hasSelector title="Members and who wins where" asIs />
}

function Revisions({ name, current }: { readonly name: string; readonly current: number }) {
  const query = useInfiniteQuery(revisionListQuery(name))
  const revisions = query.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <Panel
      title="Revisions"
      flush
      footer={
        query.hasNextPage ? (
          <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            Earlier revisions
          </Button>
        ) : undefined
      }
    >
      <QueryView query={query}>
        {() => (
          <DataTable label="Revisions table">
            <thead>
              <tr>
                <th scope="col" className="number">
                  Revision
                </th>
                <th scope="col">Configs</th>
                <th scope="col">Message</th>
                <th scope="col">When</th>
              </tr>
            </thead>
            <tbody>
              {revisions.map((revision) => (
                <tr key={revision.number}>
                  <td className="number">
                    {revision.number}
                    {revision.number === current ? ' (current)' : ''}
                  </td>
                  <td>{revision.configs.map(({ config, version }) => `${config}@${version}`).join(', ') || <span className="dimmed">none</span>}</td>
                  <td className="wrap-anywhere">{revision.message || <span className="dimmed">none</span>}</td>
                  <td>
                    <RelativeTime at={revision.createdAt} /> <span className="dimmed">by {revision.author}</span>
                  </td>
                </tr>
              ))}
            </tbody>
          </DataTable>
        )}
      </QueryView>
    </Panel>
  )
}

function Actions({ group, etag }: { readonly group: Group; readonly etag: string | null }) {
  const readOnly = useReadOnlyReason()
  const navigate = useNavigate()
  const client = useQueryClient()
  const [asking, setAsking] = useState(false)
  const remove = useMutation({
    mutationFn: () => api.deleteGroup({ params: { name: group.name }, ...(etag === null ? {} : { ifMatch: etag }) }),
    onSuccess: async () => {
      toastDone(`Group ${group.name} was deleted`)
      await navigate({ to: '/groups' })
      await client.invalidateQueries({ queryKey: ['groups'], refetchType: 'none' })
    },
  })
  return (
    <>
      <ActionButton
        variant="default"
        leftSection={<IconTrash size={14} aria-hidden />}
        disabledReason={readOnly}
        onClick={() => {
          remove.reset()
          setAsking(true)
        }}
      >
        Delete
      </ActionButton>
      <LinkButton to="/agents" search={{ filter: `drover.group = ${group.name}` }} variant="default">
        Show members
      </LinkButton>
      <LinkButton to="/groups/$name/edit" params={{ name: group.name }} leftSection={<IconPencil size={14} aria-hidden />}>
        Edit
      </LinkButton>
      <ConfirmDialog
        opened={asking}
        title={`Delete group ${group.name}?`}
        confirmLabel="Delete"
        danger
        busy={remove.isPending}
        error={remove.error}
        onConfirm={() => remove.mutate()}
        onClose={() => setAsking(false)}
      >
        <p>
          <strong>{group.counts.total.toLocaleString('en')} agents</strong> are in this group. They get what their other groups give them; those in no other
          group keep what they run, and are unmanaged.
        </p>
      </ConfirmDialog>
    </>
  )
}
