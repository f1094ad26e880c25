/** One webhook: what it sends where, a test, and the log of what was sent. */
import type { Webhook } from '@drover/api'
import { IconPencil, IconSend, IconTrash } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import { webhookListQuery } from '../../api/settings-queries.ts'
import { ActionButton } from '../../ui/ActionButton.tsx'
import { AgentText } from '../../ui/AgentText.tsx'
import { ConfirmDialog } from '../../ui/ConfirmDialog.tsx'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { ErrorState } from '../../ui/ErrorState.tsx'
import { Facts } from '../../ui/Facts.tsx'
import { LoadingPage } from '../../ui/Loading.tsx'
import { Notice } from '../../ui/Notice.tsx'
import { PageHeader } from '../../ui/PageHeader.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { RelativeTime } from '../../ui/RelativeTime.tsx'
import { useReadOnlyReason } from '../../ui/access.ts'
import { toastDone } from '../../ui/toasts.ts'
import { Deliveries } from './Deliveries.tsx'
import { WebhookDialog } from './WebhookDialog.tsx'
import { EventChips, LastDelivery, WebhookState } from './WebhookFacts.tsx'
import './webhooks.css'

export function WebhookPage() {
  const { name } = useParams({ from: '/shell/webhooks/$name' })
  // There are few, so the list is asked for the one.
  const query = useQuery(webhookListQuery)
  return (
    <QueryView query={query} loading={<LoadingPage />}>
      {({ items }) => {
        const webhook = items.find((one) => one.name === name)
        return webhook === undefined ? <NotThere name={name} /> : <Shown key={name} webhook={webhook} />
      }}
    </QueryView>
  )
}

function NotThere({ name }: { readonly name: string }) {
  return (
    <>
      <PageHeader title={name} parent={<Link to="/webhooks">Webhooks</Link>} />
      <div className="panel">
        <EmptyState title="There is no such webhook" action={<Link to="/webhooks">All webhooks</Link>}>
          It may have been deleted.
        </EmptyState>
      </div>
    </>
  )
}

function Shown({ webhook }: { readonly webhook: Webhook }) {
  return (
    <>
      <PageHeader title={webhook.name} parent={<Link to="/webhooks">Webhooks</Link>} actions={<Actions webhook={webhook} />} />
      <div className="stack">
        <TestPanel webhook={webhook} />
        <Panel title="Where events go">
          <Facts
            items={[
              [
                'Address',
                <span key="url" className="webhook-url">
                  {webhook.url}
                </span>,
              ],
              ['State', <WebhookState key="state" webhook={webhook} />],
              ['Events', <EventChips key="events" events={webhook.events} />],
              ['Last delivery', <LastDelivery key="last" webhook={webhook} />],
              ['Waiting', webhook.pending.toLocaleString('en')],
              [
                'Created',
                <span key="created">
                  <RelativeTime at={webhook.createdAt} /> <span className="dimmed">by {webhook.createdBy}</span>
                </span>,
              ],
            ]}
          />
        </Panel>
        <Deliveries name={webhook.name} />
      </div>
    </>
  )
}

function Actions({ webhook }: { readonly webhook: Webhook }) {
  const readOnly = useReadOnlyReason()
  const navigate = useNavigate()
  const client = useQueryClient()
  const [asking, setAsking] = useState(false)
  const [opened, setOpened] = useState(0)
  const [changing, setChanging] = useState(false)
  const { name } = webhook
  const remove = useMutation({
    mutationFn: () => api.deleteWebhook({ params: { name } }),
    onSuccess: async () => {
      toastDone(`Webhook ${name} was deleted`)
      await navigate({ to: '/webhooks' })
      await client.invalidateQueries({ queryKey: ['webhooks'] })
    },
  })
  return (
    <>
      <ActionButton variant="default" leftSection={<IconTrash size={14} aria-hidden />} disabledReason={readOnly} onClick={() => setAsking(true)}>
        Delete
      </ActionButton>
      <ActionButton
        leftSection={<IconPencil size={14} aria-hidden />}
        disabledReason={readOnly}
        onClick={() => {
          setOpened((count) => count + 1)
          setChanging(true)
        }}
      >
        Change
      </ActionButton>
      <WebhookDialog key={opened} webhook={webhook} opened={changing} onClose={() => setChanging(false)} />
      <ConfirmDialog
        opened={asking}
        title={`Delete webhook ${name}?`}
        confirmLabel="Delete"
        danger
        busy={remove.isPending}
        error={remove.error}
        onConfirm={() => remove.mutate()}
        onClose={() => setAsking(false)}
      >
        <p>Its log is deleted with it, and {webhook.pending === 0 ? 'nothing waits to be sent' : `${webhook.pending} waiting deliveries are dropped`}.</p>
      </ConfirmDialog>
    </>
  )
}

function TestPanel({ webhook }: { readonly webhook: Webhook }) {
  const readOnly = useReadOnlyReason()
  const client = useQueryClient()
  const test = useMutation({
    mutationFn: async () => (await api.testWebhook({ params: { name: webhook.name } })).data,
    onSettled: () => client.invalidateQueries({ queryKey: ['webhooks'] }),
  })
  const result = test.data
  return (
    <Panel
      title="Try it"
      actions={
        <ActionButton
          variant="default"
          leftSection={<IconSend size={14} aria-hidden />}
          loading={test.isPending}
          disabledReason={readOnly}
          onClick={() => test.mutate()}
        >
          Send a test event
        </ActionButton>
      }
    >
      <output>
        {result === undefined && !test.isError && (
          <p className="dimmed">
            Sends one event <code>webhook.test</code> now, and shows here what came back.
          </p>
        )}
        {result !== undefined && (
          <Notice tone={result.delivered ? 'ok' : 'bad'} title={result.delivered ? 'The receiver took it' : 'The receiver did not take it'}>
            <span className="wrap-anywhere">
              {result.status !== null && <>HTTP {result.status}. </>}
              <AgentText text={result.detail} />
            </span>
          </Notice>
        )}
      </output>
      {test.isError && <ErrorState error={test.error} />}
    </Panel>
  )
}
