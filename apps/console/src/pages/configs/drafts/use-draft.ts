/** React's view of a draft that is saved while somebody writes. */
import type { Draft } from '@drover/api'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState, useSyncExternalStore } from 'react'
import { api, isConflict, isNotFound } from '../../../api/client.ts'
import { type DraftContent, DraftSaver, type DraftState, type StoredDraft } from './draft-saver.ts'

const LIST_LIMIT = 500

/** The draft of a config with what a later save must name, or undefined when there is none. */
export async function readDraft(config: string, signal?: AbortSignal): Promise<{ readonly draft: Draft; readonly stored: StoredDraft } | undefined> {
  try {
    // Asked first, since a browser reports each 404 as an error of the page; beyond the list's limit that is the lesser evil.
    const { data: drafts } = await api.listDrafts({ query: { limit: LIST_LIMIT }, ...(signal === undefined ? {} : { signal }) })
    if (drafts.total <= drafts.items.length && !drafts.items.some((one) => one.config === config)) return undefined
    const { data: draft, etag } = await api.getDraft({ params: { config }, ...(signal === undefined ? {} : { signal }) })
    const { description, files, message, updatedAt } = draft
    return { draft, stored: { content: { description, files, message }, etag: etag ?? '', at: updatedAt } }
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

interface Options {
  readonly config: string
  readonly begun: DraftContent
  readonly stored: StoredDraft | undefined
  readonly content: DraftContent
  /** False: nothing is saved, as in a session that may only read. */
  readonly enabled: boolean
}

/** `config`, `begun` and `stored` are read once: give the component another key for another draft. */
export function useDraft({ config, begun, stored, content, enabled }: Options): { readonly saver: DraftSaver; readonly state: DraftState } {
  const client = useQueryClient()
  const [saver] = useState(
    () =>
      new DraftSaver({
        begun,
        stored,
        isConflict,
        save: async (draft, edited) => {
          const body = { ...draft, files: [...draft.files], ...(edited === undefined ? {} : { edited }) }
          const { data, etag } = await api.saveDraft({ params: { config }, body })
          void client.invalidateQueries({ queryKey: ['drafts'] })
          return { etag: etag ?? '', at: data.updatedAt }
        },
      }),
  )
  useEffect(() => {
    if (enabled) saver.change(content)
  }, [saver, content, enabled])
  useEffect(() => {
    // The last that a tab hears before it is closed, and often all that one on a phone does.
    const onHidden = () => document.visibilityState === 'hidden' && saver.leave()
    document.addEventListener('visibilitychange', onHidden)
    return () => {
      document.removeEventListener('visibilitychange', onHidden)
      saver.leave()
    }
  }, [saver])
  return { saver, state: useSyncExternalStore(saver.subscribe, () => saver.state) }
}
