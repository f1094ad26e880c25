/** Asks before something that others will feel. */
import { Button, Group } from '@mantine/core'
import type { ReactNode } from 'react'
import { Dialog } from './Dialog.tsx'
import { ErrorState } from './ErrorState.tsx'

export function ConfirmDialog(props: {
  readonly opened: boolean
  readonly title: string
  readonly children: ReactNode
  readonly confirmLabel: string
  readonly danger?: boolean
  readonly busy: boolean
  readonly error: unknown
  readonly onConfirm: () => void
  readonly onClose: () => void
}) {
  return (
    <Dialog opened={props.opened} onClose={props.onClose} title={props.title}>
      <div className="stack">
        {props.children}
        {props.error !== null && props.error !== undefined && <ErrorState error={props.error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={props.onClose} data-autofocus>
            Cancel
          </Button>
          <Button color={props.danger ? 'red.8' : 'indigo'} loading={props.busy} onClick={props.onConfirm}>
            {props.confirmLabel}
          </Button>
        </Group>
      </div>
    </Dialog>
  )
}
