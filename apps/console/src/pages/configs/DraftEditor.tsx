/** The editor of an existing config with its draft; when somebody else was faster, what they changed is shown and the person decides. */
import type { Config, ConfigFile, ConfigVersion, Draft } from '@drover/api'
import { TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { api, isConflict } from '../../api/client.ts'
import { ActionButton } from '../../ui/ActionButton.tsx'
import { ErrorState } from '../../ui/ErrorState.tsx'
import { LinkButton } from '../../ui/LinkButton.tsx'
import { Notice } from '../../ui/Notice.tsx'
import { PageHeader } from '../../ui/PageHeader.tsx'
import { RelativeTime } from '../../ui/RelativeTime.tsx'
import { useReadOnlyReason } from '../../ui/access.ts'
import { toastDone } from '../../ui/toasts.ts'
import { useLeaveWarning } from '../../ui/use-leave-warning.ts'
import { ConfigEditor } from './ConfigEditor.tsx'
import { DraftConflictDialog } from './drafts/DraftConflictDialog.tsx'
import { DraftStatus } from './drafts/DraftStatus.tsx'
import { ThrowAwayButton } from './drafts/ThrowAwayButton.tsx'
import type { DraftSaver, StoredDraft } from './drafts/draft-saver.ts'
import { useDraft } from './drafts/use-draft.ts'
import { sameFiles } from './files.ts'

export interface Started {
  readonly config: Config
  readonly etag: string | null
  readonly base: ConfigVersion
  readonly draft: { readonly draft: Draft; readonly stored: StoredDraft } | undefined
}

interface Props {
  readonly started: Started
  /** Begins again from what the server has. */
  readonly onReopen: () => void
}

export function DraftEditor({ started, onReopen }: Props) {
  const { config, base, draft } = started
  const { name } = config
  const readOnly = useReadOnlyReason()
  const begun = useMemo(() => ({ description: config.description, files: base.files, message: '' }), [config, base])
  const [files, setFiles] = useState<readonly ConfigFile[]>(draft?.stored.content.files ?? base.files)
  const [message, setMessage] = useState(draft?.stored.content.message ?? '')
  const description = draft?.stored.content.description ?? config.description
  const content = useMemo(() => ({ description, files, message }), [description, files, message])
  const { saver, state } = useDraft({ config: name, begun, stored: draft?.stored, content, enabled: readOnly === undefined })
  const [comparing, setComparing] = useState(false)
  const publish = usePublish(name, message, saver, () => setComparing(true))
  const edited = !sameFiles(files, base.files)
  const changed = edited || base.version !== config.latest.version
  useLeaveWarning(!publish.isSuccess && edited && (readOnly !== undefined || state.kind === 'failed' || state.kind === 'conflict'))
  return (
    <>
      <PageHeader
        title={`Edit ${name}`}
        parent={
          <>
            <Link to="/configs">Configs</Link> /{' '}
            <Link to="/configs/$name" params={{ name }}>
              {name}
            </Link>
          </>
        }
        below={
          <span className="dimmed">
            From version {base.version}. Publishing makes version {config.latest.version + 1}; groups go on using theirs until you change them.
          </span>
        }
        actions={
          <>
            <DraftStatus state={state} onCompare={() => setComparing(true)} />
            <TextInput
              aria-label="What changed and why"
              placeholder="What changed and why"
              value={message}
              onChange={(event) => setMessage(event.currentTarget.value)}
              maxLength={500}
              w={{ base: '100%', sm: 260 }}
            />
            {saver.stored === undefined ? (
              <LinkButton to="/configs/$name" params={{ name }} variant="default">
                Cancel
              </LinkButton>
            ) : (
              <ThrowAwayButton config={name} saver={saver} disabledReason={readOnly} onGone={onReopen} />
            )}
            <ActionButton
              loading={publish.isPending}
              disabledReason={readOnly ?? (changed ? undefined : 'Nothing has changed')}
              onClick={() => publish.mutate()}
            >
              Save new version
            </ActionButton>
          </>
        }
      />
      <div className="stack">
        {publish.isError && !isConflict(publish.error) && state.kind !== 'conflict' && <ErrorState error={publish.error} />}
        {draft !== undefined && <DraftNotice started={started} />}
        <ConfigEditor files={files} onChange={setFiles} defaultGroup={config.usedBy[0]?.group} />
      </div>
      {comparing && (
        <DraftConflictDialog
          config={name}
          mine={content}
          known={{ content: saver.stored?.content, baseVersion: base.version }}
          onClose={() => setComparing(false)}
          onTakeTheirs={onReopen}
          onKeepMine={(theirs) => {
            saver.adopt(theirs)
            publish.reset()
            setComparing(false)
          }}
        />
      )}
    </>
  )
}

function DraftNotice({ started: { draft, config } }: { readonly started: Started }) {
  if (draft === undefined) return null
  const { baseVersion, updatedBy, updatedAt } = draft.draft
  const behind = baseVersion !== null && baseVersion < config.latest.version
  return (
    <Notice tone={behind ? 'warn' : 'idle'} title="You go on with a draft">
      <span>
        {updatedBy} edited it <RelativeTime at={updatedAt} />.{' '}
        {behind && `Version ${config.latest.version} was published since it was begun; publishing shows what that changed. `}
        Nobody has it before it is published.
      </span>
    </Notice>
  )
}

/** Publishes what is written. When something came in the way, `onConflict` lets the person decide. */
function usePublish(config: string, message: string, saver: DraftSaver, onConflict: () => void) {
  const client = useQueryClient()
  const navigate = useNavigate()
  return useMutation({
    mutationFn: async () => {
      const ifMatch = await saver.flush()
      return (await api.publishDraft({ params: { config }, body: { message }, ifMatch })).data
    },
    onSuccess: async (saved) => {
      saver.end()
      await Promise.all([client.invalidateQueries({ queryKey: ['configs'] }), client.invalidateQueries({ queryKey: ['drafts'] })])
      toastDone(`Version ${saved.version} of ${config} was saved`)
      await navigate({ to: '/configs/$name', params: { name: config }, search: {}, ignoreBlocker: true })
    },
    onError: (error) => {
      if (isConflict(error) || saver.state.kind === 'conflict') onConflict()
    },
  })
}
