/** The waves of a preview as rows of a chart: each begins where the one before ends, and equal ones in a row are told together when there are many. Pure. */
import type { RolloutPreview } from '@drover/api'

type Wave = RolloutPreview['waves'][number]

export interface PreviewRow {
  /** Of waves, counted from 0; `last` counts as well. */
  readonly first: number
  readonly last: number
  readonly label: string
  /** Of all its waves. */
  readonly agents: number
  readonly connected: number
  /** Agents of the waves before it. */
  readonly before: number
  readonly soakMs: number
}

/** So many waves have a row each. */
const MOST_SINGLE = 10
const MOST_ROWS = 16

export function previewRows(waves: readonly Wave[]): readonly PreviewRow[] {
  const single = rowsOf(waves, () => false)
  if (single.length <= MOST_SINGLE) return single
  const merged = rowsOf(waves, (row, wave) => row.soakMs === wave.soakMs && row.agents / (row.last - row.first + 1) === wave.agents)
  if (merged.length <= MOST_ROWS) return merged
  // Many waves of many sizes: what comes after the first ones is told as a whole.
  const shown = merged.slice(0, MOST_ROWS - 1)
  const from = (shown.at(-1)?.last ?? -1) + 1
  return [...shown, ...rowsOf(waves, (row) => row.first >= from).slice(shownRows(waves, from))]
}

/** How many rows stand before wave `from` when none of them is joined. */
const shownRows = (waves: readonly Wave[], from: number): number => rowsOf(waves.slice(0, from), () => false).length

function rowsOf(waves: readonly Wave[], joins: (row: PreviewRow, wave: Wave) => boolean): readonly PreviewRow[] {
  const rows: PreviewRow[] = []
  let before = 0
  waves.forEach((wave, index) => {
    const row = rows.at(-1)
    if (row !== undefined && joins(row, wave))
      rows[rows.length - 1] = { ...row, last: index, agents: row.agents + wave.agents, connected: row.connected + wave.connected }
    else rows.push({ first: index, last: index, label: wave.label, agents: wave.agents, connected: wave.connected, before, soakMs: wave.soakMs })
    before += wave.agents
  })
  return rows
}
