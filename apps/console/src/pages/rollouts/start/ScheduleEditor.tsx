/** When a rollout may send: not before a moment, and only in maintenance windows. */
import type { RolloutPlan } from '@drover/api'
import { ActionIcon, Button, Chip, Select, TextInput } from '@mantine/core'
import { IconPlus, IconX } from '@tabler/icons-react'
import { type PlanErrors, type Window, removeAt, replaceAt } from './plan-form.ts'

type Schedule = RolloutPlan['schedule']

interface Props {
  readonly schedule: Schedule
  readonly onChange: (schedule: Schedule) => void
  readonly errors: PlanErrors
}

const days = [
  ['mon', 'Mon', 'Monday'],
  ['tue', 'Tue', 'Tuesday'],
  ['wed', 'Wed', 'Wednesday'],
  ['thu', 'Thu', 'Thursday'],
  ['fri', 'Fri', 'Friday'],
  ['sat', 'Sat', 'Saturday'],
  ['sun', 'Sun', 'Sunday'],
] as const
const timeZones = Intl.supportedValuesOf('timeZone')
const ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone

export function ScheduleEditor({ schedule, onChange, errors }: Props) {
  const { windows } = schedule
  const changeWindows = (next: Window[]) => onChange({ ...schedule, windows: next })
  return (
    <fieldset className="plan-part">
      <legend>When</legend>
      <TextInput
        type="datetime-local"
        label={`Not before (${ownZone})`}
        description="Empty: as soon as it is started"
        value={schedule.notBefore === null ? '' : localMinute(schedule.notBefore)}
        onChange={(event) => onChange({ ...schedule, notBefore: event.currentTarget.value === '' ? null : Date.parse(event.currentTarget.value) })}
        error={errors['schedule.notBefore']}
        w={230}
      />
      <ul className="plan-rows">
        {windows.map((window, index) => (
          <li key={index} className="plan-row">
            <WindowFields
              window={window}
              number={index + 1}
              onChange={(next) => changeWindows(replaceAt(windows, index, next))}
              errors={errors}
              path={`schedule.windows.${index}`}
            />
            <span className="plan-row-actions">
              <ActionIcon aria-label={`Remove window ${index + 1}`} onClick={() => changeWindows(removeAt(windows, index))}>
                <IconX size={14} aria-hidden />
              </ActionIcon>
            </span>
          </li>
        ))}
      </ul>
      <div>
        <Button
          variant="default"
          leftSection={<IconPlus size={14} aria-hidden />}
          onClick={() => changeWindows([...windows, { days: ['mon', 'tue', 'wed', 'thu'], from: '09:00', to: '16:00', timeZone: ownZone }])}
        >
          Add a maintenance window
        </Button>
      </div>
      {windows.length > 0 && <p className="dimmed">Outside of the windows no further agent gets the change; what is under way goes on.</p>}
    </fieldset>
  )
}

interface FieldsProps {
  readonly window: Window
  readonly number: number
  readonly onChange: (window: Window) => void
  readonly errors: PlanErrors
  readonly path: string
}

function WindowFields({ window, number, onChange, errors, path }: FieldsProps) {
  return (
    <>
      <div>
        <Chip.Group multiple value={[...window.days]} onChange={(chosen) => onChange({ ...window, days: chosen as Window['days'] })}>
          {/* as: only days are offered */}
          <fieldset className="plan-days" aria-label={`Days of window ${number}`}>
            {days.map(([value, short, long]) => (
              <Chip key={value} value={value} size="xs" aria-label={long}>
                {short}
              </Chip>
            ))}
          </fieldset>
        </Chip.Group>
        {errors[`${path}.days`] !== undefined && <p className="plan-error">{errors[`${path}.days`]}</p>}
      </div>
      <TextInput
        type="time"
        label="From"
        value={window.from}
        onChange={(event) => onChange({ ...window, from: event.currentTarget.value })}
        error={errors[`${path}.from`]}
        w={100}
      />
      <TextInput
        type="time"
        label="To"
        value={window.to}
        onChange={(event) => onChange({ ...window, to: event.currentTarget.value })}
        error={errors[`${path}.to`]}
        w={100}
      />
      <Select
        label="Time zone"
        data={timeZones.includes(window.timeZone) ? timeZones : [window.timeZone, ...timeZones]}
        value={window.timeZone}
        onChange={(timeZone) => timeZone !== null && onChange({ ...window, timeZone })}
        searchable
        allowDeselect={false}
        limit={60}
        error={errors[`${path}.timeZone`]}
        w={190}
      />
    </>
  )
}

/** As the browser's field for local times wants it. */
function localMinute(ms: number): string {
  if (!Number.isFinite(ms)) return ''
  const date = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000)
  return date.toISOString().slice(0, 16)
}
