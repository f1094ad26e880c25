/** Why an agent has its configuration: the fragments in order, who wins where, who was left out. */
import type { DesiredConfig } from '@drover/api'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { FragmentTable, OverrideList } from '../../ui/Fragments.tsx'
import { Panel } from '../../ui/Panel.tsx'

export function WhyPanel({ desired }: { readonly desired: DesiredConfig }) {
  return (
    <Panel title="Why" flush>
      {desired.fragments.length === 0 ? (
        <EmptyState title="Nothing to explain">No group that matches this agent has a config.</EmptyState>
      ) : (
        <>
          <FragmentTable fragments={desired.fragments} />
          <div className="panel-body stack">
            <OverrideList fragments={desired.fragments} overrides={desired.overrides} />
          </div>
        </>
      )}
      {desired.skipped.length > 0 && (
        <div className="panel-body">
          <h3>Matches, but adds nothing</h3>
          <ul style={{ margin: 0, paddingLeft: 18 }}>
            {desired.skipped.map(({ group, reason }) => (
              <li key={group}>
                {group}: {reason}
              </li>
            ))}
          </ul>
        </div>
      )}
    </Panel>
  )
}
