/** A button that says why when it cannot be pressed: it stays focusable, so that keyboard and screen reader reach the reason too. */
import { Button, type ButtonProps, Tooltip } from '@mantine/core'
import type { ReactNode } from 'react'

export function ActionButton(
  props: ButtonProps & { readonly onClick: () => void; readonly disabledReason?: string | undefined; readonly children: ReactNode },
) {
  const { disabledReason, onClick, ...button } = props
  if (disabledReason === undefined) return <Button {...button} onClick={onClick} />
  return (
    <Tooltip label={disabledReason} multiline maw={320}>
      <Button {...button} data-disabled aria-disabled aria-description={disabledReason} onClick={(event) => event.preventDefault()} />
    </Tooltip>
  )
}
