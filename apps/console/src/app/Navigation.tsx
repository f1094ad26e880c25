/** Links to the areas of the console, and what server this is. */
import {
  IconActivity,
  IconFileCode,
  IconKey,
  IconLayoutDashboard,
  IconListSearch,
  IconLock,
  IconRocket,
  IconServer2,
  IconStack2,
  IconTemplate,
  IconWebhook,
} from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { statusQuery } from '../api/queries.ts'
import { bytes, duration } from '../ui/time.ts'

export function Navigation() {
  const { data: status } = useQuery({ ...statusQuery, refetchInterval: 30_000 })
  const areas = [
    { to: '/', label: 'Overview', Icon: IconLayoutDashboard, count: undefined },
    { to: '/agents', label: 'Agents', Icon: IconServer2, count: status?.agents.total },
    { to: '/groups', label: 'Groups', Icon: IconStack2, count: status?.groups },
    { to: '/rollouts', label: 'Rollouts', Icon: IconRocket, count: undefined },
    { to: '/configs', label: 'Configs', Icon: IconFileCode, count: status?.configs },
    { to: '/templates', label: 'Templates', Icon: IconTemplate, count: undefined },
    { to: '/secrets', label: 'Secrets', Icon: IconLock, count: undefined },
    { to: '/events', label: 'Events', Icon: IconListSearch, count: undefined },
    { to: '/webhooks', label: 'Webhooks', Icon: IconWebhook, count: undefined },
    { to: '/tokens', label: 'Tokens', Icon: IconKey, count: undefined },
  ] as const
  return (
    <>
      {areas.map(({ to, label, Icon, count }) => (
        <Link key={to} to={to} className="shell-nav-link" activeOptions={{ exact: to === '/', includeSearch: false }}>
          <Icon size={16} stroke={1.7} aria-hidden />
          {label}
          {count !== undefined && <span className="shell-nav-count">{count.toLocaleString('en')}</span>}
        </Link>
      ))}
      {status !== undefined && (
        <div className="shell-nav-foot">
          <span title={`Started ${status.startedAt}`}>
            <IconActivity size={12} aria-hidden style={{ verticalAlign: -1 }} /> Drover {status.version}, up {duration(status.uptimeSeconds)}
          </span>
          <span>{bytes(status.residentBytes)} memory</span>
          <span>{bytes(status.store.bytes)} stored</span>
          {status.demoAgents > 0 && <span>{status.demoAgents.toLocaleString('en')} demo agents</span>}
        </div>
      )}
    </>
  )
}
