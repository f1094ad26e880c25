/** The event log: newest first, filtered by the address, new events on top as they happen. */
import { Button, MultiSelect, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { AgentText } from '../../ui/AgentText.tsx'
import { DataTable } from '../../ui/DataTable.tsx'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { EventSubject, eventTone } from '../../ui/EventLine.tsx'
import { PageHeader } from '../../ui/PageHeader.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { RelativeTime } from '../../ui/RelativeTime.tsx'
import { StateBadge } from '../../ui/StateBadge.tsx'
import { useEventLog } from '../../ui/use-event-log.ts'
import { kindOptions } from './event-kinds.ts'

export function EventsPage() {
  const search = useSearch({ from: '/shell/events' })
  const navigate = useNavigate()
  const [subject, setSubject] = useState(search.subject ?? '')
  const { query, events } = useEventLog({ kind: search.kind, subject: search.subject })
  const change = (next: { readonly kind?: string | undefined; readonly subject?: string | undefined }) => {
    const { kind, subject: about } = { ...search, ...next }
    void navigate({ to: '/events', search: { ...(kind ? { kind } : {}), ...(about ? { subject: about } : {}) }, replace: true })
  }
  const changeSubject = useDebouncedCallback((text: string) => change({ subject: text.trim() }), 300)
  return (
    <>
      <PageHeader title="Events" below={<span className="dimmed">What happened, in order. New events appear on top.</span>} />
      <div className="stack">
        <search className="row">
          <MultiSelect
            aria-label="Kinds"
            placeholder={search.kind === undefined ? 'All kinds' : ''}
            data={kindOptions}
            value={search.kind?.split(',') ?? []}
            onChange={(kinds) => change({ kind: kinds.join(',') })}
            searchable
            clearable
            clearButtonProps={{ 'aria-label': 'All kinds' }}
            size="xs"
            style={{ flex: '1 1 280px', maxWidth: 520 }}
          />
          <TextInput
            aria-label="About: agent id, config, group or token"
            placeholder="About: agent id, config, group…"
            value={subject}
            onChange={(event) => {
              setSubject(event.currentTarget.value)
              changeSubject(event.currentTarget.value)
            }}
            maxLength={64}
            style={{ flex: '0 1 260px' }}
          />
        </search>
        <div className="panel">
          <QueryView query={query}>
            {() =>
              events.length === 0 ? (
                <EmptyState title={search.kind === undefined && search.subject === undefined ? 'Nothing has happened yet' : 'No event matches'}>
                  Events appear here as they happen.
                </EmptyState>
              ) : (
                <DataTable label="Events table">
                  <thead>
                    <tr>
                      <th scope="col">When</th>
                      <th scope="col">What</th>
                      <th scope="col">Kind</th>
                      <th scope="col">About</th>
                      <th scope="col">By</th>
                    </tr>
                  </thead>
                  <tbody>
                    {events.map((event) => (
                      <tr key={event.id}>
                        <td>
                          <RelativeTime at={event.at} />
                        </td>
                        <td className="wrap-anywhere" style={{ minWidth: 240 }}>
                          <AgentText text={event.summary} />
                        </td>
                        <td className="nowrap">
                          <StateBadge tone={eventTone(event.kind)} plain>
                            {event.kind}
                          </StateBadge>
                        </td>
                        <td className="nowrap">
                          <EventSubject event={event} />
                        </td>
                        <td className="nowrap">
                          <AgentText text={event.actor} />
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </DataTable>
              )
            }
          </QueryView>
          {query.hasNextPage && (
            <div className="panel-foot">
              <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                Earlier events
              </Button>
            </div>
          )}
        </div>
      </div>
    </>
  )
}
