/** How many agents are in which state; each number leads to those agents. */
import type { AgentCounts } from '@drover/api'
import { Link } from '@tanstack/react-router'
import type { Tone } from '../../ui/StateBadge.tsx'
import type { AgentState } from '../agents/agent-search.ts'

interface Tile {
  readonly state: AgentState
  readonly label: string
  readonly tone: Tone
  readonly meaning: string
}

const tiles: readonly Tile[] = [
  { state: 'connected', label: 'Connected', tone: 'ok', meaning: 'a connection is open, or the last poll was in time' },
  { state: 'stale', label: 'Stale', tone: 'warn', meaning: 'nothing heard for 2.5 heartbeat intervals' },
  { state: 'healthy', label: 'Healthy', tone: 'ok', meaning: 'report that they are well' },
  { state: 'unhealthy', label: 'Unhealthy', tone: 'bad', meaning: 'report that something is wrong' },
  { state: 'applying', label: 'Applying', tone: 'busy', meaning: 'were offered a configuration and are not done' },
  { state: 'applied', label: 'Applied', tone: 'ok', meaning: 'run the configuration they should have' },
  { state: 'failed', label: 'Failed', tone: 'bad', meaning: 'failed the configuration they should have' },
  { state: 'unmanaged', label: 'Unmanaged', tone: 'idle', meaning: 'get no configuration from any group' },
]

/** `filter`: a selector that the counts were taken under. */
export function CountTiles({ counts, filter }: { readonly counts: AgentCounts; readonly filter?: string }) {
  return (
    <nav className="tiles" aria-label="Agents by state">
      {tiles.map(({ state, label, tone, meaning }) => {
        const count = state === 'disconnected' ? counts.total - counts.connected : counts[state]
        return (
          // A state nobody is in stays quiet.
          <Link
            key={state}
            to="/agents"
            search={filter === undefined ? { state } : { state, filter }}
            className="tile"
            data-tone={count === 0 ? 'idle' : tone}
            title={`Agents that ${meaning}`}
          >
            <span className="tile-label">{label}</span>
            <span className="tile-count">{count.toLocaleString('en')}</span>
            <span className="tile-share">{state === 'connected' ? `of ${counts.total.toLocaleString('en')}` : share(count, counts.total)}</span>
          </Link>
        )
      })}
    </nav>
  )
}

function share(count: number, total: number): string {
  if (total === 0 || count === 0) return '–'
  const percent = (count / total) * 100
  return percent < 1 ? '< 1 %' : `${percent > 99 && count < total ? '> 99' : Math.round(percent)} %`
}
