/** One group: its selector, what it gives, how far its members are, its rollouts and revisions. */
import type { Group } from '@drover/api'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { isNotFound } from '../../api/client.ts'
import { groupQuery } from '../../api/queries.ts'
import { AgentText } from '../../ui/AgentText.tsx'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { Facts } from '../../ui/Facts.tsx'
import { LoadingPage } from '../../ui/Loading.tsx'
import { PageHeader } from '../../ui/PageHeader.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { RelativeTime } from '../../ui/RelativeTime.tsx'
import { RolloutStateBadge } from '../../ui/RolloutStateBadge.tsx'
import { CountTiles } from '../overview/CountTiles.tsx'
import '../overview/overview.css'
import { GroupActions } from './GroupActions.tsx'
import { GroupPreviewPanel } from './GroupPreviewPanel.tsx'
import { GroupRollouts } from './GroupRollouts.tsx'
import { Revisions } from './Revisions.tsx'
import { draftOf, signals } from './group-form.ts'
import './groups.css'
import { destinationText } from './revision-changes.ts'
import { isUnderWay, roleOf } from './revision-roles.ts'
import { useGroupPreview } from './use-group-preview.ts'

export function GroupPage() {
  const { name } = useParams({ from: '/shell/groups/$name' })
  const query = useQuery(groupQuery(name))
  if (isNotFound(query.error))
    return (
      <>
        <PageHeader title={name} parent={<Link to="/groups">Groups</Link>} />
        <div className="panel">
          <EmptyState title="There is no such group" action={<Link to="/groups">All groups</Link>}>
            It may have been deleted.
          </EmptyState>
        </div>
      </>
    )
  return (
    <QueryView query={query} loading={<LoadingPage />}>
      {({ data: group, etag }) => (
        <>
          <PageHeader
            title={group.name}
            parent={<Link to="/groups">Groups</Link>}
            below={
              group.description === '' ? undefined : (
                <span className="dimmed">
                  <AgentText text={group.description} />
                </span>
              )
            }
            actions={<GroupActions group={group} etag={etag} />}
          />
          <div className="stack">
            <CountTiles counts={group.counts} filter={`drover.group = ${group.name}`} />
            <GroupRollouts group={group.name} />
            <div className="columns">
              <div className="span-6 stack">
                <Rule group={group} />
                <Revisions group={group} />
              </div>
              <div className="span-6 stack">
                <Mixing group={group} />
              </div>
            </div>
          </div>
        </>
      )}
    </QueryView>
  )
}

function Rule({ group }: { readonly group: Group }) {
  return (
    <Panel title="Rule">
      <Facts
        items={[
          [
            'Selector',
            <code key="selector" className="wrap-anywhere">
              {group.selector}
            </code>,
          ],
          ['Priority', String(group.priority)],
          [
            'Configs',
            group.revision.configs.length === 0 ? (
              <span className="dimmed">none: members get nothing from this group</span>
            ) : (
              group.revision.configs.map(({ config, version }) => (
                <div key={config}>
                  <Link to="/configs/$name" params={{ name: config }} search={{ version: String(version) }}>
                    {config}@{version}
                  </Link>
                </div>
              ))
            ),
          ],
          ...Object.entries(group.revision.variables).map(([name, value]) => [`Variable ${name}`, <AgentText key={name} text={value} />] as const),
          ...Object.entries(group.revision.secrets).map(([name, version]) => [`Secret ${name}`, `version ${version}`] as const),
          ...signals.map((signal) => [`Own ${signal}`, destinationText(group.revision.ownTelemetry?.[signal] ?? null)] as const),
          ['Changes go out by', group.plan === null ? 'the standard plan' : 'a plan of the group'],
          ['Current revision', <CurrentRevision key="current" group={group} />],
          ['Changed', <RelativeTime key="changed" at={group.updatedAt} />],
        ]}
      />
    </Panel>
  )
}

/** What all agents have, and what is on its way to them. */
function CurrentRevision({ group: { current, rollout } }: { readonly group: Group }) {
  const isComing = rollout !== null && isUnderWay(rollout.state)
  return (
    <>
      {current === null ? 'none yet' : current}
      {isComing && (
        <>
          ;{' '}
          <Link to="/rollouts/$rolloutId" params={{ rolloutId: rollout.id }}>
            {rollout.to} {roleOf(rollout.to, { current, rollout })}
          </Link>{' '}
          <RolloutStateBadge state={rollout.state} />
        </>
      )}
    </>
  )
}

/** The preview of the group as it is shows how it mixes with others; nothing would change. */
function Mixing({ group }: { readonly group: Group }) {
  const preview = useGroupPreview(draftOf(group), group.name)
  return <GroupPreviewPanel preview={preview} hasSelector title="Members and who wins where" asIs />
}
