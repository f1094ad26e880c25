/** The names that `${drover:…}` can have, once they are known. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { attributeKeysQuery, groupListQuery } from '../../api/queries.ts'
import { secretListQuery } from '../../api/settings-queries.ts'
import type { ReferenceNames } from '../../ui/editor/references.ts'
import { referenceNames } from './reference-names.ts'

export function useReferenceNames(group: string | undefined): ReferenceNames | undefined {
  const keys = useQuery(attributeKeysQuery).data
  const groups = useInfiniteQuery(groupListQuery).data
  const secrets = useQuery(secretListQuery).data
  return useMemo(() => {
    if (keys === undefined || groups === undefined || secrets === undefined) return undefined
    return referenceNames(
      keys,
      groups.pages.flatMap((page) => page.items),
      secrets.items,
      group,
    )
  }, [keys, groups, secrets, group])
}
