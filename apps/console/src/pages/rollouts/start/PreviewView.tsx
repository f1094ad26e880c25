/** Whom a change reaches in which wave, before anything happens. */
import type { RolloutPreview } from '@drover/api'
import { Link } from '@tanstack/react-router'
import { AgentText } from '../../../ui/AgentText.tsx'
import { Notice } from '../../../ui/Notice.tsx'
import { MissingComponents } from '../../groups/MissingComponents.tsx'
import { PreviewWaves } from './PreviewWaves.tsx'
import { missingInAll, previewSentence } from './start-choice.ts'

export function PreviewView({ preview }: { readonly preview: RolloutPreview }) {
  return (
    <div className="stack">
      <p className="preview-sentence">{previewSentence(preview)}</p>
      <Obstacles preview={preview} />
      {preview.waves.length > 0 && <PreviewWaves preview={preview} />}
      {preview.plan.length > 0 && (
        <div>
          <h3>How it goes</h3>
          <ul className="callout-list">
            {preview.plan.map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
        </div>
      )}
    </div>
  )
}

function Obstacles({ preview }: { readonly preview: RolloutPreview }) {
  const { findings, blockers, supersedes, notAccepting } = preview
  const pauses = findings.filter(({ code }) => code === 'gate-without-evidence')
  const shown = findings.filter((finding) => finding.code !== 'component-not-available' && !pauses.includes(finding)) // told below, as what is missing
  const missing = missingInAll(preview)
  return (
    <>
      {shown.length > 0 && (
        <Notice tone={shown.some(({ severity }) => severity === 'error') ? 'bad' : 'warn'} title="The configuration">
          <ul className="callout-list">
            {shown.map(({ message }) => (
              <li key={message}>
                <AgentText text={message} />
              </li>
            ))}
          </ul>
        </Notice>
      )}
      {pauses.map(({ message }) => (
        <Notice key={message} tone="warn" title="It would pause">
          <p className="sentence">{message}.</p>
        </Notice>
      ))}
      {missing.length > 0 && (
        <Notice tone="warn" title="Some agents lack what the change uses, and would fail it">
          <MissingComponents missing={missing} agents={preview.agents} />
        </Notice>
      )}
      {notAccepting > 0 && (
        <Notice tone="idle">
          {notAccepting === 1 ? '1 agent does' : `${notAccepting.toLocaleString('en')} agents do`} not accept remote configuration, and keep what they run.
        </Notice>
      )}
      {supersedes !== null && (
        <Notice tone="warn">
          <p>
            It takes over from{' '}
            <Link to="/rollouts/$rolloutId" params={{ rolloutId: supersedes }} target="_blank">
              the rollout that is under way
            </Link>
            : agents keep what they have until this one reaches them.
          </p>
        </Notice>
      )}
      {blockers.length > 0 && (
        <Notice tone="idle">
          <p>
            It waits for{' '}
            {blockers.map(({ id, group }, index) => (
              <span key={id}>
                {index > 0 && ', '}
                <Link to="/rollouts/$rolloutId" params={{ rolloutId: id }} target="_blank">
                  the rollout of {group}
                </Link>
              </span>
            ))}
            , which some of the same agents are in.
          </p>
        </Notice>
      )}
    </>
  )
}
