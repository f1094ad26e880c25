/** May this session change things? */
import { useQuery } from '@tanstack/react-query'
import { sessionQuery } from '../api/queries.ts'

/** The reason why a change is not possible, or undefined. */
export function useReadOnlyReason(): string | undefined {
  const session = useQuery(sessionQuery)
  return session.data?.access === 'read' ? 'This session may only read' : undefined
}
