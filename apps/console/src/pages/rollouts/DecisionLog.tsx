/** What was decided, newest first, as sentences; the numbers on demand. */
import type { RolloutDecision } from '@drover/api'
import { Button } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { decisionListQuery } from '../../api/rollout-queries.ts'
import { AgentText } from '../../ui/AgentText.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { RelativeTime } from '../../ui/RelativeTime.tsx'
import type { Tone } from '../../ui/StateBadge.tsx'
import { clockTime } from '../../ui/time.ts'
import { Numbers } from './Numbers.tsx'

const tones: Readonly<Record<string, Tone>> = {
  wavePassed: 'ok',
  completed: 'ok',
  trouble: 'bad',
  rollingBack: 'bad',
  rolledBack: 'warn',
  paused: 'warn',
  stopped: 'warn',
  waveOpened: 'busy',
}

export function useDecisions(rolloutId: string): readonly RolloutDecision[] {
  const query = useInfiniteQuery(decisionListQuery(rolloutId))
  return query.data?.pages.flatMap((page) => page.items) ?? []
}

export function DecisionLog({ rolloutId }: { readonly rolloutId: string }) {
  const query = useInfiniteQuery(decisionListQuery(rolloutId))
  const decisions = useDecisions(rolloutId)
  return (
    <Panel
      title="What was decided"
      flush
      footer={
        query.hasNextPage ? (
          <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            Earlier decisions
          </Button>
        ) : undefined
      }
    >
      <QueryView query={query}>
        {() =>
          decisions.length === 0 ? (
            <p className="panel-body dimmed">Nothing was decided yet.</p>
          ) : (
            <ol className="event-list">
              {decisions.map((decision) => (
                <li key={decision.seq} data-tone={tones[decision.kind] ?? 'idle'}>
                  <span className="event-list-summary">
                    <AgentText text={decision.sentence} />
                  </span>
                  <span className="event-list-meta">
                    {clockTime(Date.parse(decision.at))} · <RelativeTime at={decision.at} />
                  </span>
                  <Numbers numbers={decision.numbers} />
                </li>
              ))}
            </ol>
          )
        }
      </QueryView>
    </Panel>
  )
}
