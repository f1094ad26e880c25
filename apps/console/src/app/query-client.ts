/** How reads behave: live events keep them fresh, refusals are not repeated, an ended session leads to the sign-in page. */
import { ApiUnreachableError } from '@drover/api'
import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query'
import { isSignedOut } from '../api/client.ts'

const RETRIES = 2

export function createQueryClient(onSignedOut: () => void): QueryClient {
  const onError = (error: unknown) => {
    if (isSignedOut(error)) onSignedOut()
  }
  return new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        retry: (count, error) => error instanceof ApiUnreachableError && error.retryable && count < RETRIES,
        // An unreachable server is told from an offline browser by trying.
        networkMode: 'always',
      },
      mutations: { networkMode: 'always' },
    },
  })
}
