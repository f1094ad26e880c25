/** What an agent says about itself, how it is connected, its capabilities and labels. */
import type { AgentDetail } from '@drover/api'
import { Link } from '@tanstack/react-router'
import { AgentText } from '../../ui/AgentText.tsx'
import { DataTable } from '../../ui/DataTable.tsx'
import { Facts } from '../../ui/Facts.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { RelativeTime } from '../../ui/RelativeTime.tsx'
import { LabelsEditor } from './LabelsEditor.tsx'
import { attributeFacts, capabilityRows } from './description.ts'

const transports = { websocket: 'WebSocket', http: 'plain HTTP (polling)', 'in-process': 'in process (demo)' } as const

export function OverviewTab({ agent, etag }: { readonly agent: AgentDetail; readonly etag: string | null }) {
  return (
    <div className="columns">
      <div className="span-7 stack">
        <Panel title="Description">
          <AttributeFacts title="Identifying" attributes={agent.identifyingAttributes} />
          <AttributeFacts title="Other" attributes={agent.nonIdentifyingAttributes} />
        </Panel>
        <Panel title="Connection">
          <Facts
            items={[
              ['Transport', agent.transport === null ? <span className="dimmed">none</span> : transports[agent.transport]],
              ['Remote address', agent.connection === null ? <span className="dimmed">not connected</span> : agent.connection.remoteAddress],
              ['Connected', agent.connection === null ? <span className="dimmed">no</span> : <RelativeTime at={agent.connection.connectedAt} />],
              ['Credential', agent.connection === null ? <span className="dimmed">none</span> : <AgentText text={agent.connection.credential} />],
              ['First seen', <RelativeTime key="first" at={agent.firstSeenAt} />],
              ['Agent id', <code key="id">{agent.id}</code>],
              [
                'Earlier uids',
                agent.previousInstanceUids.length === 0 ? (
                  <span className="dimmed">none</span>
                ) : (
                  agent.previousInstanceUids.map((uid) => <code key={uid}>{uid} </code>)
                ),
              ],
            ]}
          />
        </Panel>
      </div>
      <div className="span-5 stack">
        <LabelsEditor agent={agent} etag={etag} />
        <Panel title="Groups">
          {agent.groups.length === 0 ? (
            <p className="dimmed">
              No group&apos;s selector matches it. <Link to="/groups">See the groups</Link>
            </p>
          ) : (
            <div className="row">
              {agent.groups.map((group) => (
                <Link key={group} to="/groups/$name" params={{ name: group }} className="chip">
                  {group}
                </Link>
              ))}
            </div>
          )}
        </Panel>
        <Panel title="Capabilities" flush>
          <Capabilities agent={agent} />
        </Panel>
      </div>
    </div>
  )
}

function AttributeFacts({ title, attributes }: { readonly title: string; readonly attributes: Readonly<Record<string, unknown>> }) {
  const items = attributeFacts(attributes)
  return (
    <div style={{ marginBottom: 8 }}>
      <h3>{title}</h3>
      {items.length === 0 ? (
        <p className="dimmed">none reported</p>
      ) : (
        <Facts items={items.map(([key, value]) => [key, <AgentText key={key} text={value} />] as const)} />
      )}
    </div>
  )
}

function Capabilities({ agent }: { readonly agent: AgentDetail }) {
  return (
    <DataTable label="Capabilities table">
      <thead>
        <tr>
          <th scope="col">What it can do</th>
          <th scope="col">Capability</th>
        </tr>
      </thead>
      <tbody>
        {capabilityRows(agent.capabilities).map(({ name, meaning, has }) => (
          <tr key={name} className={has ? undefined : 'dimmed'}>
            <td>
              {has ? '✓' : '–'} {meaning}
              {!has && <span> (no)</span>}
            </td>
            <td className="mono">{name}</td>
          </tr>
        ))}
        {agent.customCapabilities.map((name) => (
          <tr key={name}>
            <td>✓ Custom capability</td>
            <td className="mono wrap-anywhere">
              <AgentText text={name} />
            </td>
          </tr>
        ))}
      </tbody>
    </DataTable>
  )
}
