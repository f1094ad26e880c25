/** Fields of a plan: numbers that may be empty while one writes, and times with their unit. */
import { Group, NumberInput, Select } from '@mantine/core'
import { useState } from 'react'
import { type TimeUnit, splitTime, unitMs } from './plan-form.ts'

interface NumberFieldProps {
  readonly label: string
  readonly value: number
  readonly onChange: (value: number) => void
  readonly error?: string | undefined
  readonly suffix?: string
  readonly fraction?: boolean
  readonly width?: number
}

/** Empty is not a number, which the check of the plan then says. */
export function NumberField({ label, value, onChange, error, suffix, fraction = false, width = 130 }: NumberFieldProps) {
  return (
    <NumberInput
      label={label}
      value={Number.isFinite(value) ? value : ''}
      onChange={(next) => onChange(typeof next === 'number' ? next : Number.NaN)}
      error={error}
      allowDecimal={fraction}
      allowNegative={false}
      hideControls
      w={width}
      {...(suffix === undefined ? {} : { suffix: ` ${suffix}` })}
    />
  )
}

interface TimeFieldProps {
  readonly label: string
  readonly ms: number
  readonly onChange: (ms: number) => void
  readonly error?: string | undefined
}

const units = [
  { value: 's', label: 'seconds' },
  { value: 'min', label: 'minutes' },
  { value: 'h', label: 'hours' },
  { value: 'd', label: 'days' },
]

export function TimeField({ label, ms, onChange, error }: TimeFieldProps) {
  // The unit is what the person chose: 60 seconds stay 60 seconds while they are written.
  const [unit, setUnit] = useState<TimeUnit>(() => splitTime(ms).unit)
  const amount = ms / unitMs[unit]
  return (
    <Group gap={4} align="flex-end" wrap="nowrap">
      <NumberField label={label} value={amount} onChange={(next) => onChange(Math.round(next * unitMs[unit]))} error={error} fraction width={130} />
      <Select
        aria-label={`Unit of ${label.toLowerCase()}`}
        data={units}
        value={unit}
        onChange={(next) => {
          if (next === null) return
          const chosen = next as TimeUnit // as: one of the options
          setUnit(chosen)
          onChange(Math.round(amount * unitMs[chosen]))
        }}
        allowDeselect={false}
        w={96}
      />
    </Group>
  )
}
