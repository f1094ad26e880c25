/** The head of a page: where it is, its title (which gets the focus after navigation), and its actions. */
import { Title } from '@mantine/core'
import { type ReactNode, useEffect, useRef } from 'react'

export function PageHeader(props: {
  readonly title: string
  readonly display?: ReactNode
  readonly parent?: ReactNode
  readonly below?: ReactNode
  readonly actions?: ReactNode
}) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${props.title} · Drover`
  }, [props.title])
  useEffect(() => {
    // A reader should hear where they came to, unless the page put the focus somewhere itself.
    if (document.activeElement === null || document.activeElement === document.body) heading.current?.focus({ preventScroll: true })
  }, [])
  return (
    <header className="page-header">
      <div className="page-header-text">
        {props.parent !== undefined && (
          <nav className="breadcrumb" aria-label="Breadcrumb">
            {props.parent}
          </nav>
        )}
        <Title order={1} ref={heading} tabIndex={-1}>
          {props.display ?? props.title}
        </Title>
        {props.below}
      </div>
      {props.actions !== undefined && <div className="page-header-actions">{props.actions}</div>}
    </header>
  )
}
