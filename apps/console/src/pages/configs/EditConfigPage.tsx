/** A new version of a config; when somebody else was faster, what they changed is shown and the person decides. */
import type { Config, ConfigFile, ConfigVersion } from '@drover/api'
import { TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { api, createIdempotencyKey, isConflict } from '../../api/client.ts'
import { configQuery, versionQuery } from '../../api/queries.ts'
import { ActionButton } from '../../ui/ActionButton.tsx'
import { ErrorState } from '../../ui/ErrorState.tsx'
import { LinkButton } from '../../ui/LinkButton.tsx'
import { LoadingPage } from '../../ui/Loading.tsx'
import { PageHeader } from '../../ui/PageHeader.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { useReadOnlyReason } from '../../ui/access.ts'
import { toastDone } from '../../ui/toasts.ts'
import { useLeaveWarning } from '../../ui/use-leave-warning.ts'
import { ConfigEditor } from './ConfigEditor.tsx'
import { ConflictDialog } from './ConflictDialog.tsx'
import { sameFiles } from './files.ts'

export function EditConfigPage() {
  const { name } = useParams({ from: '/shell/configs/$name/edit' })
  const search = useSearch({ from: '/shell/configs/$name/edit' })
  const config = useQuery(configQuery(name))
  const [started, setStarted] = useState<{ readonly config: Config; readonly etag: string | null }>()
  // The state at the start of editing stays what is edited, whatever events bring in.
  if (started === undefined && config.data !== undefined) setStarted({ config: config.data.data, etag: config.data.etag })
  if (started === undefined)
    return (
      <QueryView query={config} loading={<LoadingPage />}>
        {() => null}
      </QueryView>
    )
  return <FromVersion key={name} name={name} version={Number(search.version ?? started.config.latest.version)} started={started} />
}

interface Started {
  readonly config: Config
  readonly etag: string | null
}

function FromVersion({ name, version, started }: { readonly name: string; readonly version: number; readonly started: Started }) {
  const base = useQuery(versionQuery(name, version))
  return (
    <QueryView query={base} loading={<LoadingPage />}>
      {(data) => <Editing base={data} started={started} />}
    </QueryView>
  )
}

function Editing({ base, started }: { readonly base: ConfigVersion; readonly started: Started }) {
  const name = started.config.name
  const navigate = useNavigate()
  const client = useQueryClient()
  const readOnly = useReadOnlyReason()
  const [files, setFiles] = useState<readonly ConfigFile[]>(base.files)
  const [message, setMessage] = useState('')
  const [etag, setEtag] = useState(started.etag)
  const [idempotencyKey, setIdempotencyKey] = useState(createIdempotencyKey)
  const save = useMutation({
    mutationFn: async (ifMatch: string | null) =>
      (await api.createVersion({ params: { name }, body: { message, files: [...files] }, ...(ifMatch === null ? {} : { ifMatch }), idempotencyKey })).data,
    onSuccess: async (saved) => {
      await client.invalidateQueries({ queryKey: ['configs'] })
      toastDone(`Version ${saved.version} of ${name} was saved`)
      await navigate({ to: '/configs/$name', params: { name }, search: {}, ignoreBlocker: true })
    },
    onError: () => setIdempotencyKey(createIdempotencyKey()),
  })
  const changed = !sameFiles(files, base.files) || base.version !== started.config.latest.version
  useLeaveWarning(!sameFiles(files, base.files) && !save.isSuccess)
  const usedBy = started.config.usedBy.map(({ group }) => group)
  const conflict = save.isError && isConflict(save.error)
  return (
    <>
      <PageHeader
        title={`Edit ${name}`}
        parent={
          <>
            <Link to="/configs">Configs</Link> /{' '}
            <Link to="/configs/$name" params={{ name }}>
              {name}
            </Link>
          </>
        }
        below={
          <span className="dimmed">
            From version {base.version}. Saving makes version {started.config.latest.version + 1}; groups go on using theirs until you change them.
          </span>
        }
        actions={
          <>
            <TextInput
              aria-label="What changed and why"
              placeholder="What changed and why"
              value={message}
              onChange={(event) => setMessage(event.currentTarget.value)}
              maxLength={500}
              w={{ base: '100%', sm: 280 }}
            />
            <LinkButton to="/configs/$name" params={{ name }} variant="default">
              Cancel
            </LinkButton>
            <ActionButton loading={save.isPending} disabledReason={readOnly ?? (changed ? undefined : 'Nothing has changed')} onClick={() => save.mutate(etag)}>
              Save new version
            </ActionButton>
          </>
        }
      />
      <div className="stack">
        {save.isError && !conflict && <ErrorState error={save.error} />}
        <ConfigEditor files={files} onChange={setFiles} defaultGroup={usedBy[0]} />
      </div>
      {conflict && (
        <ConflictDialog
          name={name}
          base={base}
          mine={files}
          onClose={save.reset}
          onSaveMine={(newEtag) => {
            setEtag(newEtag)
            save.mutate(newEtag)
          }}
          saving={save.isPending}
        />
      )}
    </>
  )
}
