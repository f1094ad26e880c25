/** Nothing here yet: says so, and what to do next. */
import { IconInbox } from '@tabler/icons-react'
import type { ReactNode } from 'react'

export function EmptyState(props: { readonly title: string; readonly children?: ReactNode; readonly action?: ReactNode; readonly icon?: ReactNode }) {
  return (
    <div className="empty">
      {props.icon ?? <IconInbox size={28} stroke={1.4} aria-hidden />}
      <strong>{props.title}</strong>
      {props.children !== undefined && <p>{props.children}</p>}
      {props.action}
    </div>
  )
}
