/** What one can do with a rollout: buttons that say why when they cannot be pressed, each asking once more and for the reason. */
import type { Rollout, RolloutActionName } from '@drover/api'
import { Textarea } from '@mantine/core'
import { IconTrash } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import { rolloutQuery } from '../../api/rollout-queries.ts'
import { ActionButton } from '../../ui/ActionButton.tsx'
import { ConfirmDialog } from '../../ui/ConfirmDialog.tsx'
import { useReadOnlyReason } from '../../ui/access.ts'
import { actionLook } from '../../ui/rollout-states.ts'
import { toastDone } from '../../ui/toasts.ts'
import { shownActions } from './rollout-view.ts'

const primary: ReadonlySet<RolloutActionName> = new Set(['start', 'approve', 'resume'])

export function RolloutActions({ rollout }: { readonly rollout: Rollout }) {
  const readOnly = useReadOnlyReason()
  const [asking, setAsking] = useState<RolloutActionName>()
  return (
    <>
      {rollout.state === 'draft' && <DeleteDraft rollout={rollout} />}
      {shownActions(rollout).map(({ action, allowed, why }) => (
        <ActionButton
          key={action}
          variant={primary.has(action) ? 'filled' : 'default'}
          disabledReason={readOnly ?? (allowed ? undefined : (why ?? 'This is not possible now'))}
          onClick={() => setAsking(action)}
        >
          {actionLook(action, rollout.state).label}…
        </ActionButton>
      ))}
      {asking !== undefined && <ActionDialog key={asking} rollout={rollout} action={asking} onClose={() => setAsking(undefined)} />}
    </>
  )
}

function ActionDialog({ rollout, action, onClose }: { readonly rollout: Rollout; readonly action: RolloutActionName; readonly onClose: () => void }) {
  const client = useQueryClient()
  const [reason, setReason] = useState('')
  // The question and the wave that the person saw when asking: the page goes on while it is open.
  const [{ wave, look }] = useState({ wave: rollout.wave?.number, look: actionLook(action, rollout.state) })
  const act = useMutation({
    mutationFn: async () =>
      (await api.actOnRollout({ params: { rolloutId: rollout.id, action }, body: { reason, ...(wave === undefined ? {} : { wave }) } })).data,
    onSuccess: async (changed) => {
      client.setQueryData(rolloutQuery(rollout.id).queryKey, changed)
      onClose()
      await client.invalidateQueries({ queryKey: ['rollouts'] })
    },
  })
  return (
    <ConfirmDialog
      opened
      title={look.question}
      confirmLabel={look.label}
      danger={look.danger}
      busy={act.isPending}
      error={act.error}
      onConfirm={() => act.mutate()}
      onClose={onClose}
    >
      <p>{look.effect}</p>
      <Textarea
        label="Why"
        description="Stands in the decision log, for whoever asks later"
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
        maxLength={500}
        autosize
        minRows={2}
      />
    </ConfirmDialog>
  )
}

function DeleteDraft({ rollout }: { readonly rollout: Rollout }) {
  const readOnly = useReadOnlyReason()
  const navigate = useNavigate()
  const client = useQueryClient()
  const [asking, setAsking] = useState(false)
  const remove = useMutation({
    mutationFn: () => api.deleteDraftRollout({ params: { rolloutId: rollout.id } }),
    onSuccess: async () => {
      toastDone('The draft was deleted')
      await navigate({ to: '/rollouts' })
      await client.invalidateQueries({ queryKey: ['rollouts'], refetchType: 'none' })
    },
  })
  return (
    <>
      <ActionButton variant="default" leftSection={<IconTrash size={14} aria-hidden />} disabledReason={readOnly} onClick={() => setAsking(true)}>
        Delete draft
      </ActionButton>
      <ConfirmDialog
        opened={asking}
        title="Delete this draft?"
        confirmLabel="Delete"
        danger
        busy={remove.isPending}
        error={remove.error}
        onConfirm={() => remove.mutate()}
        onClose={() => setAsking(false)}
      >
        <p>
          Revision {rollout.to} of {rollout.group} stays in the list of revisions; it is only not on its way.
        </p>
      </ConfirmDialog>
    </>
  )
}
