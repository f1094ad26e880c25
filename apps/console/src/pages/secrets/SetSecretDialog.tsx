/** Gives a secret a value. What was typed leaves the page with the dialog. */
import type { Secret } from '@drover/api'
import { Button, Group, Switch, TextInput, Textarea } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { api, fieldErrors } from '../../api/client.ts'
import { Dialog } from '../../ui/Dialog.tsx'
import { ErrorState } from '../../ui/ErrorState.tsx'
import { Notice } from '../../ui/Notice.tsx'
import { toastDone } from '../../ui/toasts.ts'
import { endsWithLineBreak, secretNameError, withoutLastBreak } from './secret-form.ts'
import './secrets.css'

interface Props {
  /** Absent: a new one. */
  readonly secret: Secret | undefined
  readonly taken: readonly string[]
  readonly opened: boolean
  readonly onClose: () => void
}

export function SetSecretDialog({ secret, taken, opened, onClose }: Props) {
  const client = useQueryClient()
  const [name, setName] = useState(secret?.name ?? '')
  const [description, setDescription] = useState(secret?.description ?? '')
  const [value, setValue] = useState('')
  const [visible, setVisible] = useState(false)
  const save = useMutation({
    mutationFn: async () => (await api.setSecret({ params: { name }, body: { value, description } })).data,
    // Not kept in the cache of mutations: it holds the value.
    gcTime: 0,
    onSuccess: async (saved) => {
      setValue('')
      onClose()
      toastDone(`Secret ${saved.name} has version ${saved.version}`)
      await client.invalidateQueries({ queryKey: ['secrets'] })
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    save.mutate()
  }
  const errors = fieldErrors(save.error)
  const nameError = secret === undefined ? secretNameError(name, taken) : undefined
  const users = [...new Set(secret?.usedBy.map(({ group }) => group))]
  return (
    <Dialog opened={opened} onClose={onClose} title={secret === undefined ? 'New secret' : `New value for ${secret.name}`}>
      <form onSubmit={submit} className="stack" autoComplete="off">
        {secret === undefined && (
          <TextInput
            label="Name"
            description="Letters, digits and underscores"
            placeholder="backend_api_key"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            error={nameError ?? errors['name']}
            maxLength={63}
            required
            data-autofocus
          />
        )}
        <Textarea
          label="Value"
          description="It may have several lines, as a key has"
          classNames={{ input: visible ? 'secret-value' : 'secret-value secret-hidden' }}
          value={value}
          onChange={(event) => setValue(event.currentTarget.value)}
          error={errors['value']}
          maxLength={65_536}
          rows={3}
          spellCheck={false}
          autoComplete="off"
          required
          data-autofocus={secret === undefined ? undefined : true}
        />
        <Switch size="xs" label="Show while I type" checked={visible} onChange={(event) => setVisible(event.currentTarget.checked)} />
        {endsWithLineBreak(value) && (
          <Notice tone="warn">
            <span>
              The value ends with a line break, which would be part of it.{' '}
              <Button variant="default" size="compact-xs" onClick={() => setValue(withoutLastBreak(value))}>
                Take it off
              </Button>
            </span>
          </Notice>
        )}
        <TextInput
          label="Description"
          description="For other people; without the value"
          value={description}
          onChange={(event) => setDescription(event.currentTarget.value)}
          maxLength={500}
          error={errors['description']}
        />
        {users.length > 0 && (
          <p className="dimmed">
            {users.join(', ')} {users.length === 1 ? 'goes' : 'go'} on with the value that {users.length === 1 ? 'its' : 'their'} agents have, until a new
            revision takes the latest secrets.
          </p>
        )}
        {save.isError && <ErrorState error={save.error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending} disabled={name === '' || value === '' || nameError !== undefined}>
            {secret === undefined ? 'Create' : 'Set value'}
          </Button>
        </Group>
      </form>
    </Dialog>
  )
}
