/** The pieces a configuration is merged from, and which of them wins where several set the same value. */
import type { DesiredConfig } from '@drover/api'
import { Link } from '@tanstack/react-router'
import { DataTable } from './DataTable.tsx'

type Fragment = DesiredConfig['fragments'][number]
type Overrides = DesiredConfig['overrides']
const SHOWN_OVERRIDES = 30

/** `proposed`: the fragments of a preview, whose group and revision need not exist yet. */
export function FragmentTable({ fragments, proposed = false }: { readonly fragments: readonly Fragment[]; readonly proposed?: boolean }) {
  return (
    <DataTable label="Fragments, weakest first">
      <thead>
        <tr>
          <th scope="col">Order</th>
          <th scope="col">Group</th>
          <th scope="col" className="number">
            Priority
          </th>
          <th scope="col">Config, offered as</th>
        </tr>
      </thead>
      <tbody>
        {fragments.map((fragment, index) => (
          <tr key={`${fragment.group} ${fragment.config} ${fragment.file}`}>
            <td className="nowrap">
              {index + 1}
              {fragments.length > 1 && index === fragments.length - 1 && <span className="dimmed"> wins</span>}
            </td>
            <td>{proposed ? fragment.group : <FragmentGroup fragment={fragment} />}</td>
            <td className="number">{fragment.priority}</td>
            <td>
              <Link to="/configs/$name" params={{ name: fragment.config }} search={{ version: String(fragment.version) }} className="nowrap">
                {fragment.config}@{fragment.version}
              </Link>
              <div className="mono dimmed wrap-anywhere">{fragment.file}</div>
            </td>
          </tr>
        ))}
      </tbody>
    </DataTable>
  )
}

function FragmentGroup({ fragment }: { readonly fragment: Fragment }) {
  return (
    <>
      <Link to="/groups/$name" params={{ name: fragment.group }}>
        {fragment.group}
      </Link>{' '}
      <span className="dimmed nowrap">rev. {fragment.revision}</span>
    </>
  )
}

export function OverrideList({ fragments, overrides }: { readonly fragments: readonly Fragment[]; readonly overrides: Overrides }) {
  const nameOf = (index: number) => {
    const fragment = fragments[index]
    return fragment === undefined ? '?' : `${fragment.config}@${fragment.version} (${fragment.group})`
  }
  if (overrides.length === 0)
    return (
      <p className="dimmed">
        {fragments.length > 1 ? 'The fragments set different values: nothing is overridden.' : 'One fragment alone: nothing is overridden.'}
      </p>
    )
  return (
    <div>
      <h3>Who wins where</h3>
      <ul style={{ margin: '4px 0 0', paddingLeft: 18 }}>
        {overrides.slice(0, SHOWN_OVERRIDES).map((override) => (
          <li key={override.path} className="wrap-anywhere">
            <code>{override.path}</code>: {nameOf(override.winner)} <span className="dimmed">over {override.losers.map(nameOf).join(', ')}</span>
          </li>
        ))}
      </ul>
      {overrides.length > SHOWN_OVERRIDES && <p className="dimmed">and {overrides.length - SHOWN_OVERRIDES} more</p>}
    </div>
  )
}
