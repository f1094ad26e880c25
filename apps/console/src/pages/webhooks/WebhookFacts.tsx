/** Facts about a webhook that list and page show alike. */
import type { Webhook } from '@drover/api'
import { AgentText } from '../../ui/AgentText.tsx'
import { RelativeTime } from '../../ui/RelativeTime.tsx'
import { StateBadge } from '../../ui/StateBadge.tsx'

export function WebhookState({ webhook }: { readonly webhook: Webhook }) {
  if (!webhook.enabled)
    return (
      <StateBadge tone="idle" title="Nothing is sent">
        Off
      </StateBadge>
    )
  if (webhook.lastDelivery !== null && !webhook.lastDelivery.delivered)
    return (
      <StateBadge tone="bad" title="The last delivery did not arrive">
        Failing
      </StateBadge>
    )
  return (
    <StateBadge tone="ok" title="Events are sent">
      On
    </StateBadge>
  )
}

export function EventChips({ events }: { readonly events: readonly string[] }) {
  return (
    <span className="row">
      {events.map((event) => (
        <span key={event} className="chip">
          {event.includes('.') ? event : `${event}: all`}
        </span>
      ))}
    </span>
  )
}

export function LastDelivery({ webhook: { lastDelivery } }: { readonly webhook: Webhook }) {
  if (lastDelivery === null) return <span className="dimmed">nothing was sent yet</span>
  return (
    <>
      {lastDelivery.delivered ? 'Taken' : 'Not taken'} <RelativeTime at={lastDelivery.at} />
      {lastDelivery.detail !== '' && (
        <div className="dimmed wrap-anywhere">
          <AgentText text={lastDelivery.detail} />
        </div>
      )}
    </>
  )
}
