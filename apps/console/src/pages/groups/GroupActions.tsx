/** Editing and deleting a group. */
import { ApiError, type Group } from '@drover/api'
import { Checkbox } from '@mantine/core'
import { IconPencil, IconTrash } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import { ActionButton } from '../../ui/ActionButton.tsx'
import { ConfirmDialog } from '../../ui/ConfirmDialog.tsx'
import { LinkButton } from '../../ui/LinkButton.tsx'
import { useReadOnlyReason } from '../../ui/access.ts'
import { toastDone } from '../../ui/toasts.ts'

/** The server deletes only when told that agents may change at once. */
const askedCodes = new Set(['changes-agents-at-once', 'rollout-active'])

export function GroupActions({ group, etag }: { readonly group: Group; readonly etag: string | null }) {
  const readOnly = useReadOnlyReason()
  const [asking, setAsking] = useState(false)
  return (
    <>
      <ActionButton variant="default" leftSection={<IconTrash size={14} aria-hidden />} disabledReason={readOnly} onClick={() => setAsking(true)}>
        Delete
      </ActionButton>
      <LinkButton to="/agents" search={{ filter: `drover.group = ${group.name}` }} variant="default">
        Show members
      </LinkButton>
      <LinkButton to="/groups/$name/edit" params={{ name: group.name }} leftSection={<IconPencil size={14} aria-hidden />}>
        Edit
      </LinkButton>
      {asking && <DeleteDialog group={group} etag={etag} onClose={() => setAsking(false)} />}
    </>
  )
}

function DeleteDialog({ group, etag, onClose }: { readonly group: Group; readonly etag: string | null; readonly onClose: () => void }) {
  const navigate = useNavigate()
  const client = useQueryClient()
  const [allAtOnce, setAllAtOnce] = useState(false)
  const remove = useMutation({
    mutationFn: () =>
      api.deleteGroup({ params: { name: group.name }, query: allAtOnce ? { allAtOnce: 'true' } : {}, ...(etag === null ? {} : { ifMatch: etag }) }),
    onSuccess: async () => {
      toastDone(`Group ${group.name} was deleted`)
      await navigate({ to: '/groups' })
      await client.invalidateQueries({ queryKey: ['groups'], refetchType: 'none' })
    },
  })
  const isAsked = allAtOnce || (remove.error instanceof ApiError && askedCodes.has(remove.error.problem.code))
  return (
    <ConfirmDialog
      opened
      title={`Delete group ${group.name}?`}
      confirmLabel={allAtOnce ? 'Delete, all at once' : 'Delete'}
      danger
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      <p>
        <strong>{group.counts.total.toLocaleString('en')} agents</strong> are in this group. They get what their other groups give them; those in no other group
        keep what they run, and are unmanaged.
      </p>
      {isAsked && (
        <Checkbox
          label="Delete it anyway: this is no staged rollout, all agents change at the same moment"
          checked={allAtOnce}
          onChange={(event) => setAllAtOnce(event.currentTarget.checked)}
        />
      )}
    </ConfirmDialog>
  )
}
