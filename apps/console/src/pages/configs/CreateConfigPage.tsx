/** A new config, from a template. */
import type { ConfigFile } from '@drover/api'
import { TextInput, UnstyledButton } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { api, createIdempotencyKey, fieldErrors } from '../../api/client.ts'
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
import { DEFAULT_FILE_NAME, type Template, templates } from './templates.ts'

const filesOf = (template: Template): readonly ConfigFile[] => [{ name: DEFAULT_FILE_NAME, contentType: 'text/yaml', body: template.body }]
const first = templates[0] as Template // as: the list is a constant and not empty

export function CreateConfigPage() {
  const client = useQueryClient()
  const navigate = useNavigate()
  const readOnly = useReadOnlyReason()
  const [template, setTemplate] = useState(first)
  const [files, setFiles] = useState(() => filesOf(first))
  const [name, setName] = useState('')
  const [description, setDescription] = useState('')
  const [idempotencyKey, setIdempotencyKey] = useState(createIdempotencyKey)
  const create = useMutation({
    mutationFn: async () => (await api.createConfig({ body: { name, description, message: '', files: [...files] }, idempotencyKey })).data,
    onSuccess: async (config) => {
      await client.invalidateQueries({ queryKey: ['configs'] })
      toastDone(`Config ${config.name} was created`)
      await navigate({ to: '/configs/$name', params: { name: config.name }, ignoreBlocker: true })
    },
    onError: () => setIdempotencyKey(createIdempotencyKey()),
  })
  const edited = files[0]?.body !== template.body || files.length > 1
  useLeaveWarning((edited || name !== '') && !create.isSuccess)
  const errors = fieldErrors(create.error)
  const refusal = readOnly ?? (name === '' ? 'Give the config a name first' : nameError(name))
  return (
    <>
      <PageHeader
        title="New config"
        parent={<Link to="/configs">Configs</Link>}
        actions={
          <>
            <LinkButton to="/configs" variant="default">
              Cancel
            </LinkButton>
            <ActionButton loading={create.isPending} disabledReason={refusal} onClick={() => create.mutate()}>
              Create config
            </ActionButton>
          </>
        }
      />
      <div className="stack">
        {create.isError && <ErrorState error={create.error} />}
        <Panel title="Name and starting point">
          <div className="stack">
            <div className="columns">
              <div className="span-4">
                <TextInput
                  label="Name"
                  description="Lower-case letters, digits, dots, dashes; it cannot be changed later"
                  placeholder="base"
                  value={name}
                  onChange={(event) => setName(event.currentTarget.value)}
                  error={errors['name'] ?? (name === '' ? undefined : nameError(name))}
                  required
                  data-autofocus
                />
              </div>
              <div className="span-8">
                <TextInput
                  label="Description"
                  description="For other people"
                  value={description}
                  onChange={(event) => setDescription(event.currentTarget.value)}
                  maxLength={500}
                  error={errors['description']}
                />
              </div>
            </div>
            <fieldset className="template-list">
              <legend style={{ fontWeight: 500, marginBottom: 6, padding: 0 }}>
                Template{edited && <span className="dimmed"> – choosing one replaces what you wrote</span>}
              </legend>
              {templates.map((choice) => (
                <UnstyledButton
                  key={choice.id}
                  className="template"
                  aria-pressed={choice === template}
                  onClick={() => {
                    setTemplate(choice)
                    setFiles(filesOf(choice))
                  }}
                >
                  <strong>{choice.label}</strong>
                  <span className="dimmed">{choice.description}</span>
                </UnstyledButton>
              ))}
            </fieldset>
          </div>
        </Panel>
        <ConfigEditor files={files} onChange={setFiles} />
      </div>
    </>
  )
}
