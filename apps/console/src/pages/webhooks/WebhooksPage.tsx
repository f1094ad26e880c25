/** Outgoing webhooks: where events go, and whether they arrive. */
import type { Webhook } from '@drover/api'
import { IconPlus, IconWebhook } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { webhookListQuery } from '../../api/settings-queries.ts'
import { ActionButton } from '../../ui/ActionButton.tsx'
import { DataTable } from '../../ui/DataTable.tsx'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { PageHeader } from '../../ui/PageHeader.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { useReadOnlyReason } from '../../ui/access.ts'
import { WebhookDialog } from './WebhookDialog.tsx'
import { EventChips, LastDelivery, WebhookState } from './WebhookFacts.tsx'

export function WebhooksPage() {
  const query = useQuery(webhookListQuery)
  const readOnly = useReadOnlyReason()
  const [opened, setOpened] = useState(0)
  const [shown, setShown] = useState(false)
  const open = () => {
    setOpened((count) => count + 1)
    setShown(true)
  }
  return (
    <>
      <PageHeader
        title="Webhooks"
        below={<span className="dimmed">Events as signed HTTP calls, tried again until they are taken.</span>}
        actions={
          <ActionButton leftSection={<IconPlus size={14} aria-hidden />} disabledReason={readOnly} onClick={open}>
            New webhook
          </ActionButton>
        }
      />
      <div className="panel">
        <QueryView query={query}>
          {({ items }) =>
            items.length === 0 ? (
              <EmptyState title="No webhook yet" icon={<IconWebhook size={28} stroke={1.4} aria-hidden />}>
                A webhook tells a chat, an on-call tool or a pipeline when a rollout pauses, is taken back or is done.
              </EmptyState>
            ) : (
              <WebhookTable webhooks={items} />
            )
          }
        </QueryView>
      </div>
      <WebhookDialog key={opened} opened={shown} onClose={() => setShown(false)} />
    </>
  )
}

function WebhookTable({ webhooks }: { readonly webhooks: readonly Webhook[] }) {
  return (
    <DataTable label="Webhooks table">
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">State</th>
          <th scope="col">Events</th>
          <th scope="col">Last delivery</th>
          <th scope="col" className="number">
            Waiting
          </th>
        </tr>
      </thead>
      <tbody>
        {webhooks.map((webhook) => (
          <tr key={webhook.name}>
            <td>
              <Link to="/webhooks/$name" params={{ name: webhook.name }}>
                {webhook.name}
              </Link>
              <div className="webhook-url dimmed">{webhook.url}</div>
            </td>
            <td>
              <WebhookState webhook={webhook} />
            </td>
            <td>
              <EventChips events={webhook.events} />
            </td>
            <td>
              <LastDelivery webhook={webhook} />
            </td>
            <td className="number">{webhook.pending.toLocaleString('en')}</td>
          </tr>
        ))}
      </tbody>
    </DataTable>
  )
}
