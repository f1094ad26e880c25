/** What members get otherwise by the new revision of their group. */
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useEffect } from 'react'
import { revisionListQuery } from '../../api/queries.ts'
import { AgentText } from '../../ui/AgentText.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { RevisionChanges } from '../groups/RevisionChanges.tsx'

export function WhatChanges({ group, from, to }: { readonly group: string; readonly from: number | null; readonly to: number }) {
  const query = useInfiniteQuery(revisionListQuery(group))
  const revisions = query.data?.pages.flatMap((page) => page.items) ?? []
  const [before, after] = [revisions.find(({ number }) => number === from), revisions.find(({ number }) => number === to)]
  const isComplete = after !== undefined && (from === null || before !== undefined)
  const { hasNextPage, isFetching, fetchNextPage } = query
  useEffect(() => {
    if (!isComplete && hasNextPage && !isFetching) void fetchNextPage()
  }, [isComplete, hasNextPage, isFetching, fetchNextPage])
  return (
    <Panel
      title="What changes"
      flush
      actions={
        <Link to="/groups/$name" params={{ name: group }}>
          Revisions of {group}
        </Link>
      }
    >
      <QueryView query={query}>
        {() =>
          after === undefined ? (
            <p className="panel-body dimmed">{hasNextPage ? 'Looking for the revisions…' : 'The group was deleted, and its revisions with it.'}</p>
          ) : (
            <>
              <RevisionChanges from={from === null ? undefined : before} to={after} />
              {after.message !== '' && (
                <p className="panel-body dimmed">
                  “<AgentText text={after.message} />
                  ”, {after.author}
                </p>
              )}
            </>
          )
        }
      </QueryView>
    </Panel>
  )
}
