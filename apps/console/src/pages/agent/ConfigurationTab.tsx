/** What an agent should run, why, what it runs, and where the two differ. */
import type { AgentDetail, DesiredConfig } from '@drover/api'
import { SegmentedControl, Switch } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { desiredConfigQuery, effectiveConfigQuery } from '../../api/queries.ts'
import { AgentText } from '../../ui/AgentText.tsx'
import { ConfigStateBadge } from '../../ui/AgentBadges.tsx'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { Facts } from '../../ui/Facts.tsx'
import { Notice } from '../../ui/Notice.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { RelativeTime } from '../../ui/RelativeTime.tsx'
import { ShortHash } from '../../ui/ShortHash.tsx'
import { comparableYaml, effectiveAsDesired, joinFiles } from '../../ui/editor/comparable-yaml.ts'
import { Diff, ReadOnlyYaml } from '../../ui/editor/lazy.tsx'
import { DriftTable } from './DriftTable.tsx'
import { WhyPanel } from './WhyPanel.tsx'

export function ConfigurationTab({ agent }: { readonly agent: AgentDetail }) {
  const desired = useQuery(desiredConfigQuery(agent.id))
  return (
    <QueryView query={desired}>
      {(data) => (
        <div className="stack">
          <Standing agent={agent} desired={data} />
          <div className="columns">
            <div className="span-7 stack">
              <WhyPanel desired={data} />
            </div>
            <div className="span-5 stack">
              <DriftTable drift={data.drift} desired={data.hash !== null} />
            </div>
          </div>
          <Texts agent={agent} desired={data} />
        </div>
      )}
    </QueryView>
  )
}

function Standing({ agent, desired }: { readonly agent: AgentDetail; readonly desired: DesiredConfig }) {
  const status = agent.remoteConfigStatus
  const failure = desired.heldBack?.errorMessage || agent.configError || (status?.status === 'failed' ? status.errorMessage : '')
  return (
    <>
      {failure !== '' && (
        <Notice
          tone={desired.heldBack === null ? 'bad' : 'warn'}
          title={
            desired.heldBack === null
              ? 'The agent could not run its configuration'
              : 'Held back: the agent failed this configuration and runs its last good one. It is not offered again unless you retry it.'
          }
        >
          {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable, so that the arrow keys can scroll it */}
          <section className="agent-message" tabIndex={0} aria-label="What the agent said">
            <AgentText text={failure} />
          </section>
        </Notice>
      )}
      <Panel title="Where it stands" actions={<ConfigStateBadge state={desired.state} />}>
        <p style={{ marginBottom: 8 }}>
          <AgentText text={desired.reason} />
        </p>
        <Facts
          items={[
            ['Desired', <ShortHash key="desired" hash={desired.hash} none="no configuration" />],
            [
              'Agent reports',
              status === null ? (
                <span className="dimmed">nothing</span>
              ) : (
                <span key="status">
                  {status.status} for <ShortHash hash={status.hash} />
                </span>
              ),
            ],
            ['Last good', <ShortHash key="good" hash={agent.lastGoodConfigHash} />],
          ]}
        />
      </Panel>
    </>
  )
}

type Shown = 'diff' | 'effective' | 'desired'

function Texts({ agent, desired }: { readonly agent: AgentDetail; readonly desired: DesiredConfig }) {
  const effective = useQuery(effectiveConfigQuery(agent.id))
  const [shown, setShown] = useState<Shown>(desired.hash === null ? 'effective' : 'diff')
  const [additions, setAdditions] = useState(false)
  return (
    <Panel
      title="Desired and effective"
      actions={
        <>
          {shown === 'diff' && (
            <Switch size="xs" label="Show what the agent adds" checked={additions} onChange={(event) => setAdditions(event.currentTarget.checked)} />
          )}
          <SegmentedControl
            aria-label="What to show"
            value={shown}
            onChange={(value) => setShown(value as Shown)}
            data={[
              { value: 'diff', label: 'Difference' },
              { value: 'effective', label: 'Effective' },
              { value: 'desired', label: 'Desired' },
            ]}
          />
        </>
      }
    >
      <QueryView query={effective}>
        {({ files, reportedAt }) => {
          const text = joinFiles(files)
          if (shown === 'desired') return desired.hash === null ? <NoDesired /> : <ReadOnlyYaml label="Desired configuration" text={desired.merged} />
          if (files.length === 0)
            return (
              <EmptyState title="The agent has not reported what it runs">
                {agent.capabilities.includes('ReportsEffectiveConfig')
                  ? 'It is expected with one of its next reports.'
                  : 'It lacks the capability ReportsEffectiveConfig.'}
              </EmptyState>
            )
          return (
            <div className="stack">
              {shown === 'diff' && desired.hash === null && <NoDesired />}
              {shown === 'diff' && desired.hash !== null && <Comparison desired={desired} effective={text} additions={additions} />}
              {shown === 'effective' && <ReadOnlyYaml label="Effective configuration" text={text} />}
              <p className="dimmed">
                Effective as reported <RelativeTime at={reportedAt} />; secrets are redacted. What the supervisor adds by itself shows here but is no drift.
              </p>
            </div>
          )
        }}
      </QueryView>
    </Panel>
  )
}

function NoDesired() {
  return <EmptyState title="No group gives this agent a configuration">It runs what it was started with. Add it to a group to manage it from here.</EmptyState>
}

function Comparison({ desired, effective, additions }: { readonly desired: DesiredConfig; readonly effective: string; readonly additions: boolean }) {
  const sides = useMemo(
    () => ({
      before: { label: 'Desired', text: comparableYaml(desired.merged) },
      after: { label: 'Effective', text: effectiveAsDesired(desired.merged, effective, desired.drift, additions) },
    }),
    [desired, effective, additions],
  )
  return <Diff before={sides.before} after={sides.after} />
}
