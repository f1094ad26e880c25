/** Every group with how far its members are. */
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { groupListQuery } from '../../api/queries.ts'
import { DataTable } from '../../ui/DataTable.tsx'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { MemberProgress } from '../../ui/MemberProgress.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { QueryView } from '../../ui/QueryView.tsx'

export function GroupProgress() {
  const groups = useInfiniteQuery(groupListQuery)
  const items = groups.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <Panel title="Groups" flush actions={<Link to="/groups">All groups</Link>}>
      <QueryView query={groups}>
        {() =>
          items.length === 0 ? (
            <EmptyState title="No group yet" action={<Link to="/create/group">Create a group</Link>}>
              A group says which agents get which configuration.
            </EmptyState>
          ) : (
            <DataTable label="Groups table">
              <thead>
                <tr>
                  <th scope="col">Group</th>
                  <th scope="col">Configs</th>
                  <th scope="col" className="number">
                    Agents
                  </th>
                  <th scope="col">Applied</th>
                  <th scope="col" className="number">
                    Failed
                  </th>
                </tr>
              </thead>
              <tbody>
                {items.slice(0, 10).map((group) => (
                  <tr key={group.name}>
                    <td>
                      <Link to="/groups/$name" params={{ name: group.name }}>
                        {group.name}
                      </Link>
                    </td>
                    <td>{group.revision.configs.map((ref) => `${ref.config}@${ref.version}`).join(', ') || <span className="dimmed">none</span>}</td>
                    <td className="number">{group.counts.total.toLocaleString('en')}</td>
                    <td style={{ width: '28%', verticalAlign: 'middle' }}>
                      <MemberProgress counts={group.counts} />
                    </td>
                    <td className="number">{group.counts.failed.toLocaleString('en')}</td>
                  </tr>
                ))}
              </tbody>
            </DataTable>
          )
        }
      </QueryView>
    </Panel>
  )
}
