/** A new webhook, whose signing secret is shown once, or changes to one. */
import type { Webhook } from '@drover/api'
import { Button, Group, Switch, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { api, createIdempotencyKey, fieldErrors } from '../../api/client.ts'
import { CodeBlock } from '../../ui/CodeBlock.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { ErrorState } from '../../ui/ErrorState.tsx'
import { Notice } from '../../ui/Notice.tsx'
import { nameError } from '../../ui/resource-name.ts'
import { toastDone } from '../../ui/toasts.ts'
import { EventChooser } from './EventChooser.tsx'
import { urlError } from './webhook-events.ts'

interface Props {
  /** Absent: a new one. */
  readonly webhook?: Webhook
  readonly opened: boolean
  readonly onClose: () => void
}

/** What a newcomer wants to hear about. */
const usualEvents: readonly string[] = ['rollout', 'attempt.failed']

export function WebhookDialog({ webhook, opened, onClose }: Props) {
  const client = useQueryClient()
  const [name, setName] = useState(webhook?.name ?? '')
  const [url, setUrl] = useState(webhook?.url ?? '')
  const [events, setEvents] = useState<readonly string[]>(webhook?.events ?? usualEvents)
  const [enabled, setEnabled] = useState(webhook?.enabled ?? true)
  const [idempotencyKey, setIdempotencyKey] = useState(createIdempotencyKey)
  const save = useMutation({
    mutationFn: async (): Promise<string | undefined> => {
      const input = { url, events: [...events], enabled }
      if (webhook === undefined) return (await api.createWebhook({ body: { name, ...input }, idempotencyKey })).data.secret
      await api.setWebhook({ params: { name }, body: input })
      return undefined
    },
    gcTime: 0,
    onSuccess: async (secret) => {
      if (secret === undefined) {
        onClose()
        toastDone(`Webhook ${name} was changed`)
      }
      await client.invalidateQueries({ queryKey: ['webhooks'] })
    },
    onError: () => setIdempotencyKey(createIdempotencyKey()),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    save.mutate()
  }
  const errors = fieldErrors(save.error)
  const wrongName = webhook === undefined && name !== '' ? nameError(name) : undefined
  const incomplete = name === '' || url === '' || events.length === 0 || wrongName !== undefined || urlError(url) !== undefined
  if (save.data !== undefined)
    return (
      <Dialog opened={opened} onClose={onClose} title={`The signing secret of ${name}`}>
        <SigningSecret secret={save.data} onClose={onClose} />
      </Dialog>
    )
  return (
    <Dialog opened={opened} onClose={onClose} size="lg" title={webhook === undefined ? 'New webhook' : `Change webhook ${webhook.name}`}>
      <form onSubmit={submit} className="stack">
        {webhook === undefined && (
          <TextInput
            label="Name"
            placeholder="chat"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            error={wrongName ?? errors['name']}
            required
            data-autofocus
          />
        )}
        <TextInput
          label="Address"
          description="Each event is sent there by POST as JSON, signed"
          placeholder="https://example.com/hooks/drover"
          value={url}
          onChange={(event) => setUrl(event.currentTarget.value)}
          error={errors['url'] ?? urlError(url)}
          maxLength={2048}
          spellCheck={false}
          required
        />
        <EventChooser events={events} onChange={setEvents} error={events.length === 0 ? 'Choose at least one' : errors['events']} />
        <Switch size="xs" label="Send events" checked={enabled} onChange={(event) => setEnabled(event.currentTarget.checked)} />
        {save.isError && <ErrorState error={save.error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending} disabled={incomplete}>
            {webhook === undefined ? 'Create' : 'Save'}
          </Button>
        </Group>
      </form>
    </Dialog>
  )
}

function SigningSecret({ secret, onClose }: { readonly secret: string; readonly onClose: () => void }) {
  return (
    <div className="stack">
      <Notice tone="busy" title="Copy it now: it is not shown again." />
      <CodeBlock text={secret} label="signing secret" />
      <p className="dimmed">
        The receiver checks with it that a call comes from Drover: <code>webhook-signature</code> is an HMAC-SHA256 of id, time and body, as{' '}
        <a href="https://www.standardwebhooks.com" rel="noreferrer">
          Standard Webhooks
        </a>{' '}
        describes.
      </p>
      <Group justify="flex-end">
        <Button onClick={onClose}>Done</Button>
      </Group>
    </div>
  )
}
