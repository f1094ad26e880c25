/** Whether what is written is kept. */
import { Button } from '@mantine/core'
import { describeError } from '../../../api/client.ts'
import { StateBadge } from '../../../ui/StateBadge.tsx'
import { shortTime } from '../../../ui/time.ts'
import type { DraftState } from './draft-saver.ts'

export function DraftStatus({ state, onCompare }: { readonly state: DraftState; readonly onCompare: () => void }) {
  return (
    <output className="draft-status">
      <Said state={state} />
      {state.kind === 'conflict' && (
        <Button variant="default" size="compact-xs" onClick={onCompare}>
          Compare
        </Button>
      )}
    </output>
  )
}

function Said({ state }: { readonly state: DraftState }) {
  switch (state.kind) {
    case 'unchanged':
      return null
    case 'unsaved':
    case 'saving':
      return <span className="dimmed">Saving draft…</span>
    case 'saved':
      return (
        <StateBadge tone="ok" plain title="Nothing is sent to any agent before it is published">
          Saved as draft {shortTime(Date.parse(state.at))}
        </StateBadge>
      )
    case 'failed':
      return (
        <StateBadge tone="bad" plain title={describeError(state.error).detail}>
          Draft not saved: {describeError(state.error).title}
        </StateBadge>
      )
    case 'conflict':
      return (
        <StateBadge tone="warn" plain>
          Somebody else edited this draft
        </StateBadge>
      )
    default:
      return state satisfies never
  }
}
