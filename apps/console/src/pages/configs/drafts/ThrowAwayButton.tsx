/** Throws a draft away, after asking. */
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../../api/client.ts'
import { ActionButton } from '../../../ui/ActionButton.tsx'
import { ConfirmDialog } from '../../../ui/ConfirmDialog.tsx'
import { toastDone } from '../../../ui/toasts.ts'
import type { DraftSaver } from './draft-saver.ts'

interface Props {
  readonly config: string
  readonly saver: DraftSaver
  readonly disabledReason: string | undefined
  readonly onGone: () => void
}

export function ThrowAwayButton({ config, saver, disabledReason, onGone }: Props) {
  const client = useQueryClient()
  const [asking, setAsking] = useState(false)
  const remove = useMutation({
    mutationFn: () => api.deleteDraft({ params: { config } }),
    onSuccess: async () => {
      saver.end()
      setAsking(false)
      toastDone(`The draft of ${config} was thrown away`)
      await client.invalidateQueries({ queryKey: ['drafts'] })
      onGone()
    },
  })
  return (
    <>
      <ActionButton variant="default" disabledReason={disabledReason} onClick={() => setAsking(true)}>
        Throw draft away
      </ActionButton>
      <ConfirmDialog
        opened={asking}
        title={`Throw away the draft of ${config}?`}
        confirmLabel="Throw away"
        danger
        busy={remove.isPending}
        error={remove.error}
        onConfirm={() => remove.mutate()}
        onClose={() => setAsking(false)}
      >
        <p>What was written in it is lost. Published versions stay as they are.</p>
      </ConfirmDialog>
    </>
  )
}
