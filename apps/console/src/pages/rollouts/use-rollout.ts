/** One rollout, read once and then followed by its stream while it goes on and the page is in sight. */
import { useDocumentVisibility } from '@mantine/hooks'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { rolloutQuery } from '../../api/rollout-queries.ts'
import { RolloutStream, type StreamState, isFollowed } from '../../api/rollout-stream.ts'

export function useRollout(rolloutId: string) {
  const client = useQueryClient()
  const query = useQuery(rolloutQuery(rolloutId))
  const [stream, setStream] = useState<StreamState>({ kind: 'connecting' })
  // A browser has few connections to one server: a page out of sight does not keep one.
  const inSight = useDocumentVisibility() === 'visible'
  const going = query.data !== undefined && isFollowed(query.data)
  useEffect(() => {
    if (!going || !inSight) return
    const followed = new RolloutStream({
      rolloutId,
      onRollout: (rollout) => client.setQueryData(rolloutQuery(rolloutId).queryKey, rollout),
      onState: setStream,
    })
    followed.connect()
    return () => {
      followed.close()
      setStream({ kind: 'connecting' })
    }
  }, [client, rolloutId, going, inSight])
  return { query, stream: going ? stream : ({ kind: 'ended' } satisfies StreamState) }
}
