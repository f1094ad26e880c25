/** Keeps a config that is not there yet as a draft, and says so. */
import { useNavigate } from '@tanstack/react-router'
import { type RefObject, useEffect, useState } from 'react'
import { DraftConflictDialog } from './DraftConflictDialog.tsx'
import { DraftStatus } from './DraftStatus.tsx'
import { ThrowAwayButton } from './ThrowAwayButton.tsx'
import type { DraftContent, DraftSaver, StoredDraft } from './draft-saver.ts'
import { useDraft } from './use-draft.ts'

interface Props {
  readonly config: string
  readonly begun: DraftContent
  readonly stored: StoredDraft | undefined
  readonly content: DraftContent
  /** Where the page finds the draft when it creates the config. */
  readonly saverRef: RefObject<DraftSaver | undefined>
}

export function DraftKeeper({ config, begun, stored, content, saverRef }: Props) {
  const navigate = useNavigate()
  const { saver, state } = useDraft({ config, begun, stored, content, enabled: true })
  const [comparing, setComparing] = useState(false)
  useEffect(() => {
    saverRef.current = saver
  }, [saverRef, saver])
  return (
    <>
      <DraftStatus state={state} onCompare={() => setComparing(true)} />
      {saver.stored !== undefined && (
        <ThrowAwayButton config={config} saver={saver} disabledReason={undefined} onGone={() => void navigate({ to: '/configs', ignoreBlocker: true })} />
      )}
      {comparing && (
        <DraftConflictDialog
          config={config}
          mine={content}
          known={{ content: saver.stored?.content, baseVersion: null }}
          onClose={() => setComparing(false)}
          onTakeTheirs={() => void navigate({ to: '/create/config', search: { draft: config }, reloadDocument: true, ignoreBlocker: true })}
          onKeepMine={(theirs) => {
            saver.adopt(theirs)
            setComparing(false)
          }}
        />
      )}
    </>
  )
}
