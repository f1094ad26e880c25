/** What a group would do to the fleet: how many agents change, join and leave, what they lack, who wins where. */
import type { GroupPreview } from '@drover/api'
import { Link } from '@tanstack/react-router'
import { AgentText } from '../../ui/AgentText.tsx'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { ErrorState } from '../../ui/ErrorState.tsx'
import { FragmentTable, OverrideList } from '../../ui/Fragments.tsx'
import { LoadingRows } from '../../ui/Loading.tsx'
import { Notice } from '../../ui/Notice.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { ConnectionBadge } from '../../ui/AgentBadges.tsx'
import { MissingComponents } from './MissingComponents.tsx'
import '../configs/configs.css'
import type { GroupPreviewState } from './use-group-preview.ts'

interface Props {
  readonly preview: GroupPreviewState
  readonly hasSelector: boolean
  readonly title?: string
  /** The group as it is stored: nothing would change, so that is not shown. */
  readonly asIs?: boolean
}

export function GroupPreviewPanel({ preview, hasSelector, title = 'What saving this does', asIs = false }: Props) {
  return (
    <Panel title={title} actions={preview.busy ? <span className="dimmed">working it out…</span> : undefined}>
      {!hasSelector ? (
        <EmptyState title="Write a selector">The agents that match, and what would change for them, appear here.</EmptyState>
      ) : preview.error !== null ? (
        <ErrorState error={preview.error} onRetry={preview.retry} />
      ) : preview.selectorError !== undefined ? (
        <p className="dimmed">The selector cannot be read yet.</p>
      ) : preview.data === undefined ? (
        <LoadingRows rows={4} />
      ) : (
        <Effects preview={preview.data} asIs={asIs} />
      )}
    </Panel>
  )
}

function Effects({ preview, asIs }: { readonly preview: GroupPreview; readonly asIs: boolean }) {
  const findings = preview.findings.filter(({ code }) => code !== 'component-not-available') // told below, as what is missing
  const errors = findings.filter(({ severity }) => severity === 'error')
  const warnings = findings.filter(({ severity }) => severity === 'warning')
  return (
    <div className="stack">
      {!asIs && <Numbers preview={preview} />}
      {preview.notAccepting > 0 && (
        <Notice tone="warn">
          {preview.notAccepting === 1 ? '1 of them does' : `${preview.notAccepting} of them do`} not accept remote configuration, and keep what they run.
        </Notice>
      )}
      {errors.length > 0 && <FindingNotice tone="bad" title="The merged configuration has errors" messages={errors.map(({ message }) => message)} />}
      {warnings.length > 0 && <FindingNotice tone="warn" title="Worth a look" messages={warnings.map(({ message }) => message)} />}
      {preview.missing.length > 0 && (
        <div>
          <h3>Components that agents lack</h3>
          <MissingComponents missing={preview.missing} agents={preview.matching} />
        </div>
      )}
      {preview.sample.length > 0 && <Sample preview={preview} />}
      {preview.combinations.length > 0 && (
        <div className="stack">
          <h3>How it mixes with other groups</h3>
          {preview.combinations.map((combination, index) => (
            <details key={combination.groups.join(' ')} className="combination" open={index === 0}>
              <summary>
                {combination.agents.toLocaleString('en')} {combination.agents === 1 ? 'agent' : 'agents'}: {combination.groups.join(' + ')}
              </summary>
              {combination.fragments.length > 0 && <FragmentTable fragments={combination.fragments} proposed />}
              <div className="panel-body">
                <OverrideList fragments={combination.fragments} overrides={combination.overrides} />
              </div>
            </details>
          ))}
        </div>
      )}
    </div>
  )
}

function Numbers({ preview }: { readonly preview: GroupPreview }) {
  const numbers = [
    ['Matching', preview.matching],
    ['Changing', preview.changing],
    ['Joining', preview.joining],
    ['Leaving', preview.leaving],
  ] as const
  return (
    <dl className="preview-numbers">
      {numbers.map(([label, count]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{count.toLocaleString('en')}</dd>
        </div>
      ))}
    </dl>
  )
}

function FindingNotice({ tone, title, messages }: { readonly tone: 'bad' | 'warn'; readonly title: string; readonly messages: readonly string[] }) {
  return (
    <Notice tone={tone} title={title}>
      <ul style={{ margin: 0, paddingLeft: 18 }}>
        {messages.map((message) => (
          <li key={message}>
            <AgentText text={message} />
          </li>
        ))}
      </ul>
    </Notice>
  )
}

function Sample({ preview }: { readonly preview: GroupPreview }) {
  return (
    <div>
      <h3>{preview.matching > preview.sample.length ? `Some of the ${preview.matching.toLocaleString('en')} agents` : 'The agents'}</h3>
      <ul style={{ margin: '4px 0 0', padding: 0, listStyle: 'none', display: 'grid', gap: 2 }}>
        {preview.sample.slice(0, 8).map((agent) => (
          <li key={agent.id} className="row">
            <Link to="/agents/$agentId" params={{ agentId: agent.id }} target="_blank" className="truncate">
              <AgentText text={agent.name} />
            </Link>
            <ConnectionBadge agent={agent} plain />
          </li>
        ))}
      </ul>
    </div>
  )
}
