/** Values of the desired configuration that the agent does not have, or has otherwise. */
import type { DesiredConfig } from '@drover/api'
import { AgentText } from '../../ui/AgentText.tsx'
import { DataTable } from '../../ui/DataTable.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { StateBadge } from '../../ui/StateBadge.tsx'
import { valueText } from './value-text.ts'

export function DriftTable({ drift, desired }: { readonly drift: DesiredConfig['drift']; readonly desired: boolean }) {
  return (
    <Panel
      title="Drift"
      flush
      actions={drift.length > 0 ? <StateBadge tone="warn">{drift.length === 1 ? '1 value' : `${drift.length} values`}</StateBadge> : undefined}
    >
      {drift.length === 0 ? (
        <p className="panel-body dimmed">{desired ? 'The agent runs every value it should.' : 'Nothing is desired, so nothing drifts.'}</p>
      ) : (
        <DataTable label="Drifting values">
          <thead>
            <tr>
              <th scope="col">Path</th>
              <th scope="col">Desired</th>
              <th scope="col">Effective</th>
            </tr>
          </thead>
          <tbody>
            {drift.map((entry) => (
              <tr key={entry.path}>
                <td className="mono wrap-anywhere">{entry.path}</td>
                <td className="drift-value">{valueText(entry.desired)}</td>
                <td className="drift-value">
                  {entry.kind === 'missing' ? <em className="dimmed nowrap">missing</em> : <AgentText text={valueText(entry.effective)} />}
                </td>
              </tr>
            ))}
          </tbody>
        </DataTable>
      )}
    </Panel>
  )
}
