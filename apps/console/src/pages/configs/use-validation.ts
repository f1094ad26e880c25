/** Checks what is being edited, a moment after the last keystroke; an answer to an older text is dropped. */
import type { ConfigFile } from '@drover/api'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { api } from '../../api/client.ts'

const PAUSE_MS = 350

export function useValidation(files: readonly ConfigFile[], group: string | undefined) {
  const [settled] = useDebouncedValue(files, PAUSE_MS)
  const query = useQuery({
    queryKey: ['validation', settled, group ?? ''],
    queryFn: async ({ signal }) =>
      (await api.validateConfig({ body: { files: [...settled], ...(group === undefined ? {} : { target: { group } }) }, signal })).data,
    placeholderData: keepPreviousData,
    staleTime: 30_000,
    gcTime: 0,
  })
  return { query, checking: settled !== files || query.isFetching }
}
