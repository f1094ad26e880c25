/** The gates of a plan of one's own: what must hold of a wave before the next one opens. */
import { OwnMetric, type RolloutPlan } from '@drover/api'
import { ActionIcon, Checkbox, Select, TextInput } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import { metricNames } from '../../../ui/rollout-states.ts'
import { NumberField } from './fields.tsx'
import { type Gate, type PlanErrors, gateNames, gateOf, removeAt, replaceAt } from './plan-form.ts'

interface Props {
  readonly gates: readonly Gate[]
  readonly onChange: (gates: Gate[]) => void
  readonly errors: PlanErrors
}

const kinds = Object.entries(gateNames).map(([value, label]) => ({ value, label }))

export function GatesEditor({ gates, onChange, errors }: Props) {
  return (
    <fieldset className="plan-part">
      <legend>Gates: what must hold before the next wave opens</legend>
      <ul className="plan-rows">
        {gates.map((gate, index) => (
          <li key={index} className="plan-row">
            <strong className="plan-row-title">{gateNames[gate.kind]}</strong>
            <GateFields gate={gate} onChange={(next) => onChange(replaceAt(gates, index, next))} errors={errors} path={`gates.${index}`} />
            <span className="plan-row-actions">
              <ActionIcon aria-label={`Remove the gate: ${gateNames[gate.kind]}`} onClick={() => onChange(removeAt(gates, index))}>
                <IconX size={14} aria-hidden />
              </ActionIcon>
            </span>
          </li>
        ))}
      </ul>
      {gates.length === 0 && <p className="dimmed">Nothing is asked: a wave passes when its agents have answered and the budget holds.</p>}
      <Select
        key={gates.length}
        aria-label="Add a gate"
        placeholder="Add a gate"
        data={kinds}
        value={null}
        onChange={(kind) => kind !== null && onChange([...gates, gateOf(kind as Gate['kind'])])} // as: one of the kinds
        w={240}
      />
    </fieldset>
  )
}

interface FieldsProps {
  readonly gate: Gate
  readonly onChange: (gate: Gate) => void
  readonly errors: PlanErrors
  readonly path: string
}

function GateFields({ gate, onChange, errors, path }: FieldsProps) {
  switch (gate.kind) {
    case 'applyFailures':
    case 'lostAfterPush':
    case 'health':
    case 'drift':
      return <LimitFields limit={gate.limit} onChange={(limit) => onChange({ ...gate, limit })} errors={errors} path={`${path}.limit`} />
    case 'ownTelemetry':
      return <MetricFields gate={gate} onChange={onChange} errors={errors} path={path} />
    case 'promql':
      return <PromqlFields gate={gate} onChange={onChange} errors={errors} path={path} />
    case 'webhook':
      return (
        <TextInput
          label="Address"
          description="It is sent a POST and answers pass, fail or inconclusive"
          placeholder="https://checks.example.com/drover"
          value={gate.url}
          onChange={(event) => onChange({ ...gate, url: event.currentTarget.value })}
          error={errors[`${path}.url`]}
          style={{ flex: '1 1 260px' }}
        />
      )
    case 'approval':
      return (
        <>
          <Select
            label="Before"
            data={[
              { value: 'firstWave', label: 'the second wave' },
              { value: 'everyWave', label: 'every further wave' },
            ]}
            value={gate.after}
            onChange={(after) => after !== null && onChange({ ...gate, after: after as typeof gate.after })} // as: one of the options
            allowDeselect={false}
            w={170}
          />
          <Checkbox
            label="by somebody other than who started it"
            checked={gate.byAnother}
            onChange={(event) => onChange({ ...gate, byAnother: event.currentTarget.checked })}
          />
        </>
      )
    default:
      return gate satisfies never
  }
}

type OfKind<Kind extends Gate['kind']> = Omit<FieldsProps, 'gate'> & { readonly gate: Extract<Gate, { kind: Kind }> }

function MetricFields({ gate, onChange, errors, path }: OfKind<'ownTelemetry'>) {
  return (
    <>
      <Select
        label="Metric"
        data={OwnMetric.options.map((value) => ({ value, label: metricNames[value] }))}
        value={gate.metric}
        onChange={(metric) => metric !== null && onChange({ ...gate, metric: metric as typeof gate.metric })} // as: one of the options
        allowDeselect={false}
        w={140}
      />
      <NumberField
        label="At most times"
        fraction
        value={gate.maxRatio}
        onChange={(maxRatio) => onChange({ ...gate, maxRatio })}
        error={errors[`${path}.maxRatio`]}
        width={100}
      />
      <Select
        label="As bad as"
        data={[
          { value: 'control', label: 'agents without it' },
          { value: 'past', label: 'their own past' },
        ]}
        value={gate.against}
        onChange={(against) => against !== null && onChange({ ...gate, against: against as typeof gate.against })} // as: one of the options
        allowDeselect={false}
        w={150}
      />
      <NumberField
        label="From agents"
        value={gate.minSample}
        onChange={(minSample) => onChange({ ...gate, minSample })}
        error={errors[`${path}.minSample`]}
        width={90}
      />
    </>
  )
}

function PromqlFields({ gate, onChange, errors, path }: OfKind<'promql'>) {
  return (
    <>
      <TextInput
        label="Prometheus server"
        placeholder="https://prometheus.example.com"
        value={gate.url}
        onChange={(event) => onChange({ ...gate, url: event.currentTarget.value })}
        error={errors[`${path}.url`]}
        style={{ flex: '1 1 200px' }}
      />
      <TextInput
        label="Query with one number as its answer"
        value={gate.query}
        onChange={(event) => onChange({ ...gate, query: event.currentTarget.value })}
        error={errors[`${path}.query`]}
        style={{ flex: '1 1 240px' }}
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
      />
      <Select
        label="Must be"
        data={['<', '<=', '>', '>=']}
        value={gate.operator}
        onChange={(operator) => operator !== null && onChange({ ...gate, operator: operator as typeof gate.operator })} // as: one of the options
        allowDeselect={false}
        w={80}
      />
      <NumberField
        label="Than"
        fraction
        value={gate.threshold}
        onChange={(threshold) => onChange({ ...gate, threshold })}
        error={errors[`${path}.threshold`]}
        width={90}
      />
    </>
  )
}

interface LimitProps {
  readonly limit: RolloutPlan['budget']
  readonly onChange: (limit: RolloutPlan['budget']) => void
  readonly errors: PlanErrors
  readonly path: string
}

/** Exceeded when there are more than both. */
export function LimitFields({ limit, onChange, errors, path }: LimitProps) {
  return (
    <>
      <NumberField
        label="At most agents"
        value={limit.maxCount}
        onChange={(maxCount) => onChange({ ...limit, maxCount })}
        error={errors[`${path}.maxCount`]}
        width={110}
      />
      <NumberField
        label="and percent"
        suffix="%"
        fraction
        value={limit.maxPercent}
        onChange={(maxPercent) => onChange({ ...limit, maxPercent })}
        error={errors[`${path}.maxPercent`]}
        width={100}
      />
      <NumberField
        label="From answers"
        value={limit.minSample}
        onChange={(minSample) => onChange({ ...limit, minSample })}
        error={errors[`${path}.minSample`]}
        width={100}
      />
    </>
  )
}
