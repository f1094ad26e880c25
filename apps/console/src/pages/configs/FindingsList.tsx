/** What the check of a configuration found; a finding with a place is a button that leads there. */
import type { Finding, Validation } from '@drover/api'
import { UnstyledButton } from '@mantine/core'
import type { UseQueryResult } from '@tanstack/react-query'
import type { z } from 'zod'
import { AgentText } from '../../ui/AgentText.tsx'
import { ErrorState } from '../../ui/ErrorState.tsx'
import { LoadingRows } from '../../ui/Loading.tsx'
import { StateBadge } from '../../ui/StateBadge.tsx'
import { sortFindings } from './files.ts'

type Answer = z.output<typeof Validation>

interface Props {
  readonly query: UseQueryResult<Answer>
  readonly checking: boolean
  readonly onGoTo: (finding: Finding) => void
}

export function FindingsList({ query, checking, onGoTo }: Props) {
  if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />
  if (query.data === undefined) return <LoadingRows rows={2} />
  const { findings, targets, valid } = query.data
  return (
    <div className="stack" aria-busy={checking}>
      <output>
        <ValidityLine valid={valid} findings={findings} checking={checking} />
      </output>
      {findings.length > 0 && (
        <ul className="findings">
          {sortFindings(findings).map((finding, index) => (
            <li key={index}>
              <FindingLine finding={finding} onGoTo={onGoTo} />
            </li>
          ))}
        </ul>
      )}
      {targets !== null && <Targets targets={targets} />}
    </div>
  )
}

function ValidityLine({ valid, findings, checking }: { readonly valid: boolean; readonly findings: readonly Finding[]; readonly checking: boolean }) {
  const errors = findings.filter(({ severity }) => severity === 'error').length
  const warnings = findings.length - errors
  const said = [errors > 0 && `${errors} ${errors === 1 ? 'error' : 'errors'}`, warnings > 0 && `${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`]
    .filter(Boolean)
    .join(', ')
  return (
    <span className="row">
      <StateBadge tone={!valid ? 'bad' : warnings > 0 ? 'warn' : 'ok'}>{said === '' ? 'No problems found' : said}</StateBadge>
      {checking && <span className="dimmed">checking…</span>}
    </span>
  )
}

function FindingLine({ finding, onGoTo }: { readonly finding: Finding; readonly onGoTo: (finding: Finding) => void }) {
  const place = finding.line === undefined ? finding.path : `${finding.file ? `${finding.file}:` : ''}${finding.line}:${finding.column ?? 1}`
  const body = (
    <>
      <StateBadge tone={finding.severity === 'error' ? 'bad' : 'warn'} plain>
        {finding.severity === 'error' ? 'Error' : 'Warning'}
      </StateBadge>
      <span className="finding-message">
        <AgentText text={finding.message} />
        {place !== undefined && <code className="finding-place">{place}</code>}
      </span>
    </>
  )
  if (finding.line === undefined) return <div className="finding">{body}</div>
  return (
    <UnstyledButton className="finding" onClick={() => onGoTo(finding)} title="Go there">
      {body}
    </UnstyledButton>
  )
}

/** Which agents the check could look at; what they lack is among the findings. */
function Targets({ targets }: { readonly targets: NonNullable<Answer['targets']> }) {
  if (targets.agents === 0) return <p className="dimmed">No agent is in this group now.</p>
  return (
    <div>
      <h3>
        {targets.checked} of {targets.agents} {targets.agents === 1 ? 'agent' : 'agents'} could be checked
      </h3>
      {targets.missing.length === 0 && targets.checked > 0 && <p>All of them contain every component that is used.</p>}
      {targets.checked < targets.agents && <p className="dimmed">The others have not reported which components they contain.</p>}
    </div>
  )
}
