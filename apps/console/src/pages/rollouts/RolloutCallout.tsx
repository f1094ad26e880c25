/** What a person has to know first when a rollout does not simply go on. */
import type { Rollout, RolloutDecision } from '@drover/api'
import { Link } from '@tanstack/react-router'
import { AgentText } from '../../ui/AgentText.tsx'
import { Notice } from '../../ui/Notice.tsx'
import { calloutOf } from './callout.ts'

export function RolloutCallout({ rollout, decisions }: { readonly rollout: Rollout; readonly decisions: readonly RolloutDecision[] }) {
  const told = calloutOf(rollout, decisions)
  if (told === undefined) return null
  return (
    <Notice tone={told.tone} title={told.title}>
      {told.unknown.length > 0 && (
        <div>
          <strong>What is not known</strong>
          <ul className="callout-list">
            {told.unknown.map(({ title, text }) => (
              <li key={title}>
                <AgentText text={text === '' ? title : `${title}: ${text}`} />
              </li>
            ))}
          </ul>
        </div>
      )}
      {told.told.map((text) => (
        <p key={text} className="wrap-anywhere">
          <AgentText text={text} />
        </p>
      ))}
      {told.choices.length > 0 && (
        <div>
          <strong>What you can do</strong>
          <ul className="callout-list">
            {told.choices.map((choice) => (
              <li key={choice}>{choice}</li>
            ))}
          </ul>
        </div>
      )}
      {rollout.state === 'rolledBack' && (
        <p>
          <Link to="/groups/$name/edit" params={{ name: rollout.group }}>
            Change the group
          </Link>
        </p>
      )}
      {rollout.supersededBy !== null && (
        <p>
          <Link to="/rollouts/$rolloutId" params={{ rolloutId: rollout.supersededBy }}>
            Go to the newer rollout
          </Link>
        </p>
      )}
    </Notice>
  )
}
