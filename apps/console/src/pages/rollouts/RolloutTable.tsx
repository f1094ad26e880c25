/** Rollouts as a table; without the group where all are of one. */
import type { RolloutSummary } from '@drover/api'
import { Link } from '@tanstack/react-router'
import { AgentText } from '../../ui/AgentText.tsx'
import { DataTable } from '../../ui/DataTable.tsx'
import { MemberBar } from '../../ui/MemberBar.tsx'
import { RelativeTime } from '../../ui/RelativeTime.tsx'
import { RolloutStateBadge } from '../../ui/RolloutStateBadge.tsx'
import { changeOf } from './rollout-view.ts'

interface Props {
  readonly label: string
  readonly rollouts: readonly RolloutSummary[]
  readonly ofOneGroup?: boolean
}

export function RolloutTable({ label, rollouts, ofOneGroup = false }: Props) {
  return (
    <DataTable label={label}>
      <thead>
        <tr>
          <th scope="col">{ofOneGroup ? 'Change' : 'Group and change'}</th>
          <th scope="col">State</th>
          <th scope="col">What it does</th>
          <th scope="col">Agents</th>
          <th scope="col">When</th>
        </tr>
      </thead>
      <tbody>
        {rollouts.map((rollout) => (
          <tr key={rollout.id}>
            <td>
              <Link to="/rollouts/$rolloutId" params={{ rolloutId: rollout.id }}>
                {ofOneGroup ? changeOf(rollout) : rollout.group}
              </Link>
              {!ofOneGroup && <div className="dimmed nowrap">{changeOf(rollout)}</div>}
            </td>
            <td>
              <RolloutStateBadge state={rollout.state} />
            </td>
            <td className="rollout-what">
              <AgentText text={rollout.summary} />
              {rollout.reason !== '' && (
                <div className="dimmed wrap-anywhere">
                  <AgentText text={rollout.reason} />
                </div>
              )}
            </td>
            <td className="rollout-bar">
              <MemberBar counts={rollout.counts} />
              <span className="dimmed nowrap">
                {rollout.wave === null ? '' : `wave ${rollout.wave.number} of ${rollout.wave.of}, `}
                {rollout.agents.toLocaleString('en')} {rollout.agents === 1 ? 'agent' : 'agents'}
              </span>
            </td>
            <td>
              <RelativeTime at={rollout.endedAt ?? rollout.startedAt ?? rollout.createdAt} />
              <div className="dimmed">by {rollout.startedBy ?? rollout.createdBy}</div>
            </td>
          </tr>
        ))}
      </tbody>
    </DataTable>
  )
}
