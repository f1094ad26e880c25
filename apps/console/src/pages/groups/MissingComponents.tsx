/** Components that a group's configuration needs and some of its agents lack. */
import type { GroupPreview } from '@drover/api'
import { AgentText } from '../../ui/AgentText.tsx'
import { StateBadge } from '../../ui/StateBadge.tsx'

export function MissingComponents({ missing, agents }: { readonly missing: Readonly<GroupPreview['missing']>; readonly agents: number }) {
  if (missing.length === 0) return null
  return (
    <ul className="findings">
      {missing.map(({ kind, type, lacking, agents: names }) => (
        <li key={`${kind} ${type}`} className="finding">
          <StateBadge tone="warn" plain>
            {lacking} of {agents}
          </StateBadge>
          <span className="finding-message">
            {lacking === 1 ? 'agent lacks' : 'agents lack'} {kind} <code>{type}</code>
            {names.length > 0 && (
              <span className="dimmed">
                {' '}
                (<AgentText text={names.slice(0, 3).join(', ')} />
                {lacking > 3 ? ', …' : ''})
              </span>
            )}
          </span>
        </li>
      ))}
    </ul>
  )
}
