/** Labels that people give an agent; saved only when nobody else changed it meanwhile. */
import type { AgentDetail } from '@drover/api'
import { ActionIcon, Button, TextInput } from '@mantine/core'
import { IconPlus, IconX } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { api, isConflict } from '../../api/client.ts'
import { agentQuery } from '../../api/queries.ts'
import { ActionButton } from '../../ui/ActionButton.tsx'
import { AgentText } from '../../ui/AgentText.tsx'
import { ErrorState } from '../../ui/ErrorState.tsx'
import { Facts } from '../../ui/Facts.tsx'
import { Notice } from '../../ui/Notice.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { useReadOnlyReason } from '../../ui/access.ts'
import { toastDone } from '../../ui/toasts.ts'
import { type LabelRow, labelsOf, rowError, rowsOf } from './labels.ts'

interface Props {
  readonly agent: AgentDetail
  readonly etag: string | null
}

export function LabelsEditor({ agent, etag }: Props) {
  const readOnly = useReadOnlyReason()
  const [editing, setEditing] = useState<{ readonly etag: string | null }>()
  const labels = Object.entries(agent.labels)
  if (editing !== undefined)
    return (
      <Panel title="Labels">
        <LabelsForm agent={agent} etag={editing.etag} newestEtag={etag} onDone={() => setEditing(undefined)} />
      </Panel>
    )
  return (
    <Panel
      title="Labels"
      actions={
        <ActionButton variant="default" size="compact-xs" disabledReason={readOnly} onClick={() => setEditing({ etag })}>
          Edit
        </ActionButton>
      }
    >
      {labels.length === 0 ? (
        <p className="dimmed">
          None. Labels are your own words for agents, such as a site or a team; selectors use them as <code>label.site</code>.
        </p>
      ) : (
        <Facts items={labels.map(([key, value]) => [key, <AgentText key={key} text={value} />] as const)} />
      )}
    </Panel>
  )
}

function LabelsForm(props: Props & { readonly newestEtag: string | null; readonly onDone: () => void }) {
  const client = useQueryClient()
  const [rows, setRows] = useState<readonly LabelRow[]>(() => [...rowsOf(props.agent.labels), { id: 1_000, key: '', value: '' }])
  const [etag, setEtag] = useState(props.etag)
  const save = useMutation({
    mutationFn: () => api.setLabels({ params: { agentId: props.agent.id }, body: { labels: labelsOf(rows) }, ...(etag === null ? {} : { ifMatch: etag }) }),
    onSuccess: (answer) => {
      client.setQueryData(agentQuery(props.agent.id).queryKey, answer)
      toastDone('Labels saved')
      props.onDone()
    },
  })
  const change = (id: number, part: Partial<LabelRow>) => setRows(rows.map((row) => (row.id === id ? { ...row, ...part } : row)))
  const errors = new Map(rows.map((row) => [row.id, rowError(row, rows)]))
  const submit = (event: FormEvent) => {
    event.preventDefault()
    save.mutate()
  }
  return (
    <form onSubmit={submit} className="stack">
      {rows.map((row, index) => (
        <div key={row.id} className="label-row">
          <TextInput
            aria-label={`Name of label ${index + 1}`}
            placeholder="site"
            value={row.key}
            error={errors.get(row.id)}
            onChange={(event) => change(row.id, { key: event.currentTarget.value })}
            data-autofocus={index === 0 || undefined}
          />
          <TextInput
            aria-label={`Value of label ${index + 1}`}
            placeholder="berlin"
            maxLength={255}
            value={row.value}
            onChange={(event) => change(row.id, { value: event.currentTarget.value })}
          />
          <ActionIcon aria-label={`Remove label ${row.key || index + 1}`} onClick={() => setRows(rows.filter((other) => other.id !== row.id))}>
            <IconX size={14} aria-hidden />
          </ActionIcon>
        </div>
      ))}
      {save.isError && isConflict(save.error) ? (
        <Notice tone="warn" title="The agent changed while you were editing" urgent>
          <span>
            Now:{' '}
            {Object.entries(props.agent.labels)
              .map(([key, value]) => `${key}=${value}`)
              .join(', ') || 'no labels'}
            . Saving again replaces that with what you see here.
          </span>
          <div>
            <Button
              variant="default"
              onClick={() => {
                setEtag(props.newestEtag)
                save.reset()
              }}
            >
              I have seen it
            </Button>
          </div>
        </Notice>
      ) : (
        save.isError && <ErrorState error={save.error} />
      )}
      <div className="row">
        <Button
          variant="default"
          leftSection={<IconPlus size={14} aria-hidden />}
          onClick={() => setRows([...rows, { id: Math.max(1_000, ...rows.map(({ id }) => id)) + 1, key: '', value: '' }])}
        >
          Another label
        </Button>
        <span style={{ marginLeft: 'auto' }} />
        <Button variant="default" onClick={props.onDone}>
          Cancel
        </Button>
        <Button type="submit" loading={save.isPending} disabled={[...errors.values()].some((error) => error !== undefined)}>
          Save labels
        </Button>
      </div>
    </form>
  )
}
