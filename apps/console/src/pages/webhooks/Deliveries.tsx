/** What a webhook sent, newest first, and what became of it. */
import type { WebhookDelivery } from '@drover/api'
import { Button } from '@mantine/core'
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import { deliveryListQuery } from '../../api/settings-queries.ts'
import { ActionButton } from '../../ui/ActionButton.tsx'
import { AgentText } from '../../ui/AgentText.tsx'
import { DataTable } from '../../ui/DataTable.tsx'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { RelativeTime } from '../../ui/RelativeTime.tsx'
import { StateBadge, type Tone } from '../../ui/StateBadge.tsx'
import { useReadOnlyReason } from '../../ui/access.ts'
import { toastDone, toastFailed } from '../../ui/toasts.ts'

const looks: Readonly<Record<WebhookDelivery['state'], { readonly label: string; readonly tone: Tone; readonly meaning: string }>> = {
  pending: { label: 'Waiting', tone: 'busy', meaning: 'It is sent, or sent again, by itself' },
  delivered: { label: 'Taken', tone: 'ok', meaning: 'The receiver answered with success' },
  givenUp: { label: 'Given up', tone: 'bad', meaning: 'It was tried often enough; send it again when the receiver is well' },
}

export function Deliveries({ name }: { readonly name: string }) {
  const query = useInfiniteQuery(deliveryListQuery(name))
  const deliveries = query.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <Panel
      title="Deliveries of the last week"
      flush
      footer={
        query.hasNextPage ? (
          <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            Earlier deliveries
          </Button>
        ) : undefined
      }
    >
      <QueryView query={query}>
        {() =>
          deliveries.length === 0 ? (
            <EmptyState title="Nothing was sent yet">The next event that it is told is listed here with the receiver&apos;s answer.</EmptyState>
          ) : (
            <DeliveryTable name={name} deliveries={deliveries} />
          )
        }
      </QueryView>
    </Panel>
  )
}

function DeliveryTable({ name, deliveries }: { readonly name: string; readonly deliveries: readonly WebhookDelivery[] }) {
  const readOnly = useReadOnlyReason()
  const client = useQueryClient()
  const again = useMutation({
    mutationFn: (deliveryId: number) => api.redeliver({ params: { name, deliveryId } }),
    onSuccess: () => toastDone('It is sent once more'),
    onError: (error) => toastFailed('It cannot be sent once more', error),
    onSettled: () => client.invalidateQueries({ queryKey: ['webhooks'] }),
  })
  return (
    <DataTable label="Deliveries table">
      <thead>
        <tr>
          <th scope="col">State</th>
          <th scope="col">Event</th>
          <th scope="col">Answer</th>
          <th scope="col" className="number">
            Tries
          </th>
          <th scope="col">When</th>
          <th scope="col">Next try</th>
          <th scope="col">
            <span style={{ float: 'right' }}>Action</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {deliveries.map((delivery) => (
          <tr key={delivery.id}>
            <td>
              <StateBadge tone={looks[delivery.state].tone} title={looks[delivery.state].meaning}>
                {looks[delivery.state].label}
              </StateBadge>
            </td>
            <td className="nowrap">
              {delivery.eventKind} <span className="dimmed">#{delivery.eventId}</span>
            </td>
            <td className="wrap-anywhere">
              <Answer delivery={delivery} />
            </td>
            <td className="number">{delivery.tries}</td>
            <td>
              <RelativeTime at={delivery.createdAt} />
            </td>
            <td>
              <RelativeTime at={delivery.nextTryAt} never="none" />
            </td>
            <td style={{ textAlign: 'right' }}>
              <ActionButton
                variant="default"
                size="compact-xs"
                aria-label={`Send again: ${delivery.eventKind} #${delivery.eventId}`}
                disabledReason={readOnly ?? (delivery.state === 'pending' ? 'It is tried again by itself' : undefined)}
                loading={again.isPending && again.variables === delivery.id}
                onClick={() => again.mutate(delivery.id)}
              >
                Send again
              </ActionButton>
            </td>
          </tr>
        ))}
      </tbody>
    </DataTable>
  )
}

function Answer({ delivery: { status, detail, tries } }: { readonly delivery: WebhookDelivery }) {
  if (tries === 0) return <span className="dimmed">not sent yet</span>
  return (
    <>
      {status === null ? 'No answer' : `HTTP ${status}`}
      {detail !== '' && (
        <div className="dimmed">
          <AgentText text={detail} />
        </div>
      )}
    </>
  )
}
