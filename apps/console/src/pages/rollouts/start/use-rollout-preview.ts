/** Asks the server whom a change would reach in which wave, a moment after the last key. */
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import type { z } from 'zod'
import type { RolloutStart } from '@drover/api'
import { api } from '../../../api/client.ts'
import type { RolloutChange } from './start-choice.ts'

const PAUSE_MS = 350

/** `rollout` undefined: not asked, since it has mistakes. */
export function useRolloutPreview(change: RolloutChange, rollout: z.input<typeof RolloutStart> | undefined) {
  const asked = useMemo(() => JSON.stringify({ change, rollout }), [change, rollout])
  const [settled] = useDebouncedValue(asked, PAUSE_MS)
  const query = useQuery({
    queryKey: ['rollout-preview', settled],
    queryFn: async ({ signal }) => (await api.previewRollout({ body: JSON.parse(settled) as { change: RolloutChange }, signal })).data, // as: it was stringified from that
    enabled: rollout !== undefined,
    placeholderData: keepPreviousData,
    staleTime: 10_000,
    gcTime: 0,
  })
  return { query, busy: asked !== settled || query.isFetching }
}
