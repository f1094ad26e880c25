/** The three faces of a read: loading, failed with a way to retry, and its data (kept on screen when a refresh fails). */
import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { ErrorState } from './ErrorState.tsx'
import { LoadingRows } from './Loading.tsx'

type Read<T> = Pick<UseQueryResult<T>, 'data' | 'error' | 'refetch' | 'isPending'>

export function QueryView<T>(props: { readonly query: Read<T>; readonly loading?: ReactNode; readonly children: (data: T) => ReactNode }) {
  const { data, error, refetch } = props.query
  if (data === undefined && error === null) return <>{props.loading ?? <LoadingRows />}</>
  return (
    <>
      {error !== null && (
        <div style={{ padding: data === undefined ? 14 : '10px 14px' }}>
          <ErrorState error={error} onRetry={() => void refetch()} />
        </div>
      )}
      {data !== undefined && props.children(data)}
    </>
  )
}
