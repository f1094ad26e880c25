/** Changes a group; saved only when nobody else changed it meanwhile, or after seeing what they did. */
import type { Group, RolloutStart } from '@drover/api'
import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import type { z } from 'zod'
import { api, fieldErrors, isConflict } from '../../api/client.ts'
import { groupQuery } from '../../api/queries.ts'
import { ActionButton } from '../../ui/ActionButton.tsx'
import { ErrorState } from '../../ui/ErrorState.tsx'
import { LinkButton } from '../../ui/LinkButton.tsx'
import { LoadingPage } from '../../ui/Loading.tsx'
import { Notice } from '../../ui/Notice.tsx'
import { PageHeader } from '../../ui/PageHeader.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { useReadOnlyReason } from '../../ui/access.ts'
import { toastDone } from '../../ui/toasts.ts'
import { useLeaveWarning } from '../../ui/use-leave-warning.ts'
import { StartRolloutDialog } from '../rollouts/start/StartRolloutDialog.tsx'
import { GroupForm } from './GroupForm.tsx'
import { type GroupDraft, changesRevision, draftOf, draftRefusal, inputOf, sameDraft } from './group-form.ts'
import { RevisionChanges } from './RevisionChanges.tsx'
import { useGroupPreview } from './use-group-preview.ts'

interface Started {
  readonly group: Group
  readonly etag: string | null
}

export function EditGroupPage() {
  const { name } = useParams({ from: '/shell/groups/$name/edit' })
  const query = useQuery(groupQuery(name))
  const [started, setStarted] = useState<Started>()
  if (started === undefined && query.data !== undefined) setStarted({ group: query.data.data, etag: query.data.etag })
  if (started === undefined)
    return (
      <QueryView query={query} loading={<LoadingPage />}>
        {() => null}
      </QueryView>
    )
  return <Editing started={started} onNewer={setStarted} />
}

function Editing({ started, onNewer }: { readonly started: Started; readonly onNewer: (newer: Started) => void }) {
  const { group, etag } = started
  const navigate = useNavigate()
  const client = useQueryClient()
  const readOnly = useReadOnlyReason()
  const [draft, setDraft] = useState<GroupDraft>(() => draftOf(group))
  const [asking, setAsking] = useState(false)
  const preview = useGroupPreview(draft, group.name)
  const goesOut = changesRevision(group, draft)
  const change = useMemo(() => ({ ...inputOf(draft), group: group.name }), [draft, group.name])
  const save = useMutation({
    mutationFn: (rollout: z.input<typeof RolloutStart> | undefined) =>
      api.setGroup({
        params: { name: group.name },
        body: { ...inputOf(draft), ...(rollout === undefined ? {} : { rollout }) },
        ...(etag === null ? {} : { ifMatch: etag }),
      }),
    onSuccess: async (answer) => {
      client.setQueryData(groupQuery(group.name).queryKey, answer)
      await client.invalidateQueries({ queryKey: ['groups'] })
      toastDone(`Group ${group.name} was saved`)
      const { rollout } = answer.data
      if (!goesOut || rollout === null) await navigate({ to: '/groups/$name', params: { name: group.name }, ignoreBlocker: true })
      else await navigate({ to: '/rollouts/$rolloutId', params: { rolloutId: rollout.id }, ignoreBlocker: true })
    },
    onError: (error) => isConflict(error) && setAsking(false),
  })
  const unchanged = sameDraft(draft, draftOf(group))
  useLeaveWarning(!unchanged && !save.isSuccess)
  const refusal = readOnly ?? (unchanged ? 'Nothing has changed' : draftRefusal(draft, false)) ?? preview.selectorError
  return (
    <>
      <PageHeader
        title={`Edit ${group.name}`}
        parent={
          <>
            <Link to="/groups">Groups</Link> /{' '}
            <Link to="/groups/$name" params={{ name: group.name }}>
              {group.name}
            </Link>
          </>
        }
        below={
          <span className="dimmed">
            {goesOut ? 'Saving makes a new revision, which goes out in waves.' : `Revision ${group.revision.number}: agents get nothing new by this.`}
          </span>
        }
        actions={
          <>
            <LinkButton to="/groups/$name" params={{ name: group.name }} variant="default">
              Cancel
            </LinkButton>
            <ActionButton
              disabledReason={refusal}
              onClick={() => {
                save.reset()
                if (goesOut) setAsking(true)
                else save.mutate(undefined)
              }}
              loading={save.isPending}
            >
              {goesOut ? 'Save and roll out…' : 'Save'}
            </ActionButton>
          </>
        }
      />
      <div className="stack">
        {save.isError && isConflict(save.error) && (
          <Conflict
            started={started}
            onSeen={(newer) => {
              onNewer(newer)
              save.reset()
            }}
          />
        )}
        {save.isError && !isConflict(save.error) && !asking && <ErrorState error={save.error} />}
        <GroupForm draft={draft} onChange={setDraft} isNew={false} preview={preview} errors={fieldErrors(save.error)} secrets={group.revision.secrets} />
      </div>
      {asking && (
        <StartRolloutDialog
          title={`Roll out ${group.name}`}
          change={change}
          groupPlan={group.plan}
          busy={save.isPending}
          error={save.error}
          onStart={(rollout) => save.mutate(rollout)}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  )
}

/** What somebody else made of the group meanwhile. */
function Conflict({ started, onSeen }: { readonly started: Started; readonly onSeen: (newer: Started) => void }) {
  const name = started.group.name
  const newest = useQuery({
    queryKey: ['conflict', 'group', name, started.etag],
    queryFn: ({ signal }) => api.getGroup({ params: { name }, signal }),
    gcTime: 0,
  })
  return (
    <QueryView query={newest}>
      {({ data: theirs, etag }) => (
        <Notice tone="warn" title="Somebody else changed this group meanwhile" urgent>
          <RevisionChanges from={started.group.revision} to={theirs.revision} />
          {started.group.description !== theirs.description && <p>Description: {theirs.description || 'empty'}</p>}
          <div>
            <Button variant="default" onClick={() => onSeen({ group: theirs, etag })}>
              I have seen it: let me save mine over it
            </Button>
          </div>
        </Notice>
      )}
    </QueryView>
  )
}
