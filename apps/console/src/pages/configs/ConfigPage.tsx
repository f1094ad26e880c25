/** One config: its versions, the text and pipelines of the one chosen, what it changed, and who uses it. */
import type { Config, ConfigVersion } from '@drover/api'
import { Button, Select, Tabs } from '@mantine/core'
import { IconPencil, IconTrash } from '@tabler/icons-react'
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { api, isNotFound } from '../../api/client.ts'
import { configQuery, versionListQuery, versionQuery } from '../../api/queries.ts'
import { draftListQuery } from '../../api/settings-queries.ts'
import { ActionButton } from '../../ui/ActionButton.tsx'
import { AgentText } from '../../ui/AgentText.tsx'
import { ConfirmDialog } from '../../ui/ConfirmDialog.tsx'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { LinkButton } from '../../ui/LinkButton.tsx'
import { LoadingPage } from '../../ui/Loading.tsx'
import { Notice } from '../../ui/Notice.tsx'
import { PageHeader } from '../../ui/PageHeader.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { RelativeTime } from '../../ui/RelativeTime.tsx'
import { useReadOnlyReason } from '../../ui/access.ts'
import { joinFiles } from '../../ui/editor/comparable-yaml.ts'
import { Diff, ReadOnlyYaml } from '../../ui/editor/lazy.tsx'
import { toastDone } from '../../ui/toasts.ts'
import { PipelineView } from './PipelineView.tsx'
import './configs.css'

export function ConfigPage() {
  const { name } = useParams({ from: '/shell/configs/$name' })
  const query = useQuery(configQuery(name))
  if (isNotFound(query.error))
    return (
      <>
        <PageHeader title={name} parent={<Link to="/configs">Configs</Link>} />
        <div className="panel">
          <EmptyState title="There is no such config" action={<Link to="/configs">All configs</Link>}>
            It may have been deleted.
          </EmptyState>
        </div>
      </>
    )
  return (
    <QueryView query={query} loading={<LoadingPage />}>
      {({ data: config }) => <Shown config={config} />}
    </QueryView>
  )
}

function Shown({ config }: { readonly config: Config }) {
  const search = useSearch({ from: '/shell/configs/$name' })
  const version = search.version === undefined ? config.latest.version : Number(search.version)
  return (
    <>
      <PageHeader
        title={config.name}
        parent={<Link to="/configs">Configs</Link>}
        below={
          config.description === '' ? undefined : (
            <span className="dimmed">
              <AgentText text={config.description} />
            </span>
          )
        }
        actions={<Actions config={config} version={version} />}
      />
      <DraftNotice config={config} />
      <div className="columns">
        <div className="span-3 stack">
          <Versions config={config} shown={version} />
          <UsedBy config={config} />
        </div>
        <div className="span-9 stack">
          <VersionView config={config} version={version} />
        </div>
      </div>
    </>
  )
}

/** Somebody is at work on the next version. */
function DraftNotice({ config }: { readonly config: Config }) {
  const draft = useQuery(draftListQuery).data?.items.find((one) => one.config === config.name)
  if (draft === undefined) return null
  return (
    <div style={{ marginBottom: 14 }}>
      <Notice tone="idle">
        <span>
          {draft.updatedBy} has a draft of the next version, edited <RelativeTime at={draft.updatedAt} />.{' '}
          <Link to="/configs/$name/edit" params={{ name: config.name }}>
            Go on with it
          </Link>
        </span>
      </Notice>
    </div>
  )
}

function Actions({ config, version }: { readonly config: Config; readonly version: number }) {
  const readOnly = useReadOnlyReason()
  const navigate = useNavigate()
  const client = useQueryClient()
  const [asking, setAsking] = useState(false)
  const remove = useMutation({
    mutationFn: () => api.deleteConfig({ params: { name: config.name } }),
    onSuccess: async () => {
      toastDone(`Config ${config.name} was deleted`)
      await navigate({ to: '/configs' })
      await client.invalidateQueries({ queryKey: ['configs'], refetchType: 'none' })
    },
  })
  const inUse = config.usedBy.length > 0 ? `It is used by ${config.usedBy.map(({ group }) => group).join(', ')}` : undefined
  return (
    <>
      <ActionButton variant="default" leftSection={<IconTrash size={14} aria-hidden />} disabledReason={readOnly ?? inUse} onClick={() => setAsking(true)}>
        Delete
      </ActionButton>
      <LinkButton to="/create/group" search={{ config: `${config.name}@${version}` }} variant="default">
        Use in a new group
      </LinkButton>
      <LinkButton
        to="/configs/$name/edit"
        params={{ name: config.name }}
        search={version === config.latest.version ? {} : { version: String(version) }}
        leftSection={<IconPencil size={14} aria-hidden />}
      >
        {version === config.latest.version ? 'Edit' : `Edit from version ${version}`}
      </LinkButton>
      <ConfirmDialog
        opened={asking}
        title={`Delete config ${config.name}?`}
        confirmLabel="Delete"
        danger
        busy={remove.isPending}
        error={remove.error}
        onConfirm={() => remove.mutate()}
        onClose={() => setAsking(false)}
      >
        <p>Its {config.latest.version} versions are deleted with it. No group uses it, so no agent changes.</p>
      </ConfirmDialog>
    </>
  )
}

function Versions({ config, shown }: { readonly config: Config; readonly shown: number }) {
  const { tab } = useSearch({ from: '/shell/configs/$name' })
  const query = useInfiniteQuery(versionListQuery(config.name))
  const versions = query.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <Panel
      title="Versions"
      flush
      footer={
        query.hasNextPage ? (
          <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            Earlier versions
          </Button>
        ) : undefined
      }
    >
      <QueryView query={query}>
        {() => (
          <ol className="version-list" reversed>
            {versions.map((version) => (
              <li key={version.version}>
                <Link
                  to="/configs/$name"
                  params={{ name: config.name }}
                  search={{ ...(tab === undefined ? {} : { tab }), version: String(version.version) }}
                  aria-current={version.version === shown || undefined}
                >
                  <span>
                    <strong>{version.version}</strong> {version.message || <span className="dimmed">no message</span>}
                  </span>
                  <span className="dimmed">
                    {version.author}, <RelativeTime at={version.createdAt} />
                  </span>
                </Link>
              </li>
            ))}
          </ol>
        )}
      </QueryView>
    </Panel>
  )
}

function UsedBy({ config }: { readonly config: Config }) {
  return (
    <Panel title="Used by">
      {config.usedBy.length === 0 ? (
        <p className="dimmed">No group. Agents get a config through a group.</p>
      ) : (
        <ul style={{ margin: 0, padding: 0, listStyle: 'none', display: 'grid', gap: 4 }}>
          {config.usedBy.map(({ group, version }) => (
            <li key={`${group} ${version}`} className="row">
              <Link to="/groups/$name" params={{ name: group }} className="truncate">
                {group}
              </Link>
              <span className="dimmed nowrap">
                version {version}
                {version < config.latest.version ? ', not the newest' : ''}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}

const tabs = ['text', 'changes', 'pipelines'] as const

function VersionView({ config, version }: { readonly config: Config; readonly version: number }) {
  const query = useQuery(versionQuery(config.name, version))
  const search = useSearch({ from: '/shell/configs/$name' })
  const navigate = useNavigate()
  const tab = tabs.find((known) => known === search.tab) ?? 'text'
  return (
    <QueryView query={query}>
      {(data) => (
        <Tabs
          value={tab}
          keepMounted={false}
          onChange={(value) =>
            void navigate({
              to: '/configs/$name',
              params: { name: config.name },
              search: { ...search, ...(value === null ? {} : { tab: value }) },
              replace: true,
            })
          }
        >
          <Tabs.List aria-label="Parts of the version">
            <Tabs.Tab value="text">Version {data.version}</Tabs.Tab>
            <Tabs.Tab value="changes">What it changed</Tabs.Tab>
            <Tabs.Tab value="pipelines">Pipelines</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="text" pt="sm">
            <VersionText version={data} />
          </Tabs.Panel>
          <Tabs.Panel value="changes" pt="sm">
            <Changes config={config} version={data} from={search.from === undefined ? data.version - 1 : Number(search.from)} />
          </Tabs.Panel>
          <Tabs.Panel value="pipelines" pt="sm">
            <Panel title="Pipelines">
              <Pipelines version={data} />
            </Panel>
          </Tabs.Panel>
        </Tabs>
      )}
    </QueryView>
  )
}

function Pipelines({ version }: { readonly version: ConfigVersion }) {
  const texts = useMemo(() => version.files.map(({ body }) => body), [version])
  return <PipelineView texts={texts} />
}

function VersionText({ version }: { readonly version: ConfigVersion }) {
  return (
    <div className="stack">
      {version.findings.length > 0 && (
        <Notice tone="warn" title={version.findings.length === 1 ? '1 finding' : `${version.findings.length} findings`}>
          <ul style={{ margin: 0, paddingLeft: 18 }}>
            {version.findings.map((finding, index) => (
              <li key={index}>
                {finding.line !== undefined && (
                  <code>
                    {finding.line}:{finding.column ?? 1}
                  </code>
                )}{' '}
                {finding.message}
              </li>
            ))}
          </ul>
        </Notice>
      )}
      {version.files.map((file) => (
        <div key={file.name}>
          {version.files.length > 1 && <h3 className="mono">{file.name}</h3>}
          <ReadOnlyYaml label={`Configuration file ${file.name}`} text={file.body} />
        </div>
      ))}
    </div>
  )
}

function Changes({ config, version, from }: { readonly config: Config; readonly version: ConfigVersion; readonly from: number }) {
  const navigate = useNavigate()
  const search = useSearch({ from: '/shell/configs/$name' })
  const base = useQuery({ ...versionQuery(config.name, from), enabled: from > 0 })
  const choices = Array.from({ length: config.latest.version }, (_, index) => config.latest.version - index).filter((number) => number !== version.version)
  const sides = useMemo(() => {
    const before = { label: from > 0 ? `Version ${from}` : 'Nothing', text: base.data === undefined ? '' : joinFiles(base.data.files) }
    return { before, after: { label: `Version ${version.version}`, text: joinFiles(version.files) } }
  }, [base.data, from, version])
  return (
    <div className="stack">
      {choices.length > 0 && (
        <Select
          label="Compare with"
          data={choices.map((number) => ({ value: String(number), label: `Version ${number}` }))}
          value={from > 0 ? String(from) : null}
          placeholder="Nothing before"
          onChange={(value) =>
            value !== null && void navigate({ to: '/configs/$name', params: { name: config.name }, search: { ...search, from: value }, replace: true })
          }
          allowDeselect={false}
          w={200}
        />
      )}
      {from > 0 ? (
        <QueryView query={base}>{() => <Diff key={from} before={sides.before} after={sides.after} />}</QueryView>
      ) : (
        <Diff before={sides.before} after={sides.after} />
      )}
    </div>
  )
}
