/** What happened to one agent, newest first, live. */
import { Button } from '@mantine/core'
import { EventList } from '../../ui/EventLine.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { useEventLog } from '../../ui/use-event-log.ts'

export function EventsTab({ agentId }: { readonly agentId: string }) {
  const { query, events } = useEventLog({ subject: agentId })
  return (
    <Panel
      title="Events"
      flush
      footer={
        query.hasNextPage ? (
          <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            Earlier events
          </Button>
        ) : undefined
      }
    >
      <QueryView query={query}>
        {() => (events.length === 0 ? <p className="panel-body dimmed">Nothing is recorded about this agent.</p> : <EventList events={events} />)}
      </QueryView>
    </Panel>
  )
}
