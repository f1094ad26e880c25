/** The waves of a preview as bars, before anything happens: how many agents each reaches, and who is among them. */
import type { RolloutPreview } from '@drover/api'
import { VisuallyHidden } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { AgentText } from '../../../ui/AgentText.tsx'
import '../../../ui/rollouts.css'
import { timeText } from '../plan-text.ts'
import { type PreviewRow, previewRows } from './preview-rows.ts'

export function PreviewWaves({ preview }: { readonly preview: RolloutPreview }) {
  const rows = previewRows(preview.waves)
  const total = rows.reduce((sum, { agents }) => sum + agents, 0)
  const [chosen, setChosen] = useState(0)
  const row = rows[chosen] ?? rows[0]
  return (
    <div>
      <ol className="preview-waves" aria-label="Waves">
        {rows.map((one, index) => (
          <li key={one.first}>
            <button type="button" className="preview-wave" aria-pressed={one === row} onClick={() => setChosen(index)}>
              <span className="preview-wave-name">
                <VisuallyHidden>{one.first === one.last ? 'Wave ' : 'Waves '}</VisuallyHidden>
                <strong>{one.first === one.last ? one.first + 1 : `${one.first + 1}–${one.last + 1}`}</strong> {nameOf(one)}
              </span>
              <Bar row={one} total={total} />
              <span className="preview-wave-count">
                {one.agents.toLocaleString('en')}
                <VisuallyHidden> agents, {one.connected.toLocaleString('en')} connected</VisuallyHidden>
              </span>
            </button>
          </li>
        ))}
      </ol>
      {row !== undefined && <Among preview={preview} row={row} />}
    </div>
  )
}

/** The server's label, unless it says what stands beside it anyway. */
const nameOf = ({ label, first, last, agents }: PreviewRow): string =>
  last > first ? `${(last - first + 1).toLocaleString('en')} waves` : label === `${agents} agents` || label === '1 agent' ? '' : label

function Bar({ row, total }: { readonly row: PreviewRow; readonly total: number }) {
  const percent = (count: number) => `${total === 0 ? 0 : (count / total) * 100}%`
  return (
    <span className="preview-bar" aria-hidden>
      <span style={{ left: percent(row.before), width: percent(row.agents) }}>
        <i data-part="has" style={{ flexGrow: row.connected }} title={`${row.connected.toLocaleString('en')} connected`} />
        <i data-part="away" style={{ flexGrow: row.agents - row.connected }} title={`${(row.agents - row.connected).toLocaleString('en')} not connected`} />
      </span>
    </span>
  )
}

function Among({ preview, row }: { readonly preview: RolloutPreview; readonly row: PreviewRow }) {
  const sample = preview.waves[row.first]?.sample ?? []
  const away = row.agents - row.connected
  return (
    <p className="dimmed preview-among">
      {row.first === row.last ? `Wave ${row.first + 1}` : `Waves ${row.first + 1} to ${row.last + 1}`}: {row.agents.toLocaleString('en')}{' '}
      {row.agents === 1 ? 'agent' : 'agents'}
      {away > 0 ? `, ${away.toLocaleString('en')} of them not connected now, which follow when they return` : ''}
      {row.soakMs > 0 ? `; watched for ${timeText(row.soakMs)}${row.first === row.last ? '' : ' each'}` : '; not watched'}
      {sample.length > 0 && (
        <>
          ; {row.agents > sample.length ? 'among them ' : ''}
          {sample.map(({ id, name }, index) => (
            <span key={id}>
              {index > 0 && ', '}
              <Link to="/agents/$agentId" params={{ agentId: id }} target="_blank">
                <AgentText text={name} />
              </Link>
            </span>
          ))}
        </>
      )}
      .
    </p>
  )
}
