/** Makes an API token and shows its value once. */
import { Button, Group, SegmentedControl, Select, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { api, createIdempotencyKey, fieldErrors } from '../../api/client.ts'
import { CodeBlock } from '../../ui/CodeBlock.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { ErrorState } from '../../ui/ErrorState.tsx'
import { Notice } from '../../ui/Notice.tsx'

const lifetimes = [
  { value: '604800', label: '1 week' },
  { value: '7776000', label: '90 days' },
  { value: '31536000', label: '1 year' },
  { value: '', label: 'Does not expire' },
]

export function CreateApiTokenDialog({ opened, onClose }: { readonly opened: boolean; readonly onClose: () => void }) {
  const client = useQueryClient()
  const [name, setName] = useState('')
  const [access, setAccess] = useState<'read' | 'write'>('read')
  const [lifetime, setLifetime] = useState('7776000')
  const [idempotencyKey, setIdempotencyKey] = useState(createIdempotencyKey)
  const create = useMutation({
    mutationFn: async () =>
      (await api.createApiToken({ body: { name, access, expiresInSeconds: lifetime === '' ? null : Number(lifetime) }, idempotencyKey })).data,
    onSuccess: () => client.invalidateQueries({ queryKey: ['tokens'] }),
    onError: () => setIdempotencyKey(createIdempotencyKey()),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    create.mutate()
  }
  return (
    <Dialog opened={opened} onClose={onClose} title={create.isSuccess ? 'The new token' : 'New API token'}>
      {create.isSuccess ? (
        <div className="stack">
          <Notice tone="busy" title="Copy it now: it is not shown again." />
          <CodeBlock text={create.data.token} label="token" />
          <p className="dimmed">
            Use it as <code>DROVER_TOKEN</code> for the <code>drover</code> command, or as <code>Authorization: Bearer …</code> for the API.
          </p>
          <Group justify="flex-end">
            <Button onClick={onClose}>Done</Button>
          </Group>
        </div>
      ) : (
        <form onSubmit={submit} className="stack">
          <TextInput
            label="Name"
            description="What it is for"
            placeholder="deploy-pipeline"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            required
            maxLength={63}
            error={fieldErrors(create.error)['name']}
            data-autofocus
          />
          <div>
            <div id="api-token-access" style={{ fontWeight: 500, fontSize: '0.75rem', marginBottom: 4 }}>
              It may
            </div>
            <SegmentedControl
              aria-labelledby="api-token-access"
              value={access}
              onChange={(value) => setAccess(value as 'read' | 'write')}
              data={[
                { value: 'read', label: 'Read' },
                { value: 'write', label: 'Read and change' },
              ]}
            />
          </div>
          <Select label="It expires after" data={lifetimes} value={lifetime} onChange={(value) => setLifetime(value ?? '')} allowDeselect={false} />
          {create.isError && <ErrorState error={create.error} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={create.isPending} disabled={name.trim() === ''}>
              Create
            </Button>
          </Group>
        </form>
      )}
    </Dialog>
  )
}
