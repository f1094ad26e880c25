/** A titled surface. */
import { Title } from '@mantine/core'
import { type ReactNode, useId } from 'react'

export function Panel(props: {
  readonly title: ReactNode
  readonly actions?: ReactNode
  readonly children: ReactNode
  readonly className?: string
  readonly flush?: boolean
  readonly footer?: ReactNode
}) {
  const titleId = useId()
  return (
    <section className={`panel ${props.className ?? ''}`} aria-labelledby={titleId}>
      <div className="panel-head">
        <Title order={2} id={titleId}>
          {props.title}
        </Title>
        {props.actions}
      </div>
      {props.flush ? props.children : <div className="panel-body">{props.children}</div>}
      {props.footer !== undefined && <div className="panel-foot">{props.footer}</div>}
    </section>
  )
}
