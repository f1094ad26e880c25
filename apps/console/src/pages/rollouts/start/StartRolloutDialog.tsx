/** The last question before a change goes out: whom it reaches in which wave, how, and why. Nothing is sent before it is answered. */
import type { RolloutPlan, RolloutStart } from '@drover/api'
import { Button, Textarea } from '@mantine/core'
import { useMemo, useState } from 'react'
import type { z } from 'zod'
import { ActionButton } from '../../../ui/ActionButton.tsx'
import { Dialog } from '../../../ui/Dialog.tsx'
import { ErrorState } from '../../../ui/ErrorState.tsx'
import { QueryView } from '../../../ui/QueryView.tsx'
import { AgentChangePanel } from './AgentChangePanel.tsx'
import { PreviewView } from './PreviewView.tsx'
import { WayChoice } from './WayChoice.tsx'
import { planErrors } from './plan-form.ts'
import { type RolloutChange, type StartChoice, firstChoice, startLabel, startOf, startRefusal } from './start-choice.ts'
import './start.css'
import { useRolloutPreview } from './use-rollout-preview.ts'

interface Props {
  readonly title: string
  readonly change: RolloutChange
  /** How changes of the group go out when nobody says otherwise. */
  readonly groupPlan: RolloutPlan | null
  readonly busy: boolean
  readonly error: unknown
  readonly onStart: (start: z.input<typeof RolloutStart>) => void
  readonly onClose: () => void
}

/** Rendered only while it is open, so that each opening begins anew. */
export function StartRolloutDialog(props: Props) {
  const { change, groupPlan, busy, error, onStart, onClose } = props
  const [choice, setChoice] = useState<StartChoice>(() => firstChoice(groupPlan))
  const hasMistakes = choice.way === 'own' && choice.plan !== undefined && Object.keys(planErrors(choice.plan)).length > 0
  const { way, plan } = choice
  // The reason changes nothing of the preview, so typing it asks nothing.
  const asked = useMemo(() => (hasMistakes ? undefined : startOf({ way, plan, sure: false, reason: '' }, false)), [hasMistakes, way, plan])
  const { query, busy: previewBusy } = useRolloutPreview(change, asked)
  const refusal = startRefusal(choice, query.isPlaceholderData ? undefined : query.data)
  const draftRefusal = hasMistakes ? refusal : undefined
  return (
    <Dialog opened onClose={onClose} title={props.title} size="min(1120px, 96vw)">
      <div className="start-columns">
        <div className="stack">
          <WayChoice choice={choice} onChange={setChoice} groupPlan={groupPlan} agents={query.data?.changing} />
          <Textarea
            label="Why"
            description="Stands with the rollout, for whoever asks later"
            value={choice.reason}
            onChange={(event) => setChoice({ ...choice, reason: event.currentTarget.value })}
            maxLength={500}
            autosize
            minRows={2}
          />
        </div>
        <section className="stack start-preview" aria-label="What happens" aria-busy={previewBusy}>
          <h3>What happens{previewBusy && <span className="dimmed"> · working it out…</span>}</h3>
          <QueryView query={query}>{(preview) => <PreviewView preview={preview} />}</QueryView>
          <AgentChangePanel change={change} preview={query.data} />
        </section>
      </div>
      <div className="start-foot">
        {error !== null && error !== undefined && <ErrorState error={error} />}
        <div className="start-buttons">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <ActionButton variant="default" disabledReason={draftRefusal} onClick={() => onStart(startOf(choice, true))} loading={busy}>
            Prepare as draft
          </ActionButton>
          <ActionButton color={way === 'everyone' ? 'red.8' : 'indigo'} disabledReason={refusal} onClick={() => onStart(startOf(choice, false))} loading={busy}>
            {startLabel(choice, query.data)}
          </ActionButton>
        </div>
      </div>
    </Dialog>
  )
}
