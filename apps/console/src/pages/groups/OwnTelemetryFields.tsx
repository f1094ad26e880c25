/** Where the agents' own metrics, logs and traces go. */
import { Select, TextInput } from '@mantine/core'
import { type DestinationDraft, type GroupDraft, type Signal, endpointError, headerNameError, signals } from './group-form.ts'
import { PairsEditor } from './PairsEditor.tsx'

const kinds = [
  { value: 'drover', label: 'To Drover' },
  { value: 'otlp', label: 'To another OTLP/HTTP backend' },
  { value: 'leave', label: 'As the agent is configured' },
]
const names: Readonly<Record<Signal, string>> = { metrics: 'Own metrics', logs: 'Own logs', traces: 'Own traces' }

export function OwnTelemetryFields({
  value,
  onChange,
}: {
  readonly value: GroupDraft['ownTelemetry']
  readonly onChange: (value: GroupDraft['ownTelemetry']) => void
}) {
  return (
    <div className="stack">
      <p className="dimmed">What agents tell about themselves. Gates and charts need their metrics in Drover; agents that cannot send them are left alone.</p>
      {signals.map((signal) => (
        <Destination key={signal} signal={signal} value={value[signal]} onChange={(changed) => onChange({ ...value, [signal]: changed })} />
      ))}
    </div>
  )
}

interface Props {
  readonly signal: Signal
  readonly value: DestinationDraft
  readonly onChange: (value: DestinationDraft) => void
}

function Destination({ signal, value, onChange }: Props) {
  return (
    <div className="destination">
      <Select
        label={names[signal]}
        data={kinds}
        value={value.kind}
        onChange={(kind) => kind !== null && onChange({ ...value, kind: kind as DestinationDraft['kind'] })} // as: one of the kinds
        allowDeselect={false}
        maw={280}
      />
      {value.kind === 'otlp' && (
        <>
          <TextInput
            label={`Endpoint of ${names[signal].toLowerCase()}`}
            placeholder="https://otlp.example.com:4318"
            value={value.endpoint}
            onChange={(event) => onChange({ ...value, endpoint: event.currentTarget.value.trim() })}
            error={value.endpoint === '' ? undefined : endpointError(value.endpoint)}
            required
            spellCheck={false}
          />
          <div>
            <h3>Headers</h3>
            <PairsEditor
              what="header"
              pairs={value.headers}
              onChange={(headers) => onChange({ ...value, headers })}
              nameError={headerNameError}
              placeholders={{ name: 'authorization', value: 'Bearer ${drover:secret.backend_token}' }}
            />
          </div>
        </>
      )}
    </div>
  )
}
