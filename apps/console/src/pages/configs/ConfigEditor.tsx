/** The editor of a configuration's files with live checks, the graph of its pipelines, and a target to check against. */
import type { ConfigFile, Finding } from '@drover/api'
import { ActionIcon, Select, TextInput, Tooltip, UnstyledButton } from '@mantine/core'
import { IconPlus, IconTrash } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useDeferredValue, useMemo, useRef, useState } from 'react'
import { groupListQuery } from '../../api/queries.ts'
import { Panel } from '../../ui/Panel.tsx'
import { type EditorHandle, YamlEditor } from '../../ui/editor/YamlEditor.tsx'
import { FindingsList } from './FindingsList.tsx'
import { PipelineView } from './PipelineView.tsx'
import './configs.css'
import { fileNameError, findingsOf, freeFileName } from './files.ts'
import { useReferenceNames } from './use-reference-names.ts'
import { useValidation } from './use-validation.ts'

interface Props {
  readonly files: readonly ConfigFile[]
  readonly onChange: (files: readonly ConfigFile[]) => void
  /** Group to check against at first. */
  readonly defaultGroup?: string | undefined
}

export function ConfigEditor({ files, onChange, defaultGroup }: Props) {
  const [current, setCurrent] = useState(0)
  const [group, setGroup] = useState(defaultGroup)
  const editor = useRef<EditorHandle>(null)
  const { query, checking } = useValidation(files, group)
  const references = useReferenceNames(group)
  const file = files[current] ?? files[0]
  const shown = useMemo(() => findingsOf(query.data?.findings ?? [], file?.name ?? '', files.length === 1), [query.data, file?.name, files.length])
  const bodies = useDeferredValue(useMemo(() => files.map(({ body }) => body), [files]))
  const change = (part: Partial<ConfigFile>) => onChange(files.map((other) => (other === file ? { ...other, ...part } : other)))
  const goTo = (finding: Finding) => {
    const target = files.findIndex(({ name }) => name === finding.file)
    if (target >= 0) setCurrent(target)
    requestAnimationFrame(() => editor.current?.goTo(finding.line ?? 1, finding.column ?? 1))
  }
  if (file === undefined) return null
  return (
    <div className="columns">
      <div className="span-8 stack">
        <Panel title="Files">
          <FileTabs files={files} current={file} onSelect={setCurrent} onChange={onChange} onRename={(name) => change({ name })} />
          <YamlEditor
            key={current}
            label={`Configuration file ${file.name}`}
            value={file.body}
            onChange={(body) => change({ body })}
            findings={shown}
            handle={editor}
            references={references}
            fill
          />
          <p className="dimmed" style={{ marginTop: 6 }}>
            Tab indents nothing here: it leaves the editor. Ctrl-F searches. <code>{'${drover:'}</code> offers what Drover fills in: attributes and labels of
            the agent, variables of the group, secrets.
          </p>
        </Panel>
      </div>
      <div className="span-4 stack">
        <Panel title="Check" actions={<TargetSelect group={group} onChange={setGroup} />}>
          <FindingsList query={query} checking={checking} onGoTo={goTo} />
        </Panel>
      </div>
      <Panel title="Pipelines">
        <PipelineView texts={bodies} />
      </Panel>
    </div>
  )
}

function TargetSelect({ group, onChange }: { readonly group: string | undefined; readonly onChange: (group: string | undefined) => void }) {
  const groups = useInfiniteQuery(groupListQuery)
  const names = groups.data?.pages.flatMap((page) => page.items.map(({ name }) => name)) ?? []
  return (
    <Select
      aria-label="Check against the agents of a group"
      placeholder="Against a group…"
      data={names}
      value={group ?? null}
      onChange={(value) => onChange(value ?? undefined)}
      clearable
      clearButtonProps={{ 'aria-label': 'Against no group' }}
      searchable
      nothingFoundMessage="No such group"
      w={170}
    />
  )
}

interface TabsProps {
  readonly files: readonly ConfigFile[]
  readonly current: ConfigFile
  readonly onSelect: (index: number) => void
  readonly onChange: (files: readonly ConfigFile[]) => void
  readonly onRename: (name: string) => void
}

function FileTabs({ files, current, onSelect, onChange, onRename }: TabsProps) {
  const names = files.map(({ name }) => name)
  const add = () => {
    onChange([...files, { name: freeFileName(names), contentType: 'text/yaml', body: '' }])
    onSelect(files.length)
  }
  return (
    <div className="file-tabs">
      {files.length > 1 &&
        files.map((file, index) => (
          <UnstyledButton key={index} className="file-tab" aria-pressed={file === current} onClick={() => onSelect(index)}>
            {file.name}
          </UnstyledButton>
        ))}
      <Tooltip label="Add a file: several are merged in the order of their names">
        <ActionIcon aria-label="Add a file" onClick={add}>
          <IconPlus size={15} aria-hidden />
        </ActionIcon>
      </Tooltip>
      <TextInput
        aria-label="File name"
        value={current.name}
        onChange={(event) => onRename(event.currentTarget.value)}
        error={fileNameError(
          current.name,
          files.filter((file) => file !== current).map(({ name }) => name),
        )}
        maxLength={255}
        style={{ marginLeft: 'auto' }}
        w={200}
      />
      {files.length > 1 && (
        <ActionIcon
          aria-label={`Remove file ${current.name}`}
          onClick={() => {
            onChange(files.filter((file) => file !== current))
            onSelect(0)
          }}
        >
          <IconTrash size={15} aria-hidden />
        </ActionIcon>
      )}
    </div>
  )
}
