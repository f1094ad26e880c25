/** An agent's own log lines of the last hour, newest last. */
import { Button, SegmentedControl, Switch } from '@mantine/core'
import { IconFileText } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { agentLogsQuery } from '../../api/telemetry-queries.ts'
import { AgentText } from '../../ui/AgentText.tsx'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { absoluteTime, clockTime } from '../../ui/time.ts'
import { type SeverityFilter, attributeText, linesFrom, severityFilters, severityTone } from './log-lines.ts'

export function LogsTab({ agentId }: { readonly agentId: string }) {
  const [follow, setFollow] = useState(true)
  const [filter, setFilter] = useState<SeverityFilter>('all')
  const query = useQuery(agentLogsQuery(agentId, follow))
  return (
    <Panel
      title="Log of the last hour"
      flush
      actions={
        <div className="row">
          <SegmentedControl
            aria-label="Severity"
            value={filter}
            onChange={(value) => setFilter(value as SeverityFilter)} // as: the values are the filters
            data={[...severityFilters]}
          />
          <Switch size="xs" label="Follow" checked={follow} onChange={(event) => setFollow(event.currentTarget.checked)} />
        </div>
      }
    >
      <QueryView query={query}>
        {({ items, dropped }) => {
          const lines = linesFrom(items, filter)
          if (items.length === 0) return <NoLines />
          return (
            <>
              {dropped > 0 && (
                <p className="panel-body dimmed">
                  {dropped.toLocaleString('en')} {dropped === 1 ? 'line was' : 'lines were'} left out because the agent wrote too many.
                </p>
              )}
              {lines.length === 0 ? (
                <EmptyState
                  title="No line of this severity"
                  action={
                    <Button variant="default" onClick={() => setFilter('all')}>
                      Show all
                    </Button>
                  }
                />
              ) : (
                <Lines lines={lines} follow={follow} />
              )}
            </>
          )
        }}
      </QueryView>
    </Panel>
  )
}

function NoLines() {
  return (
    <EmptyState title="No log lines" icon={<IconFileText size={28} stroke={1.4} aria-hidden />}>
      The agent sent no log of its own within the last hour. It does when it can send own logs and a group that it is in says that they go to Drover.
    </EmptyState>
  )
}

interface Line {
  readonly at: string
  readonly severity: string
  readonly body: string
  readonly attributes: Readonly<Record<string, string>>
}

function Lines({ lines, follow }: { readonly lines: readonly Line[]; readonly follow: boolean }) {
  const place = useRef<HTMLElement>(null)
  useEffect(() => {
    if (follow && lines.length > 0 && place.current !== null) place.current.scrollTop = place.current.scrollHeight
  }, [follow, lines])
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable, so that the arrow keys can scroll it
    <section className="log" aria-label="Log lines" tabIndex={0} ref={place}>
      <ol>
        {lines.map(({ at, severity, body, attributes }, index) => (
          <li key={`${at} ${index}`} data-tone={severityTone(severity)}>
            <time dateTime={at} title={absoluteTime(Date.parse(at))}>
              {clockTime(Date.parse(at))}
            </time>
            <span className="log-severity">
              <AgentText text={severity} />
            </span>
            <span className="log-body">
              <AgentText text={body} />{' '}
              <span className="dimmed">
                <AgentText text={attributeText(attributes)} />
              </span>
            </span>
          </li>
        ))}
      </ol>
    </section>
  )
}
