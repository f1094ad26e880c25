/** Who made a rollout and why, when it began and ended, and what stands in its way. */
import type { Rollout } from '@drover/api'
import { Link } from '@tanstack/react-router'
import { AgentText } from '../../ui/AgentText.tsx'
import { RelativeTime } from '../../ui/RelativeTime.tsx'

export function RolloutStory({ rollout }: { readonly rollout: Rollout }) {
  const { createdBy, startedBy, startedAt, endedAt, reason, blockers } = rollout
  return (
    <div className="rollout-story">
      {startedAt === null ? (
        <span>
          Prepared by {createdBy} <RelativeTime at={rollout.createdAt} />
        </span>
      ) : (
        <span>
          Started by {startedBy ?? createdBy} <RelativeTime at={startedAt} />
        </span>
      )}
      {endedAt !== null && (
        <span>
          ended <RelativeTime at={endedAt} />
        </span>
      )}
      {reason !== '' && (
        <q className="wrap-anywhere">
          <AgentText text={reason} />
        </q>
      )}
      {blockers.length > 0 && (
        <span>
          Waits for{' '}
          {blockers.map(({ id, group }, index) => (
            <span key={id}>
              {index > 0 && ', '}
              <Link to="/rollouts/$rolloutId" params={{ rolloutId: id }}>
                the rollout of {group}
              </Link>
            </span>
          ))}
        </span>
      )}
    </div>
  )
}
