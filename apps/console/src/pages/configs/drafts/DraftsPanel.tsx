/** Drafts that wait to be published; nothing at all when there are none. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { api } from '../../../api/client.ts'
import { draftListQuery } from '../../../api/settings-queries.ts'
import { ActionButton } from '../../../ui/ActionButton.tsx'
import { ConfirmDialog } from '../../../ui/ConfirmDialog.tsx'
import { DataTable } from '../../../ui/DataTable.tsx'
import { ErrorState } from '../../../ui/ErrorState.tsx'
import { Panel } from '../../../ui/Panel.tsx'
import { RelativeTime } from '../../../ui/RelativeTime.tsx'
import { useReadOnlyReason } from '../../../ui/access.ts'
import { toastDone } from '../../../ui/toasts.ts'

export function DraftsPanel() {
  const { data, error, refetch } = useQuery(draftListQuery)
  const client = useQueryClient()
  const readOnly = useReadOnlyReason()
  const [asked, setAsked] = useState<string>()
  const remove = useMutation({
    mutationFn: (config: string) => api.deleteDraft({ params: { config } }),
    onSuccess: async (_, config) => {
      setAsked(undefined)
      toastDone(`The draft of ${config} was thrown away`)
      await client.invalidateQueries({ queryKey: ['drafts'] })
    },
  })
  if (error !== null && data === undefined) return <ErrorState error={error} onRetry={() => void refetch()} />
  if (data === undefined || data.items.length === 0) return null
  return (
    <Panel title="Drafts" flush>
      <DataTable label="Drafts table">
        <thead>
          <tr>
            <th scope="col">Config</th>
            <th scope="col">From version</th>
            <th scope="col">Message</th>
            <th scope="col">Edited</th>
            <th scope="col">
              <span style={{ float: 'right' }}>Action</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {data.items.map((draft) => (
            <tr key={draft.config}>
              <td>
                <DraftLink config={draft.config} isNew={draft.baseVersion === null} />
              </td>
              <td>{draft.baseVersion ?? <span className="dimmed">new config</span>}</td>
              <td className="wrap-anywhere">{draft.message || <span className="dimmed">none</span>}</td>
              <td>
                <RelativeTime at={draft.updatedAt} /> <span className="dimmed">by {draft.updatedBy}</span>
              </td>
              <td style={{ textAlign: 'right' }}>
                <ActionButton
                  variant="default"
                  size="compact-xs"
                  aria-label={`Throw away the draft of ${draft.config}`}
                  disabledReason={readOnly}
                  onClick={() => {
                    remove.reset()
                    setAsked(draft.config)
                  }}
                >
                  Throw away
                </ActionButton>
              </td>
            </tr>
          ))}
        </tbody>
      </DataTable>
      <ConfirmDialog
        opened={asked !== undefined}
        title={`Throw away the draft of ${asked ?? ''}?`}
        confirmLabel="Throw away"
        danger
        busy={remove.isPending}
        error={remove.error}
        onConfirm={() => asked !== undefined && remove.mutate(asked)}
        onClose={() => setAsked(undefined)}
      >
        <p>What was written in it is lost. Published versions stay as they are.</p>
      </ConfirmDialog>
    </Panel>
  )
}

function DraftLink({ config, isNew }: { readonly config: string; readonly isNew: boolean }) {
  if (isNew)
    return (
      <Link to="/create/config" search={{ draft: config }}>
        {config}
      </Link>
    )
  return (
    <Link to="/configs/$name/edit" params={{ name: config }}>
      {config}
    </Link>
  )
}
