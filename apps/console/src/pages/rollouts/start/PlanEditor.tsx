/** A plan of one's own, with what is wrong beside each field. */
import type { RolloutPlan } from '@drover/api'
import { Checkbox, Radio } from '@mantine/core'
import { GatesEditor, LimitFields } from './GatesEditor.tsx'
import { ScheduleEditor } from './ScheduleEditor.tsx'
import { WavesEditor } from './WavesEditor.tsx'
import { NumberField, TimeField } from './fields.tsx'
import type { PlanErrors } from './plan-form.ts'
import './start.css'

interface Props {
  readonly plan: RolloutPlan
  readonly onChange: (plan: RolloutPlan) => void
  readonly errors: PlanErrors
}

const onFail = [
  { value: 'rollback', label: 'Roll back', description: 'Everybody who got it is given back what they had' },
  { value: 'pause', label: 'Pause', description: 'Nobody else gets it; a person decides' },
  { value: 'stop', label: 'Stop', description: 'It ends; who has it keeps it' },
] as const

export function PlanEditor({ plan, onChange, errors }: Props) {
  const change = (part: Partial<RolloutPlan>) => onChange({ ...plan, ...part })
  return (
    <div className="plan-editor">
      <WavesEditor waves={plan.waves} onChange={(waves) => change({ waves })} errors={errors} />
      <TimeField label="Watch each wave for" ms={plan.soakMs} onChange={(soakMs) => change({ soakMs })} error={errors['soakMs']} />
      <GatesEditor gates={plan.gates} onChange={(gates) => change({ gates })} errors={errors} />
      <fieldset className="plan-part">
        <legend>Budget: failed, silent and lost agents in the whole rollout</legend>
        <div className="plan-row">
          <LimitFields limit={plan.budget} onChange={(budget) => change({ budget })} errors={errors} path="budget" />
        </div>
      </fieldset>
      <Radio.Group
        label="When a gate fails or the budget is spent"
        value={plan.onFail}
        onChange={(value) => change({ onFail: value as RolloutPlan['onFail'] })}
      >
        {/* as: one of the three */}
        <div className="plan-row">
          {onFail.map(({ value, label, description }) => (
            <Radio key={value} value={value} label={label} description={description} style={{ flex: '1 1 180px' }} />
          ))}
        </div>
      </Radio.Group>
      <ScheduleEditor schedule={plan.schedule} onChange={(schedule) => change({ schedule })} errors={errors} />
      <fieldset className="plan-part">
        <legend>People and pace</legend>
        <Checkbox
          label="Another person has to approve before it begins"
          checked={plan.approval === 'anotherPerson'}
          onChange={(event) => change({ approval: event.currentTarget.checked ? 'anotherPerson' : 'none' })}
        />
        <div className="plan-row">
          <NumberField
            label="At most agents under way"
            value={plan.concurrency}
            onChange={(concurrency) => change({ concurrency })}
            error={errors['concurrency']}
            width={170}
          />
          <NumberField
            label="Tries after a failure"
            value={plan.retries.count}
            onChange={(count) => change({ retries: { ...plan.retries, count } })}
            error={errors['retries.count']}
            width={150}
          />
          <Deadline plan={plan} onChange={change} errors={errors} />
        </div>
      </fieldset>
    </div>
  )
}

const DAY_MS = 86_400_000

function Deadline({
  plan,
  onChange,
  errors,
}: {
  readonly plan: RolloutPlan
  readonly onChange: (part: Partial<RolloutPlan>) => void
  readonly errors: PlanErrors
}) {
  return (
    <>
      <Checkbox
        label="Pause when it takes too long"
        checked={plan.deadlineMs !== null}
        onChange={(event) => onChange({ deadlineMs: event.currentTarget.checked ? DAY_MS : null })}
      />
      {plan.deadlineMs !== null && (
        <TimeField label="Longer than" ms={plan.deadlineMs} onChange={(deadlineMs) => onChange({ deadlineMs })} error={errors['deadlineMs']} />
      )}
    </>
  )
}
