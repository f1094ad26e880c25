/** A message within a page, with a tone. */
import { IconAlertTriangle, IconCircleCheck, IconCircleX, IconInfoCircle, IconLoader } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { Tone } from './StateBadge.tsx'

const marks: Readonly<Record<Tone, typeof IconInfoCircle>> = {
  ok: IconCircleCheck,
  warn: IconAlertTriangle,
  bad: IconCircleX,
  busy: IconLoader,
  idle: IconInfoCircle,
}

export function Notice(props: { readonly tone: Tone; readonly title?: ReactNode; readonly children?: ReactNode; readonly urgent?: boolean }) {
  const Mark = marks[props.tone]
  return (
    <div className="notice" data-tone={props.tone} role={props.urgent ? 'alert' : undefined}>
      <Mark size={16} aria-hidden />
      <div className="notice-body">
        {props.title !== undefined && <strong>{props.title}</strong>}
        {props.children}
      </div>
    </div>
  )
}
