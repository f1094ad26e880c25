/** How a change goes out: presets as cards, a plan of one's own, and all at once, named as what it is. */
import type { RolloutPlan } from '@drover/api'
import { Checkbox, Radio } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { presetsQuery } from '../../../api/rollout-queries.ts'
import { Notice } from '../../../ui/Notice.tsx'
import { QueryView } from '../../../ui/QueryView.tsx'
import { PlanEditor } from './PlanEditor.tsx'
import { planErrors } from './plan-form.ts'
import type { StartChoice, Way } from './start-choice.ts'
import './start.css'

interface Props {
  readonly choice: StartChoice
  readonly onChange: (choice: StartChoice) => void
  readonly groupPlan: RolloutPlan | null
  /** How many get it, once that is known. */
  readonly agents: number | undefined
}

export function WayChoice({ choice, onChange, groupPlan, agents }: Props) {
  const presets = useQuery(presetsQuery)
  return (
    <QueryView query={presets}>
      {(items) => {
        const planOf = (way: Way) => (way === 'group' ? groupPlan : items.find(({ name }) => name === way)?.plan)
        const standard = items.find(({ name }) => name === 'standard')?.plan
        const choose = (way: Way) => {
          // A plan of one's own begins as a copy of what was chosen before.
          const plan = way === 'own' ? (choice.plan ?? planOf(choice.way) ?? standard) : choice.plan
          onChange({ ...choice, way, plan, sure: false })
        }
        const everyone = items.find(({ name }) => name === 'everyone')
        return (
          <div className="stack">
            <Radio.Group label="How it goes out" value={choice.way} onChange={(way) => choose(way as Way)}>
              {/* as: one of the cards */}
              <div className="ways">
                {groupPlan !== null && <WayCard way="group" title="Plan of the group" text="As the group says its changes go out" />}
                {items.map(({ name, title, description, staged }) => staged && <WayCard key={name} way={name} title={title} text={description} />)}
                <WayCard way="own" title="Own plan" text="Write waves, gates, budget, windows and approval for this change" />
                {everyone !== undefined && <WayCard way="everyone" title={everyone.title} text={everyone.description} danger />}
              </div>
            </Radio.Group>
            {choice.way === 'everyone' && <AtOnce choice={choice} onChange={onChange} agents={agents} />}
            {choice.way === 'own' && choice.plan !== undefined && (
              <PlanEditor plan={choice.plan} onChange={(plan) => onChange({ ...choice, plan })} errors={planErrors(choice.plan)} />
            )}
          </div>
        )
      }}
    </QueryView>
  )
}

function WayCard({ way, title, text, danger = false }: { readonly way: Way; readonly title: string; readonly text: string; readonly danger?: boolean }) {
  return (
    <Radio.Card value={way} className="way" data-danger={danger || undefined} aria-label={`${title}: ${text}`}>
      <span className="way-head">
        <Radio.Indicator size="xs" {...(danger ? { color: 'red.8' } : {})} />
        <strong>{title}</strong>
      </span>
      <span className="dimmed">{text}</span>
    </Radio.Card>
  )
}

function AtOnce({ choice, onChange, agents }: Pick<Props, 'choice' | 'onChange' | 'agents'>) {
  const whom = agents === undefined ? 'All agents' : agents === 1 ? 'The agent' : `All ${agents.toLocaleString('en')} agents`
  return (
    <Notice tone="bad" title="This is no staged rollout">
      <p>{whom} get the change at the same moment. Nothing is learned from a few before everybody has it, and a mistake reaches everybody.</p>
      <Checkbox
        label="I want all of them to get it at once"
        checked={choice.sure}
        onChange={(event) => onChange({ ...choice, sure: event.currentTarget.checked })}
      />
    </Notice>
  )
}
