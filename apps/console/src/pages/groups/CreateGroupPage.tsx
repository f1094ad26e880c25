/** A new group. */
import type { RolloutStart } from '@drover/api'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import type { z } from 'zod'
import { api, createIdempotencyKey, fieldErrors } from '../../api/client.ts'
import { ActionButton } from '../../ui/ActionButton.tsx'
import { ErrorState } from '../../ui/ErrorState.tsx'
import { LinkButton } from '../../ui/LinkButton.tsx'
import { PageHeader } from '../../ui/PageHeader.tsx'
import { useReadOnlyReason } from '../../ui/access.ts'
import { nameError } from '../../ui/resource-name.ts'
import { toastDone } from '../../ui/toasts.ts'
import { useLeaveWarning } from '../../ui/use-leave-warning.ts'
import { StartRolloutDialog } from '../rollouts/start/StartRolloutDialog.tsx'
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
    mutationFn: async (rollout: z.input<typeof RolloutStart>) =>
      (await api.createGroup({ body: { ...inputOf(draft), name: draft.name, rollout }, idempotencyKey })).data,
    onSuccess: async (group) => {
      await client.invalidateQueries({ queryKey: ['groups'] })
      toastDone(`Group ${group.name} was created`)
      if (group.rollout === null) await navigate({ to: '/groups/$name', params: { name: group.name }, ignoreBlocker: true })
      else await navigate({ to: '/rollouts/$rolloutId', params: { rolloutId: group.rollout.id }, ignoreBlocker: true })
    },
    onError: () => setIdempotencyKey(createIdempotencyKey()),
  })
  const change = useMemo(() => inputOf(draft), [draft])
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
      {asking && (
        <StartRolloutDialog
          title={`Create group ${draft.name}`}
          change={change}
          groupPlan={draft.plan}
          busy={create.isPending}
          error={create.error}
          onStart={(rollout) => create.mutate(rollout)}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  )
}
