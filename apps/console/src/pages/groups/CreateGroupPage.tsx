/** A new group. */
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { api, createIdempotencyKey, fieldErrors } from '../../api/client.ts'
import { ActionButton } from '../../ui/ActionButton.tsx'
import { ErrorState } from '../../ui/ErrorState.tsx'
import { LinkButton } from '../../ui/LinkButton.tsx'
import { PageHeader } from '../../ui/PageHeader.tsx'
import { useReadOnlyReason } from '../../ui/access.ts'
import { nameError } from '../../ui/resource-name.ts'
import { toastDone } from '../../ui/toasts.ts'
import { useLeaveWarning } from '../../ui/use-leave-warning.ts'
import { ConfirmGroupDialog } from './ConfirmGroupDialog.tsx'
import { GroupForm } from './GroupForm.tsx'
import { type GroupDraft, draftRefusal, emptyDraft, inputOf, parseConfigRef, sameDraft } from './group-form.ts'
import { useGroupPreview } from './use-group-preview.ts'

export function CreateGroupPage() {
  const search = useSearch({ from: '/shell/create/group' })
  const navigate = useNavigate()
  const client = useQueryClient()
  const readOnly = useReadOnlyReason()
  const [start] = useState<GroupDraft>(() => ({ ...emptyDraft, configs: parseConfigRef(search.config), selector: search.selector ?? '' }))
  const [draft, setDraft] = useState(start)
  const [asking, setAsking] = useState(false)
  const [idempotencyKey, setIdempotencyKey] = useState(createIdempotencyKey)
  const preview = useGroupPreview(draft, undefined)
  const create = useMutation({
    mutationFn: async () => (await api.createGroup({ body: { ...inputOf(draft), name: draft.name }, idempotencyKey })).data,
    onSuccess: async (group) => {
      await client.invalidateQueries({ queryKey: ['groups'] })
      toastDone(`Group ${group.name} was created`)
      await navigate({ to: '/groups/$name', params: { name: group.name }, ignoreBlocker: true })
    },
    onError: () => setIdempotencyKey(createIdempotencyKey()),
  })
  useLeaveWarning((draft.name !== '' || !sameDraft(draft, start)) && !create.isSuccess)
  const refusal = readOnly ?? draftRefusal(draft, true) ?? nameError(draft.name) ?? preview.selectorError
  return (
    <>
      <PageHeader
        title="New group"
        parent={<Link to="/groups">Groups</Link>}
        actions={
          <>
            <LinkButton to="/groups" variant="default">
              Cancel
            </LinkButton>
            <ActionButton
              disabledReason={refusal}
              onClick={() => {
                create.reset()
                setAsking(true)
              }}
            >
              Create group…
            </ActionButton>
          </>
        }
      />
      <div className="stack">
        {create.isError && !asking && <ErrorState error={create.error} />}
        <GroupForm draft={draft} onChange={setDraft} isNew preview={preview} errors={fieldErrors(create.error)} />
      </div>
      <ConfirmGroupDialog
        opened={asking}
        title={`Create group ${draft.name}?`}
        preview={preview}
        configs={draft.configs}
        busy={create.isPending}
        error={create.error}
        onConfirm={() => create.mutate()}
        onClose={() => setAsking(false)}
      />
    </>
  )
}
