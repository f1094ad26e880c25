/** Chooses events by area, or one by one. */
import { Button, Checkbox } from '@mantine/core'
import { useId, useState } from 'react'
import { type EventArea, areaState, eventAreas, isChosen, toggleArea, toggleKind } from './webhook-events.ts'
import './webhooks.css'

interface Props {
  readonly events: readonly string[]
  readonly onChange: (events: readonly string[]) => void
  readonly error?: string | undefined
}

export function EventChooser({ events, onChange, error }: Props) {
  return (
    <fieldset className="event-chooser">
      <legend>Events</legend>
      {error !== undefined && <p className="event-chooser-error">{error}</p>}
      {eventAreas.map((area) => (
        <Area key={area.area} area={area} events={events} onChange={onChange} />
      ))}
    </fieldset>
  )
}

function Area({ area, events, onChange }: Omit<Props, 'error'> & { readonly area: EventArea }) {
  const state = areaState(events, area)
  const [opened, setOpened] = useState(state === 'some')
  const id = useId()
  const kinds = `${area.kinds.length} ${area.kinds.length === 1 ? 'kind' : 'kinds'}`
  return (
    <>
      <div className="event-area">
        <Checkbox size="xs" label={area.title} checked={state === 'all'} indeterminate={state === 'some'} onChange={() => onChange(toggleArea(events, area))} />
        <Button
          variant="subtle"
          color="gray"
          size="compact-xs"
          aria-expanded={opened}
          aria-controls={id}
          aria-label={`${kinds}: ${area.title}`}
          onClick={() => setOpened(!opened)}
        >
          {kinds}
        </Button>
      </div>
      <div id={id}>
        {opened && (
          <div className="event-chooser-kinds">
            {area.kinds.map((kind) => (
              <Checkbox key={kind} size="xs" label={kind} checked={isChosen(events, kind)} onChange={() => onChange(toggleKind(events, kind, area))} />
            ))}
          </div>
        )}
      </div>
    </>
  )
}
