/** Rollouts that are under way, with what each does or waits for. */
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { rolloutListQuery } from '../../api/rollout-queries.ts'
import { Panel } from '../../ui/Panel.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { RolloutStateBadge } from '../../ui/RolloutStateBadge.tsx'

const SHOWN = 6

export function ActiveRollouts() {
  const query = useInfiniteQuery(rolloutListQuery({ state: 'active' }, SHOWN))
  const rollouts = query.data?.pages[0]?.items ?? []
  const total = query.data?.pages[0]?.total ?? 0
  return (
    <Panel title="Rollouts under way" flush actions={<Link to="/rollouts">{total > SHOWN ? `All ${total.toLocaleString('en')}` : 'All rollouts'}</Link>}>
      <QueryView query={query}>
        {() =>
          rollouts.length === 0 ? (
            <p className="panel-body dimmed">
              None. A change of a <Link to="/groups">group</Link> starts one.
            </p>
          ) : (
            <ul className="failed-list">
              {rollouts.map((rollout) => (
                <li key={rollout.id}>
                  <span className="failed-list-name">
                    <Link to="/rollouts/$rolloutId" params={{ rolloutId: rollout.id }} className="truncate">
                      {rollout.group}, revision {rollout.to}
                    </Link>
                    <RolloutStateBadge state={rollout.state} />
                  </span>
                  <span className="failed-list-error">{rollout.summary}</span>
                </li>
              ))}
            </ul>
          )
        }
      </QueryView>
    </Panel>
  )
}
