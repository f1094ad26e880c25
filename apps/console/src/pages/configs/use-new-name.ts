/** Is a name for a new config free? */
import { queryOptions, useQuery } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import { nameError } from '../../ui/resource-name.ts'

export type NameUse = 'free' | 'config' | 'draft'

const LIST_LIMIT = 500

/** By lists, since a browser reports each 404 as an error of the page. */
export const nameUseQuery = (name: string) =>
  queryOptions({
    queryKey: ['new-name', name],
    queryFn: async ({ signal }): Promise<NameUse> => {
      const [configs, drafts] = await Promise.all([
        api.listConfigs({ query: { search: name, limit: LIST_LIMIT }, signal }),
        api.listDrafts({ query: { limit: LIST_LIMIT }, signal }),
      ])
      if (configs.data.items.some((config) => config.name === name)) return 'config'
      return drafts.data.items.some((draft) => draft.config === name) ? 'draft' : 'free'
    },
    // Once a draft is saved under the name it is taken, but by this page.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  })

/** undefined: not known yet, or no name. `own`: a name that this page has a draft under. */
export function useNameUse(name: string, own: string | undefined): NameUse | undefined {
  const asked = name !== '' && name !== own && nameError(name) === undefined
  const query = useQuery({ ...nameUseQuery(name), enabled: asked })
  return name !== '' && name === own ? 'free' : asked ? query.data : undefined
}
