/** Asks the server what a group would do, a moment after the last change. */
import { ApiError, type GroupPreview } from '@drover/api'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { api } from '../../api/client.ts'
import { type GroupDraft, inputOf } from './group-form.ts'

const PAUSE_MS = 350

export interface GroupPreviewState {
  readonly data: GroupPreview | undefined
  readonly busy: boolean
  /** What is wrong with the selector. */
  readonly selectorError: string | undefined
  /** Any other failure. */
  readonly error: unknown
  readonly retry: () => void
}

/** `name`: of the group that is edited. Message and description have no effect, so typing them asks nothing. */
export function useGroupPreview(draft: GroupDraft, name: string | undefined): GroupPreviewState {
  const relevant = useMemo(() => JSON.stringify({ ...inputOf(draft), description: '', message: '' }), [draft])
  const [settled] = useDebouncedValue(relevant, PAUSE_MS)
  const input = useMemo(() => JSON.parse(settled) as ReturnType<typeof inputOf>, [settled]) // as: it was stringified from that
  // What is asked is what settled, which may still be the empty selector of before the first key.
  const enabled = draft.selector.trim() !== '' && input.selector.trim() !== ''
  const query = useQuery({
    queryKey: ['preview', name ?? '', settled],
    queryFn: async ({ signal }) => (await api.previewGroup({ body: { ...input, ...(name === undefined ? {} : { name }) }, signal })).data,
    enabled,
    placeholderData: keepPreviousData,
    staleTime: 10_000,
    gcTime: 0,
  })
  const selectorError =
    enabled && query.error instanceof ApiError ? query.error.problem.errors?.find(({ field }) => field.endsWith('selector'))?.message : undefined
  return {
    data: enabled ? query.data : undefined,
    busy: draft.selector.trim() !== '' && (settled !== relevant || query.isFetching),
    selectorError,
    error: enabled && selectorError === undefined ? query.error : null,
    retry: () => void query.refetch(),
  }
}
