/** The fields of a group with a live preview of what saving it would do. */
import { ActionIcon, NumberInput, Radio, Select, TextInput } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { configListQuery, configQuery } from '../../api/queries.ts'
import { Panel } from '../../ui/Panel.tsx'
import { SelectorInput } from '../../ui/SelectorInput.tsx'
import { nameError } from '../../ui/resource-name.ts'
import { GroupPlanField } from './GroupPlanField.tsx'
import { GroupPreviewPanel } from './GroupPreviewPanel.tsx'
import './groups.css'
import { type GroupDraft, variableNameError } from './group-form.ts'
import { OwnTelemetryFields } from './OwnTelemetryFields.tsx'
import { PairsEditor } from './PairsEditor.tsx'
import type { GroupPreviewState } from './use-group-preview.ts'

interface Props {
  readonly draft: GroupDraft
  readonly onChange: (draft: GroupDraft) => void
  readonly isNew: boolean
  readonly preview: GroupPreviewState
  /** What the server refused, by field. */
  readonly errors: Readonly<Record<string, string>>
  /** Secrets that the group uses now, with the version whose value agents have. */
  readonly secrets?: Readonly<Record<string, number>>
}

export function GroupForm({ draft, onChange, isNew, preview, errors, secrets = {} }: Props) {
  const change = (part: Partial<GroupDraft>) => onChange({ ...draft, ...part })
  return (
    <div className="columns">
      <div className="span-6 stack">
        <Panel title="Which agents">
          <div className="stack">
            {isNew && (
              <TextInput
                label="Name"
                description="Lower-case letters, digits, dots, dashes; it cannot be changed later"
                placeholder="all-linux"
                value={draft.name}
                onChange={(event) => change({ name: event.currentTarget.value })}
                error={errors['name'] ?? (draft.name === '' ? undefined : nameError(draft.name))}
                required
              />
            )}
            <SelectorInput
              label="Selector"
              description="Attributes the agents report, and labels you gave them as label.NAME. * selects every agent"
              placeholder="os.type = linux and label.site in (ber, ham)"
              value={draft.selector}
              onType={(selector) => change({ selector })}
              onCommit={(selector) => change({ selector: selector ?? '' })}
              error={errors['selector'] ?? preview.selectorError}
              required
            />
            <output>
              <MatchCount preview={preview} />
            </output>
            <NumberInput
              label="Priority"
              description="Where several groups match one agent and set the same value, the higher priority wins"
              value={draft.priority}
              onChange={(value) => change({ priority: typeof value === 'number' ? value : 0 })}
              min={-1000}
              max={1000}
              allowDecimal={false}
              error={errors['priority']}
              maw={180}
            />
            <TextInput
              label="Description"
              value={draft.description}
              onChange={(event) => change({ description: event.currentTarget.value })}
              maxLength={500}
              error={errors['description']}
            />
          </div>
        </Panel>
        <Panel title="What they get">
          <ConfigRefs draft={draft} onChange={(configs) => change({ configs })} error={errors['configs']} />
        </Panel>
        <Panel title="Variables and secrets">
          <Values draft={draft} onChange={change} secrets={secrets} />
        </Panel>
        <Panel title="Own telemetry">
          <OwnTelemetryFields value={draft.ownTelemetry} onChange={(ownTelemetry) => change({ ownTelemetry })} />
        </Panel>
        <Panel title="How changes go out">
          <GroupPlanField plan={draft.plan} onChange={(plan) => change({ plan })} />
        </Panel>
        <Panel title="Message">
          <TextInput
            label="What changed and why"
            description="Stands with the revision, for whoever asks later"
            value={draft.message}
            onChange={(event) => change({ message: event.currentTarget.value })}
            maxLength={500}
          />
        </Panel>
      </div>
      <div className="span-6 stack">
        <GroupPreviewPanel preview={preview} hasSelector={draft.selector.trim() !== ''} />
      </div>
    </div>
  )
}

function MatchCount({ preview }: { readonly preview: GroupPreviewState }) {
  if (preview.selectorError !== undefined || preview.data === undefined) return <span className="dimmed">{preview.busy ? 'Counting…' : ''}</span>
  return (
    <span>
      <strong>{preview.data.matching.toLocaleString('en')}</strong> {preview.data.matching === 1 ? 'agent matches' : 'agents match'} now
      {preview.busy ? ' …' : ''}
    </span>
  )
}

interface ValuesProps {
  readonly draft: GroupDraft
  readonly onChange: (part: Partial<GroupDraft>) => void
  readonly secrets: Readonly<Record<string, number>>
}

/** What fills in the references of the configs. */
function Values({ draft, onChange, secrets }: ValuesProps) {
  const used = Object.entries(secrets)
  return (
    <div className="stack">
      <p className="dimmed">
        Configs name them as <code>{'${drover:var.NAME}'}</code>; also <code>{'${drover:agent.ATTRIBUTE}'}</code>, <code>{'${drover:label.NAME}'}</code> and{' '}
        <code>{'${drover:secret.NAME}'}</code>.
      </p>
      <PairsEditor what="variable" pairs={draft.variables} onChange={(variables) => onChange({ variables })} nameError={variableNameError} />
      {used.length > 0 && (
        <Radio.Group
          label="Secrets"
          description={`In use: ${used.map(([name, version]) => `${name} version ${version}`).join(', ')}`}
          value={draft.secrets}
          onChange={(value) => onChange({ secrets: value === 'latest' ? 'latest' : 'keep' })}
        >
          <div className="row" style={{ marginTop: 6 }}>
            <Radio value="keep" label="Keep the values that agents have" />
            <Radio value="latest" label="Take the latest values" />
          </div>
        </Radio.Group>
      )}
    </div>
  )
}

interface RefsProps {
  readonly draft: GroupDraft
  readonly onChange: (configs: GroupDraft['configs']) => void
  readonly error: string | undefined
}

function ConfigRefs({ draft, onChange, error }: RefsProps) {
  const query = useInfiniteQuery(configListQuery())
  const configs = query.data?.pages.flatMap((page) => page.items) ?? []
  const free = configs.filter(({ name }) => !draft.configs.some((ref) => ref.config === name))
  const add = (name: string | null) => {
    const config = configs.find((known) => known.name === name)
    if (config !== undefined) onChange([...draft.configs, { config: config.name, version: config.latest.version }])
  }
  return (
    <div className="stack">
      {draft.configs.length === 0 && <p className="dimmed">No config: members get nothing from this group.</p>}
      {draft.configs.map((ref) => (
        <ConfigRefRow
          key={ref.config}
          reference={ref}
          onVersion={(version) => onChange(draft.configs.map((other) => (other === ref ? { ...other, version } : other)))}
          onRemove={() => onChange(draft.configs.filter((other) => other !== ref))}
        />
      ))}
      <Select
        key={draft.configs.length}
        label="Add a config"
        placeholder={free.length === 0 ? 'No other config' : 'Choose a config'}
        data={free.map(({ name }) => name)}
        value={null}
        onChange={add}
        disabled={free.length === 0}
        searchable
        nothingFoundMessage="No such config"
        error={error}
      />
      {draft.configs.length > 1 && <p className="dimmed">Several configs are merged; a later one wins over an earlier one.</p>}
    </div>
  )
}

function ConfigRefRow(props: {
  readonly reference: GroupDraft['configs'][number]
  readonly onVersion: (version: number) => void
  readonly onRemove: () => void
}) {
  const { config, version } = props.reference
  const { data } = useQuery(configQuery(config))
  const latest = data?.data.latest.version ?? version
  const choices = Array.from({ length: Math.max(latest, version) }, (_, index) => Math.max(latest, version) - index)
  return (
    <div className="config-ref">
      <code className="wrap-anywhere">{config}</code>
      <Select
        aria-label={`Version of ${config}`}
        data={choices.map((number) => ({ value: String(number), label: number === latest ? `version ${number} (newest)` : `version ${number}` }))}
        value={String(version)}
        onChange={(value) => value !== null && props.onVersion(Number(value))}
        allowDeselect={false}
        w={180}
      />
      <ActionIcon aria-label={`Remove ${config}`} onClick={props.onRemove}>
        <IconX size={14} aria-hidden />
      </ActionIcon>
    </div>
  )
}
