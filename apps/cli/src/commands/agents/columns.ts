/** How agents look in tables. */
import type { AgentSummary } from '@drover/api'
import type { Paint } from '../../output/colour.ts'
import type { Column } from '../../output/table.ts'
import { formatAgo } from '../../output/time.ts'

export const agentColumns = (now: number): readonly Column<AgentSummary>[] => [
  { title: 'ID', value: ({ id }) => id },
  { title: 'NAME', value: ({ name }) => name, flexible: true },
  { title: 'SERVICE', value: ({ serviceName, serviceVersion }) => [serviceName, serviceVersion].filter(Boolean).join(' '), flexible: true },
  { title: 'CONNECTED', value: connection, paint: ({ connected, stale }) => (connected && !stale ? 'good' : 'bad') },
  { title: 'HEALTHY', value: health, paint: ({ healthy }) => (healthy === null ? 'dim' : healthy ? 'good' : 'bad') },
  { title: 'CONFIG', value: ({ configState }) => configState, paint: ({ configState }) => configPaint[configState] },
  { title: 'GROUPS', value: ({ groups }) => groups.join(','), flexible: true },
  { title: 'LAST SEEN', value: ({ lastSeenAt }) => formatAgo(lastSeenAt, now) },
]

export function connection({ connected, stale }: Pick<AgentSummary, 'connected' | 'stale'>): string {
  if (!connected) return 'no'
  return stale ? 'stale' : 'yes'
}

export function health({ healthy }: Pick<AgentSummary, 'healthy'>): string {
  if (healthy === null) return 'unknown'
  return healthy ? 'yes' : 'no'
}

export const configPaint: Readonly<Record<AgentSummary['configState'], Paint>> = {
  unmanaged: 'dim',
  notAccepted: 'dim',
  pending: 'busy',
  offered: 'busy',
  applying: 'busy',
  applied: 'good',
  failed: 'bad',
  restored: 'bad',
  timedOut: 'bad',
}
