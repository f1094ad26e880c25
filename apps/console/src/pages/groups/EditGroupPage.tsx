/** Changes a group; saved only when nobody else changed it meanwhile, or after seeing what they did. */
import type { Group } from '@drover/api'
import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { useState } from 'react'
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
import { ConfirmGroupDialog } from './ConfirmGroupDialog.tsx'
import { GroupForm } from './GroupForm.tsx'
import { type GroupDraft, changesRevision, draftOf, draftRefusal, inputOf, sameDraft } from './group-form.ts'
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
  const save = useMutation({
    mutationFn: () => api.setGroup({ params: { name: group.name }, body: inputOf(draft), ...(etag === null ? {} : { ifMatch: etag }) }),
    onSuccess: async (answer) => {
      client.setQueryData(groupQuery(group.name).queryKey, answer)
      await client.invalidateQueries({ queryKey: ['groups'] })
      toastDone(`Group ${group.name} was saved`)
      await navigate({ to: '/groups/$name', params: { name: group.name }, ignoreBlocker: true })
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
            {changesRevision(group, draft) ? `Saving makes revision ${group.revision.number + 1}.` : `Revision ${group.revision.number}.`}
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
                setAsking(true)
              }}
            >
              Save…
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
        <GroupForm draft={draft} onChange={setDraft} isNew={false} preview={preview} errors={fieldErrors(save.error)} />
      </div>
      <ConfirmGroupDialog
        opened={asking}
        title={`Save group ${group.name}?`}
        preview={preview}
        configs={draft.configs}
        busy={save.isPending}
        error={save.error}
        onConfirm={() => save.mutate()}
        onClose={() => setAsking(false)}
      />
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
          <ul style={{ margin: 0, paddingLeft: 18 }}>
            {groupChanges(started.group, theirs).map((change) => (
              <li key={change}>{change}</li>
            ))}
          </ul>
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

function groupChanges(before: Group, after: Group): readonly string[] {
  const refs = (group: Group) => group.revision.configs.map(({ config, version }) => `${config}@${version}`).join(' + ') || 'none'
  const rows: readonly (readonly [string, string, string])[] = [
    ['Selector', before.selector, after.selector],
    ['Priority', String(before.priority), String(after.priority)],
    ['Configs', refs(before), refs(after)],
    ['Description', before.description, after.description],
  ]
  const changes = rows.filter(([, old, now]) => old !== now).map(([what, old, now]) => `${what}: ${old || 'empty'} → ${now || 'empty'}`)
  return changes.length > 0 ? changes : ['It was saved again without a visible change']
}
