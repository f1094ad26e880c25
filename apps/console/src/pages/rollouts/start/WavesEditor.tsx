/** The waves of a plan of one's own. */
import { ActionIcon, Button, Select, TextInput } from '@mantine/core'
import { IconArrowUp, IconPlus, IconX } from '@tabler/icons-react'
import { SelectorInput } from '../../../ui/SelectorInput.tsx'
import { NumberField } from './fields.tsx'
import { type PlanErrors, type Wave, addWave, moveUp, removeAt, replaceAt, waveNames, waveOf } from './plan-form.ts'

interface Props {
  readonly waves: readonly Wave[]
  readonly onChange: (waves: Wave[]) => void
  readonly errors: PlanErrors
}

const kinds = Object.entries(waveNames).map(([value, label]) => ({ value, label }))

export function WavesEditor({ waves, onChange, errors }: Props) {
  return (
    <fieldset className="plan-part">
      <legend>Waves, in order</legend>
      <ol className="plan-rows">
        {waves.map((wave, index) => (
          <li key={index} className="plan-row">
            <Select
              label={`Wave ${index + 1}`}
              data={kinds}
              value={wave.kind}
              onChange={(kind) => kind !== null && onChange(replaceAt(waves, index, waveOf(kind as Wave['kind'], waves.slice(0, index))))} // as: one of the kinds
              allowDeselect={false}
              error={errors[`waves.${index}`]}
              w={220}
            />
            <WaveFields wave={wave} onChange={(next) => onChange(replaceAt(waves, index, next))} errors={errors} path={`waves.${index}`} />
            <span className="plan-row-actions">
              <ActionIcon aria-label={`Move wave ${index + 1} up`} disabled={index === 0} onClick={() => onChange(moveUp(waves, index))}>
                <IconArrowUp size={14} aria-hidden />
              </ActionIcon>
              <ActionIcon aria-label={`Remove wave ${index + 1}`} disabled={waves.length === 1} onClick={() => onChange(removeAt(waves, index))}>
                <IconX size={14} aria-hidden />
              </ActionIcon>
            </span>
          </li>
        ))}
      </ol>
      {errors['waves'] !== undefined && <p className="plan-error">{errors['waves']}</p>}
      <div>
        <Button variant="default" leftSection={<IconPlus size={14} aria-hidden />} onClick={() => onChange(addWave(waves))}>
          Add a wave
        </Button>
      </div>
      <p className="dimmed">Who is in none of them makes a last wave.</p>
    </fieldset>
  )
}

interface FieldsProps {
  readonly wave: Wave
  readonly onChange: (wave: Wave) => void
  readonly errors: PlanErrors
  readonly path: string
}

function WaveFields({ wave, onChange, errors, path }: FieldsProps) {
  switch (wave.kind) {
    case 'count':
      return <NumberField label="Agents" value={wave.count} onChange={(count) => onChange({ ...wave, count })} error={errors[`${path}.count`]} />
    case 'percent':
      return (
        <NumberField
          label="Percent"
          suffix="%"
          fraction
          value={wave.percent}
          onChange={(percent) => onChange({ ...wave, percent })}
          error={errors[`${path}.percent`]}
        />
      )
    case 'ring':
      return (
        <>
          <TextInput
            label="Name"
            value={wave.name}
            onChange={(event) => onChange({ ...wave, name: event.currentTarget.value })}
            error={errors[`${path}.name`]}
            maxLength={63}
            w={130}
          />
          <div style={{ flex: '1 1 200px' }}>
            <SelectorInput
              label="Selector"
              placeholder="label.ring = canary"
              value={wave.selector}
              onType={(selector) => onChange({ ...wave, selector })}
              error={errors[`${path}.selector`]}
            />
          </div>
        </>
      )
    case 'growing':
      return (
        <>
          <NumberField label="First" value={wave.first} onChange={(first) => onChange({ ...wave, first })} error={errors[`${path}.first`]} width={90} />
          <NumberField
            label="Times each"
            fraction
            value={wave.factor}
            onChange={(factor) => onChange({ ...wave, factor })}
            error={errors[`${path}.factor`]}
            width={90}
          />
          <NumberField label="At most" value={wave.max} onChange={(max) => onChange({ ...wave, max })} error={errors[`${path}.max`]} width={90} />
        </>
      )
    default:
      return wave satisfies never
  }
}
