/** The plan of a rollout in words. */
import type { Rollout } from '@drover/api'
import { Facts } from '../../ui/Facts.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { absoluteTime } from '../../ui/time.ts'
import { planFacts } from './plan-text.ts'

export function PlanPanel({ plan, preset, deadlineAt }: Pick<Rollout, 'plan' | 'preset' | 'deadlineAt'>) {
  const facts = planFacts(plan)
  return (
    <Panel title="Plan" actions={<span className="dimmed">{preset === 'everyone' ? 'all at once' : (preset ?? 'own plan')}</span>}>
      <Facts items={deadlineAt === null ? facts : [...facts, ['Deadline', absoluteTime(Date.parse(deadlineAt))]]} />
    </Panel>
  )
}
