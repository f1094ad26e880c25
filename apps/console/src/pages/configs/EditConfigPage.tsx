/** A config while it is edited: kept as a draft by itself, published as the next version when somebody says so. */
import { useQuery } from '@tanstack/react-query'
import { useParams, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import { LoadingPage } from '../../ui/Loading.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { DraftEditor } from './DraftEditor.tsx'
import { readDraft } from './drafts/use-draft.ts'

export function EditConfigPage() {
  const { name } = useParams({ from: '/shell/configs/$name/edit' })
  const { version } = useSearch({ from: '/shell/configs/$name/edit' })
  // Each opening reads anew; a draft that was thrown away or replaced begins another one.
  const [opened, setOpened] = useState(0)
  return <Opened key={`${name} ${opened}`} name={name} version={version} onReopen={() => setOpened((count) => count + 1)} />
}

function Opened({ name, version, onReopen }: { readonly name: string; readonly version: string | undefined; readonly onReopen: () => void }) {
  // The state at the start of editing stays what is edited, whatever events bring in.
  const [nonce] = useState(() => crypto.getRandomValues(new Uint32Array(1))[0])
  const query = useQuery({
    queryKey: ['editing', name, version ?? '', nonce],
    queryFn: async ({ signal }) => {
      const [{ data: config, etag }, draft] = await Promise.all([api.getConfig({ params: { name }, signal }), readDraft(name, signal)])
      const from = draft?.draft.baseVersion ?? Number(version ?? config.latest.version)
      const { data: base } = await api.getVersion({ params: { name, version: from }, signal })
      return { config, etag, base, draft }
    },
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  })
  return (
    <QueryView query={query} loading={<LoadingPage />}>
      {(started) => <DraftEditor started={started} onReopen={onReopen} />}
    </QueryView>
  )
}
