/** Somebody saved another version meanwhile: what they changed, what you changed, and the choice between them. */
import type { ConfigFile, ConfigVersion } from '@drover/api'
import { Button, Group, SegmentedControl } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import { Notice } from '../../ui/Notice.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { RelativeTime } from '../../ui/RelativeTime.tsx'
import { joinFiles } from '../../ui/editor/comparable-yaml.ts'
import { Diff } from '../../ui/editor/lazy.tsx'

interface Props {
  readonly name: string
  readonly base: ConfigVersion
  readonly mine: readonly ConfigFile[]
  readonly saving: boolean
  /** With the ETag of what was shown: saving fails again should it have changed once more. */
  readonly onSaveMine: (etag: string | null) => void
  readonly onClose: () => void
}

type Shown = 'theirs' | 'mine'

export function ConflictDialog({ name, base, mine, saving, onSaveMine, onClose }: Props) {
  const [shown, setShown] = useState<Shown>('theirs')
  const newest = useQuery({
    queryKey: ['conflict', name],
    queryFn: async ({ signal }) => {
      const { data: config, etag } = await api.getConfig({ params: { name }, signal })
      const { data: version } = await api.getVersion({ params: { name, version: config.latest.version }, signal })
      return { etag, version }
    },
    gcTime: 0,
  })
  return (
    <Dialog opened onClose={onClose} size="min(1200px, 96vw)" title={`Somebody else saved ${name} meanwhile`}>
      <QueryView query={newest}>
        {({ etag, version: theirs }) => {
          const before =
            shown === 'theirs'
              ? { label: `Version ${base.version}, where you started`, text: joinFiles(base.files) }
              : { label: `Version ${theirs.version}, theirs`, text: joinFiles(theirs.files) }
          const after =
            shown === 'theirs' ? { label: `Version ${theirs.version}, theirs`, text: joinFiles(theirs.files) } : { label: 'Yours', text: joinFiles(mine) }
          return (
            <div className="stack">
              <Notice tone="warn">
                <span>
                  {theirs.author} saved version {theirs.version} <RelativeTime at={theirs.createdAt} />
                  {theirs.message === '' ? '' : `: “${theirs.message}”`}. Your text does not contain that change.
                </span>
              </Notice>
              <SegmentedControl
                aria-label="What to compare"
                value={shown}
                onChange={(value) => setShown(value as Shown)}
                data={[
                  { value: 'theirs', label: 'What they changed' },
                  { value: 'mine', label: 'What saving yours would change' },
                ]}
              />
              <Diff key={shown} before={before} after={after} />
              <Group justify="flex-end" gap="xs">
                <Button variant="default" onClick={onClose} data-autofocus>
                  Go on editing
                </Button>
                <Button color="red.8" loading={saving} onClick={() => onSaveMine(etag)}>
                  Save mine as version {theirs.version + 1}
                </Button>
              </Group>
            </div>
          )
        }}
      </QueryView>
    </Dialog>
  )
}
