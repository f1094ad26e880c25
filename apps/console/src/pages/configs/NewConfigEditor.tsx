/** The editor of a config that is not there yet: kept as a draft once it has a name, created when somebody says so. */
import type { ConfigFile } from '@drover/api'
import { Select, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useMemo, useRef, useState } from 'react'
import { api, fieldErrors } from '../../api/client.ts'
import { templateListQuery } from '../../api/settings-queries.ts'
import { ActionButton } from '../../ui/ActionButton.tsx'
import { ErrorState } from '../../ui/ErrorState.tsx'
import { LinkButton } from '../../ui/LinkButton.tsx'
import { PageHeader } from '../../ui/PageHeader.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { useReadOnlyReason } from '../../ui/access.ts'
import { nameError } from '../../ui/resource-name.ts'
import { toastDone } from '../../ui/toasts.ts'
import { useLeaveWarning } from '../../ui/use-leave-warning.ts'
import { ConfigEditor } from './ConfigEditor.tsx'
import { DraftKeeper } from './drafts/DraftKeeper.tsx'
import type { DraftSaver, StoredDraft } from './drafts/draft-saver.ts'
import { sameFiles } from './files.ts'
import { type StartingPoint, startingPoints } from './starting-points.ts'
import { type NameUse, nameUseQuery, useNameUse } from './use-new-name.ts'

export interface Begin {
  readonly point: StartingPoint
  readonly name: string
  readonly description: string
  readonly message: string
}

export function NewConfigEditor({ begin, stored }: { readonly begin: Begin; readonly stored?: StoredDraft }) {
  const readOnly = useReadOnlyReason()
  const [point, setPoint] = useState(begin.point)
  const [files, setFiles] = useState<readonly ConfigFile[]>(begin.point.files)
  const [name, setName] = useState(begin.name)
  const [description, setDescription] = useState(begin.description)
  // The name that the draft is kept under: while one is typed there would be a draft for each letter.
  const [kept, setKept] = useState(begin.name)
  const [own, setOwn] = useState(stored === undefined ? undefined : begin.name)
  const saverRef = useRef<DraftSaver>(undefined)
  const begun = useMemo(() => ({ description: begin.description, files: begin.point.files, message: begin.message }), [begin])
  const content = useMemo(() => ({ description, files, message: begin.message }), [description, files, begin])
  const use = useNameUse(kept, own)
  const create = useCreate(name, own, saverRef)
  const edited = !sameFiles(files, point.files)
  const keeping = use === 'free' && readOnly === undefined
  useLeaveWarning((edited || name !== begin.name) && !keeping && !create.isSuccess)
  const commitName = () => {
    if (name === kept) return
    // The draft moves to the new name.
    if (saverRef.current?.stored !== undefined) void api.deleteDraft({ params: { config: kept } }).catch(() => undefined)
    saverRef.current?.end()
    saverRef.current = undefined
    setOwn(undefined)
    setKept(name)
  }
  const errors = fieldErrors(create.error)
  const refusal = readOnly ?? (name === '' ? 'Give the config a name first' : nameError(name))
  return (
    <>
      <PageHeader
        title="New config"
        parent={<Link to="/configs">Configs</Link>}
        actions={
          <>
            {kept !== '' && keeping && (
              <DraftKeeper key={kept} config={kept} begun={begun} stored={kept === begin.name ? stored : undefined} content={content} saverRef={saverRef} />
            )}
            <LinkButton to="/configs" variant="default">
              {keeping ? 'Close' : 'Cancel'}
            </LinkButton>
            <ActionButton loading={create.isPending} disabledReason={refusal} onClick={() => create.mutate(content)}>
              Create config
            </ActionButton>
          </>
        }
      />
      <div className="stack">
        {create.isError && <ErrorState error={create.error} />}
        <Panel title="Name and starting point">
          <div className="columns">
            <div className="span-4">
              <TextInput
                label="Name"
                description="Lower-case letters, digits, dots, dashes; it cannot be changed later"
                placeholder="base"
                value={name}
                onChange={(event) => setName(event.currentTarget.value)}
                onBlur={commitName}
                error={errors['name'] ?? (name === '' ? undefined : nameError(name)) ?? (name === kept ? takenText(use, name) : undefined)}
                required
                data-autofocus
              />
            </div>
            <div className="span-4">
              <TextInput
                label="Description"
                description="For other people"
                value={description}
                onChange={(event) => setDescription(event.currentTarget.value)}
                maxLength={500}
                error={errors['description']}
              />
            </div>
            <div className="span-4">
              <StartingPointSelect
                point={point}
                edited={edited}
                onChange={(chosen) => {
                  setPoint(chosen)
                  setFiles(chosen.files)
                }}
              />
            </div>
          </div>
        </Panel>
        <ConfigEditor key={point.id} files={files} onChange={setFiles} />
      </div>
    </>
  )
}

/** Who has the name, and where to go on with that; undefined: nobody. */
function takenText(use: NameUse | undefined, name: string) {
  if (use === 'config')
    return (
      <>
        There is a config of this name:{' '}
        <Link to="/configs/$name/edit" params={{ name }}>
          edit it
        </Link>
      </>
    )
  if (use !== 'draft') return undefined
  return (
    <>
      There is a draft of this name:{' '}
      <Link to="/create/config" search={{ draft: name }}>
        go on with it
      </Link>
    </>
  )
}

interface SelectProps {
  readonly point: StartingPoint
  readonly edited: boolean
  readonly onChange: (point: StartingPoint) => void
}

function StartingPointSelect({ point, edited, onChange }: SelectProps) {
  const templates = useQuery(templateListQuery)
  const points = startingPoints(templates.data ?? [])
  return (
    <Select
      label="Starting point"
      description={edited ? 'Choosing one replaces what you wrote' : <Link to="/templates">See all templates</Link>}
      data={points.map(({ id, title }) => ({ value: id, label: title }))}
      placeholder="The draft"
      value={points.some(({ id }) => id === point.id) ? point.id : null}
      onChange={(id) => {
        const chosen = points.find((one) => one.id === id)
        if (chosen !== undefined) onChange(chosen)
      }}
      allowDeselect={false}
      searchable
    />
  )
}

/** Saves the draft and publishes it as the first version. Answers undefined when the name is taken: the field says so. */
function useCreate(name: string, own: string | undefined, saverRef: { readonly current: DraftSaver | undefined }) {
  const client = useQueryClient()
  const navigate = useNavigate()
  return useMutation({
    mutationFn: async (content: { readonly description: string; readonly message: string; readonly files: readonly ConfigFile[] }) => {
      if (name !== own && (await client.fetchQuery(nameUseQuery(name))) !== 'free') return undefined
      if (saverRef.current === undefined) return (await api.createConfig({ body: { name, ...content, files: [...content.files] } })).data.name
      const ifMatch = await saverRef.current.flush()
      return (await api.publishDraft({ params: { config: name }, body: {}, ifMatch })).data.config
    },
    onSuccess: async (created) => {
      if (created === undefined) return
      saverRef.current?.end()
      await Promise.all([client.invalidateQueries({ queryKey: ['configs'] }), client.invalidateQueries({ queryKey: ['drafts'] })])
      toastDone(`Config ${created} was created`)
      await navigate({ to: '/configs/$name', params: { name: created }, ignoreBlocker: true })
    },
  })
}
