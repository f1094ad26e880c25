/** A state as a word with a mark: colour never carries it alone. */
import { IconAlertTriangle, IconCheck, IconCircleDashed, IconClock, IconLoader, IconMinus, IconX } from '@tabler/icons-react'
import type { ReactNode } from 'react'

export type Tone = 'ok' | 'warn' | 'bad' | 'busy' | 'idle'

const marks: Readonly<Record<Tone, typeof IconCheck>> = { ok: IconCheck, warn: IconAlertTriangle, bad: IconX, busy: IconLoader, idle: IconMinus }

export function StateBadge(props: {
  readonly tone: Tone
  readonly children: ReactNode
  readonly title?: string | undefined
  readonly mark?: 'clock' | 'dashed'
  readonly plain?: boolean
}) {
  const Mark = props.mark === 'clock' ? IconClock : props.mark === 'dashed' ? IconCircleDashed : marks[props.tone]
  return (
    <span className="badge" data-tone={props.tone} data-plain={props.plain || undefined} title={props.title}>
      <Mark size={12} stroke={2.4} aria-hidden />
      {props.children}
    </span>
  )
}
