/** The newest rollouts of a group. */
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { rolloutListQuery } from '../../api/rollout-queries.ts'
import { Panel } from '../../ui/Panel.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { RolloutTable } from '../rollouts/RolloutTable.tsx'
import '../rollouts/rollouts.css'

const SHOWN = 5

export function GroupRollouts({ group }: { readonly group: string }) {
  const query = useInfiniteQuery(rolloutListQuery({ group }, SHOWN))
  return (
    <Panel
      title="Rollouts"
      flush
      actions={
        <Link to="/rollouts" search={{ group }}>
          All rollouts of {group}
        </Link>
      }
    >
      <QueryView query={query}>
        {({ pages }) => {
          const rollouts = pages[0]?.items ?? []
          if (rollouts.length === 0)
            return <p className="panel-body dimmed">No rollout yet: change the group, and see whom it reaches before anything is sent.</p>
          return <RolloutTable label={`Rollouts of ${group}`} rollouts={rollouts} ofOneGroup />
        }}
      </QueryView>
    </Panel>
  )
}
