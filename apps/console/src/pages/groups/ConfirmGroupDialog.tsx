/** The last question before a group's change goes to its members, with how many that are. */
import { ConfirmDialog } from '../../ui/ConfirmDialog.tsx'
import { Notice } from '../../ui/Notice.tsx'
import type { GroupPreviewState } from './use-group-preview.ts'

interface Props {
  readonly opened: boolean
  readonly title: string
  readonly preview: GroupPreviewState
  readonly configs: readonly { readonly config: string; readonly version: number }[]
  readonly busy: boolean
  readonly error: unknown
  readonly onConfirm: () => void
  readonly onClose: () => void
}

export function ConfirmGroupDialog({ preview, configs, ...dialog }: Props) {
  const changing = preview.data?.changing ?? 0
  const lacking = Math.max(0, ...(preview.data?.missing.map(({ lacking: count }) => count) ?? []))
  return (
    <ConfirmDialog {...dialog} confirmLabel={changing > 0 ? `Send to ${changing.toLocaleString('en')} ${changing === 1 ? 'agent' : 'agents'}` : 'Save'}>
      <p style={{ fontSize: '0.9375rem' }}>
        <strong>
          {changing === 0
            ? 'No agent’s configuration changes now.'
            : `${changing.toLocaleString('en')} ${changing === 1 ? 'agent' : 'agents'} will get this now.`}
        </strong>
      </p>
      <p>
        {configs.length === 0 ? 'The group gives no config' : `Members get ${configs.map(({ config, version }) => `${config}@${version}`).join(' + ')}`}
        {preview.data !== undefined && preview.data.leaving > 0
          ? `; ${preview.data.leaving.toLocaleString('en')} ${preview.data.leaving === 1 ? 'agent leaves' : 'agents leave'} the group`
          : ''}
        . Agents that are not connected get it when they return. One that fails it gets its last good configuration back.
      </p>
      {lacking > 0 && (
        <Notice tone="warn">
          {lacking === 1 ? 'At least 1 agent lacks' : `At least ${lacking} agents lack`} a component that this uses, and would fail it.
        </Notice>
      )}
    </ConfirmDialog>
  )
}
