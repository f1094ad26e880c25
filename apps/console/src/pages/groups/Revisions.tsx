/** The revisions of a group, newest first, each with the way back to it. */
import type { Group, RolloutStart } from '@drover/api'
import { Button } from '@mantine/core'
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import type { z } from 'zod'
import { api, createIdempotencyKey } from '../../api/client.ts'
import { revisionListQuery } from '../../api/queries.ts'
import { ActionButton } from '../../ui/ActionButton.tsx'
import { AgentText } from '../../ui/AgentText.tsx'
import { DataTable } from '../../ui/DataTable.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { RelativeTime } from '../../ui/RelativeTime.tsx'
import { useReadOnlyReason } from '../../ui/access.ts'
import { StartRolloutDialog } from '../rollouts/start/StartRolloutDialog.tsx'
import { goToLabel, roleOf } from './revision-roles.ts'

export function Revisions({ group }: { readonly group: Group }) {
  const query = useInfiniteQuery(revisionListQuery(group.name))
  const readOnly = useReadOnlyReason()
  const [chosen, setChosen] = useState<number>()
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
                <th scope="col">Revision</th>
                <th scope="col">Configs</th>
                <th scope="col">Message</th>
                <th scope="col">When</th>
                <th scope="col">Go to it</th>
              </tr>
            </thead>
            <tbody>
              {revisions.map((revision) => {
                const role = roleOf(revision.number, group)
                const label = goToLabel(revision.number, group)
                return (
                  <tr key={revision.number}>
                    <td>
                      {revision.number}
                      {role !== undefined && <div className="dimmed nowrap">{role}</div>}
                    </td>
                    <td>{revision.configs.map(({ config, version }) => `${config}@${version}`).join(', ') || <span className="dimmed">none</span>}</td>
                    <td className="wrap-anywhere">{revision.message === '' ? <span className="dimmed">none</span> : <AgentText text={revision.message} />}</td>
                    <td>
                      <RelativeTime at={revision.createdAt} /> <span className="dimmed">by {revision.author}</span>
                    </td>
                    <td>
                      {label !== undefined && (
                        <ActionButton variant="default" size="compact-xs" disabledReason={readOnly} onClick={() => setChosen(revision.number)}>
                          {label}
                        </ActionButton>
                      )}
                    </td>
                  </tr>
                )
              })}
            </tbody>
          </DataTable>
        )}
      </QueryView>
      {chosen !== undefined && <GoToRevision group={group} revision={chosen} onClose={() => setChosen(undefined)} />}
    </Panel>
  )
}

function GoToRevision({ group, revision, onClose }: { readonly group: Group; readonly revision: number; readonly onClose: () => void }) {
  const navigate = useNavigate()
  const client = useQueryClient()
  const [idempotencyKey, setIdempotencyKey] = useState(createIdempotencyKey)
  const change = useMemo(() => ({ group: group.name, revision }), [group.name, revision])
  const start = useMutation({
    mutationFn: async (rollout: z.input<typeof RolloutStart>) =>
      (await api.createRollout({ body: { ...rollout, group: group.name, revision }, idempotencyKey })).data,
    onSuccess: async ({ id }) => {
      await navigate({ to: '/rollouts/$rolloutId', params: { rolloutId: id } })
      await client.invalidateQueries({ queryKey: ['groups'] })
    },
    onError: () => setIdempotencyKey(createIdempotencyKey()),
  })
  return (
    <StartRolloutDialog
      title={`Take ${group.name} to revision ${revision}`}
      change={change}
      groupPlan={group.plan}
      busy={start.isPending}
      error={start.error}
      onStart={(rollout) => start.mutate(rollout)}
      onClose={onClose}
    />
  )
}
