/** A new config: from a template, from a draft, or from a small working one. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link, useSearch } from '@tanstack/react-router'
import { configListQuery } from '../../api/queries.ts'
import { draftListQuery, templateListQuery } from '../../api/settings-queries.ts'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { LoadingPage } from '../../ui/Loading.tsx'
import { PageHeader } from '../../ui/PageHeader.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { freeConfigName } from '../templates/needs.ts'
import { NewConfigEditor } from './NewConfigEditor.tsx'
import { readDraft } from './drafts/use-draft.ts'
import { firstPoint, pointOfTemplate } from './starting-points.ts'

export function CreateConfigPage() {
  const { template, draft } = useSearch({ from: '/shell/create/config' })
  if (draft !== undefined) return <FromDraft key={draft} config={draft} />
  if (template !== undefined) return <FromTemplate key={template} name={template} />
  return <NewConfigEditor begin={{ point: firstPoint, name: '', description: '', message: '' }} />
}

function FromTemplate({ name }: { readonly name: string }) {
  const templates = useQuery(templateListQuery)
  const configs = useInfiniteQuery(configListQuery())
  const drafts = useQuery(draftListQuery)
  // A name that is free is a convenience: without the lists the template's own is offered.
  const known = (!configs.isPending || configs.isError) && (!drafts.isPending || drafts.isError)
  if (!known) return <LoadingPage />
  const taken = [
    ...(configs.data?.pages.flatMap((page) => page.items.map((config) => config.name)) ?? []),
    ...(drafts.data?.items.map((one) => one.config) ?? []),
  ]
  return (
    <QueryView query={templates} loading={<LoadingPage />}>
      {(items) => {
        const template = items.find((one) => one.name === name)
        if (template === undefined) return <NotThere title="There is no such template">Its name may have been mistyped.</NotThere>
        const begin = {
          point: pointOfTemplate(template),
          name: freeConfigName(template.name, taken),
          description: template.title,
          message: `From the template ${template.title}`,
        }
        return <NewConfigEditor begin={begin} />
      }}
    </QueryView>
  )
}

function FromDraft({ config }: { readonly config: string }) {
  const query = useQuery({
    queryKey: ['new-config-draft', config],
    queryFn: async ({ signal }) => ({ found: await readDraft(config, signal) }),
    // What is edited stays what it was at the start.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  })
  return (
    <QueryView query={query} loading={<LoadingPage />}>
      {({ found }) => {
        if (found === undefined) return <NotThere title="There is no such draft">It may have been published or thrown away.</NotThere>
        const { description, message, files } = found.stored.content
        return <NewConfigEditor begin={{ point: { ...firstPoint, id: 'draft', files }, name: config, description, message }} stored={found.stored} />
      }}
    </QueryView>
  )
}

function NotThere({ title, children }: { readonly title: string; readonly children: string }) {
  return (
    <>
      <PageHeader title="New config" parent={<Link to="/configs">Configs</Link>} />
      <div className="panel">
        <EmptyState title={title} action={<Link to="/create/config">Begin a new config</Link>}>
          {children}
        </EmptyState>
      </div>
    </>
  )
}
