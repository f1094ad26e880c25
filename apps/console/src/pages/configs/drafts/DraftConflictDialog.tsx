/** Somebody else edited the draft or published a version meanwhile: their text beside this one, and the choice. */
import { Button, Group, SegmentedControl } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, isNotFound } from '../../../api/client.ts'
import { Dialog } from '../../../ui/Dialog.tsx'
import { Notice } from '../../../ui/Notice.tsx'
import { QueryView } from '../../../ui/QueryView.tsx'
import { RelativeTime } from '../../../ui/RelativeTime.tsx'
import { joinFiles } from '../../../ui/editor/comparable-yaml.ts'
import { Diff } from '../../../ui/editor/lazy.tsx'
import { type Known, type Newest, type OtherText, otherTexts } from './conflict.ts'
import type { DraftContent, StoredDraft } from './draft-saver.ts'
import { readDraft } from './use-draft.ts'

interface Props {
  readonly config: string
  readonly mine: DraftContent
  readonly known: Known
  readonly onTakeTheirs: () => void
  /** With the draft that was shown: saving fails again should it have changed once more. undefined: there is none any more. */
  readonly onKeepMine: (stored: StoredDraft | undefined) => void
  readonly onClose: () => void
}

export function DraftConflictDialog({ config, mine, known, onTakeTheirs, onKeepMine, onClose }: Props) {
  const query = useQuery({
    queryKey: ['draft-conflict', config],
    queryFn: async ({ signal }): Promise<Newest> => ({ theirs: await readDraft(config, signal), version: await readNewest(config, signal) }),
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
  })
  return (
    <Dialog opened onClose={onClose} size="min(1200px, 96vw)" title={`Somebody else worked on ${config} meanwhile`}>
      <QueryView query={query}>
        {(newest) => {
          const others = otherTexts(newest, known)
          return (
            <div className="stack">
              {newest.theirs === undefined && <Notice tone="warn">Your draft was published or thrown away meanwhile. Your text can become a new one.</Notice>}
              <Compared others={others} mine={mine} />
              <Group justify="flex-end" gap="xs">
                <Button variant="default" onClick={onClose} data-autofocus>
                  Decide later
                </Button>
                {others.some(({ key }) => key === 'draft') && (
                  <Button variant="default" onClick={onTakeTheirs}>
                    Go on with their draft
                  </Button>
                )}
                <Button color="red.8" onClick={() => onKeepMine(newest.theirs?.stored)}>
                  Keep mine
                </Button>
              </Group>
            </div>
          )
        }}
      </QueryView>
    </Dialog>
  )
}

function Compared({ others, mine }: { readonly others: readonly OtherText[]; readonly mine: DraftContent }) {
  const [key, setKey] = useState(others[0]?.key)
  const other = others.find((one) => one.key === key)
  if (other === undefined) return null
  return (
    <>
      {others.length > 1 && (
        <SegmentedControl
          aria-label="What to compare with"
          value={other.key}
          onChange={(value) => setKey(value as OtherText['key'])} // as: the values are the keys
          data={others.map(({ key: value, label }) => ({ value, label }))}
        />
      )}
      <Notice tone="warn">
        <span>
          {other.by} {other.key === 'draft' ? 'edited the draft' : `published ${other.label.toLowerCase()}`} <RelativeTime at={other.at} />. Your text does not
          contain that.
        </span>
      </Notice>
      <Diff key={other.key} before={{ label: other.label, text: other.text }} after={{ label: 'Yours', text: joinFiles(mine.files) }} />
    </>
  )
}

async function readNewest(name: string, signal: AbortSignal) {
  try {
    const { data: config } = await api.getConfig({ params: { name }, signal })
    return (await api.getVersion({ params: { name, version: config.latest.version }, signal })).data
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}
