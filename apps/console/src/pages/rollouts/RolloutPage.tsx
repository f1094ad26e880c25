/** One rollout: what it does and why, its waves, gates and agents, what was decided, and what one can do. Live. */
import { MemberState, OwnMetric, type Rollout } from '@drover/api'
import { VisuallyHidden } from '@mantine/core'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { isNotFound } from '../../api/client.ts'
import type { MemberFilter } from '../../api/rollout-queries.ts'
import type { StreamState } from '../../api/rollout-stream.ts'
import { AgentText } from '../../ui/AgentText.tsx'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { LoadingPage } from '../../ui/Loading.tsx'
import { PageHeader } from '../../ui/PageHeader.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { RolloutStateBadge } from '../../ui/RolloutStateBadge.tsx'
import { clockTime } from '../../ui/time.ts'
import { DecisionLog, useDecisions } from './DecisionLog.tsx'
import { DraftPreview } from './DraftPreview.tsx'
import { Gates } from './Gates.tsx'
import { Members } from './Members.tsx'
import { MetricPanel } from './MetricPanel.tsx'
import { PlanPanel } from './PlanPanel.tsx'
import { RolloutActions } from './RolloutActions.tsx'
import { RolloutCallout } from './RolloutCallout.tsx'
import { RolloutStory } from './RolloutStory.tsx'
import { Waves } from './Waves.tsx'
import { WhatChanges } from './WhatChanges.tsx'
import { announcement, changeOf, titleOf } from './rollout-view.ts'
import './rollouts.css'
import { useRollout } from './use-rollout.ts'

export function RolloutPage() {
  const { rolloutId } = useParams({ from: '/shell/rollouts/$rolloutId' })
  const { query, stream } = useRollout(rolloutId)
  if (isNotFound(query.error))
    return (
      <>
        <PageHeader title="Rollout" parent={<Link to="/rollouts">Rollouts</Link>} />
        <div className="panel">
          <EmptyState title="There is no such rollout" action={<Link to="/rollouts">All rollouts</Link>}>
            It may have been a draft that was deleted.
          </EmptyState>
        </div>
      </>
    )
  return (
    <QueryView query={query} loading={<LoadingPage />}>
      {(rollout) => <Shown rollout={rollout} stream={stream} />}
    </QueryView>
  )
}

function Shown({ rollout, stream }: { readonly rollout: Rollout; readonly stream: StreamState }) {
  const decisions = useDecisions(rollout.id)
  return (
    <>
      <PageHeader
        title={titleOf(rollout)}
        display={
          <span className="row">
            <Link to="/groups/$name" params={{ name: rollout.group }}>
              {rollout.group}
            </Link>
            <span>{changeOf(rollout)}</span>
            <RolloutStateBadge state={rollout.state} />
          </span>
        }
        parent={<Link to="/rollouts">Rollouts</Link>}
        below={
          <>
            <p className="rollout-summary">
              <AgentText text={rollout.summary} />
            </p>
            <RolloutStory rollout={rollout} />
            <StaleMark stream={stream} />
          </>
        }
        actions={<RolloutActions rollout={rollout} />}
      />
      {/* The numbers change all the time; a reader is told of states and waves only. */}
      <VisuallyHidden component="output">{announcement(rollout)}</VisuallyHidden>
      <div className="stack">
        <RolloutCallout rollout={rollout} decisions={decisions} />
        {rollout.state === 'draft' && rollout.waves.length === 0 ? <DraftPreview rollout={rollout} /> : <Underway rollout={rollout} />}
      </div>
    </>
  )
}

function StaleMark({ stream }: { readonly stream: StreamState }) {
  return (
    <div aria-live="polite">
      {stream.kind === 'lost' && <span className="stale-mark">Not live: this is as it was at {clockTime(stream.since)}. Connecting again…</span>}
    </div>
  )
}

function Underway({ rollout }: { readonly rollout: Rollout }) {
  const search = useSearch({ from: '/shell/rollouts/$rolloutId' })
  const navigate = useNavigate()
  const wave = waveOf(search.wave, rollout.waves.length)
  const state = MemberState.safeParse(search.state).data
  const metric = OwnMetric.safeParse(search.metric).data
  const show = (changed: { wave?: string | undefined; state?: string | undefined; metric?: string | undefined }) =>
    void navigate({ to: '/rollouts/$rolloutId', params: { rolloutId: rollout.id }, search: { ...search, ...changed }, replace: true, resetScroll: false })
  const showMembers = (filter: MemberFilter) => show({ wave: filter.wave === undefined ? undefined : String(filter.wave + 1), state: filter.state })
  return (
    <>
      <Waves rollout={rollout} chosen={wave} onChoose={(chosen) => showMembers({ wave: chosen })} />
      <div className="columns">
        <div className="span-7 stack">
          <Gates rollout={rollout} />
          <MetricPanel rollout={rollout} metric={metric} onMetric={(chosen) => show({ metric: chosen })} />
          <Members rollout={rollout} filter={{ wave, state }} onFilter={showMembers} />
        </div>
        <div className="span-5 stack">
          <DecisionLog rolloutId={rollout.id} />
          <WhatChanges group={rollout.group} from={rollout.from} to={rollout.to} />
          <PlanPanel plan={rollout.plan} preset={rollout.preset} deadlineAt={rollout.deadlineAt} />
        </div>
      </div>
    </>
  )
}

/** A wave as it stands in an address, counted from 1 there. */
function waveOf(text: string | undefined, count: number): number | undefined {
  const number = Number(text)
  return Number.isInteger(number) && number >= 1 && number <= count ? number - 1 : undefined
}
