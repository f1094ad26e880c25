/** What a revision changes, as a table; versions of a config lead to their comparison. */
import { VisuallyHidden } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { AgentText } from '../../ui/AgentText.tsx'
import { DataTable } from '../../ui/DataTable.tsx'
import { type Compared, revisionChanges } from './revision-changes.ts'

export function RevisionChanges({ from, to }: { readonly from: Compared | undefined; readonly to: Compared }) {
  const changes = revisionChanges(from, to)
  if (changes.length === 0) return <p className="dimmed">Both revisions are the same.</p>
  return (
    <DataTable label="Before and after">
      <thead>
        <tr>
          <th scope="col">What</th>
          <th scope="col">Before</th>
          <th scope="col">After</th>
        </tr>
      </thead>
      <tbody>
        {changes.map(({ what, before, after, config }) => (
          <tr key={what}>
            <td>{what}</td>
            <td className="wrap-anywhere dimmed">
              <AgentText text={before} />
            </td>
            <td className="wrap-anywhere">
              <AgentText text={after} />
              {config !== undefined && (
                <>
                  {' '}
                  <Link to="/configs/$name" params={{ name: config.name }} search={{ tab: 'changes', version: String(config.to), from: String(config.from) }}>
                    compare
                    <VisuallyHidden>
                      {' '}
                      versions {config.from} and {config.to} of {config.name}
                    </VisuallyHidden>
                  </Link>
                </>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </DataTable>
  )
}
