/** A rollout that was prepared and not started: what would happen, as things are now. */
import type { Rollout } from '@drover/api'
import { useMemo } from 'react'
import { Panel } from '../../ui/Panel.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { PlanPanel } from './PlanPanel.tsx'
import { WhatChanges } from './WhatChanges.tsx'
import { AgentChangePanel } from './start/AgentChangePanel.tsx'
import { PreviewView } from './start/PreviewView.tsx'
import './start/start.css'
import { useRolloutPreview } from './start/use-rollout-preview.ts'

export function DraftPreview({ rollout }: { readonly rollout: Rollout }) {
  const { group, to, plan } = rollout
  const change = useMemo(() => ({ group, revision: to }), [group, to])
  const start = useMemo(() => ({ plan }), [plan])
  const { query, busy } = useRolloutPreview(change, start)
  return (
    <div className="columns">
      <div className="span-7 stack">
        <Panel title="What happens when it is started" actions={busy ? <span className="dimmed">working it out…</span> : undefined}>
          <div className="stack">
            <QueryView query={query}>{(preview) => <PreviewView preview={preview} />}</QueryView>
            <AgentChangePanel change={change} preview={query.data} />
          </div>
        </Panel>
      </div>
      <div className="span-5 stack">
        <WhatChanges group={group} from={rollout.from} to={to} />
        <PlanPanel plan={plan} preset={rollout.preset} deadlineAt={rollout.deadlineAt} />
      </div>
    </div>
  )
}
