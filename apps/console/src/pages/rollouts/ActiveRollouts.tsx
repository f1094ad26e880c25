/** Rollouts that are under way, for the overview; nothing when there are none. */
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { rolloutListQuery } from '../../api/rollout-queries.ts'
import { AgentText } from '../../ui/AgentText.tsx'
import { MemberBar } from '../../ui/MemberBar.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { RolloutStateBadge } from '../../ui/RolloutStateBadge.tsx'
import './rollouts.css'
import { changeOf } from './rollout-view.ts'

const SHOWN = 5

export function ActiveRollouts() {
  const query = useInfiniteQuery(rolloutListQuery({ state: 'active' }, SHOWN))
  const page = query.data?.pages[0]
  if (page === undefined || page.items.length === 0) return null
  return (
    <Panel
      title="Rollouts under way"
      flush
      actions={<Link to="/rollouts">{page.total > SHOWN ? `All ${page.total.toLocaleString('en')}` : 'All rollouts'}</Link>}
    >
      <ul className="active-rollouts">
        {page.items.map((rollout) => (
          <li key={rollout.id}>
            <span className="row">
              <Link to="/rollouts/$rolloutId" params={{ rolloutId: rollout.id }}>
                {rollout.group}: {changeOf(rollout)}
              </Link>
              <RolloutStateBadge state={rollout.state} />
            </span>
            <MemberBar counts={rollout.counts} />
            <span className="dimmed wrap-anywhere">
              <AgentText text={rollout.summary} />
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  )
}
