/** How changes of a group go out unless somebody says otherwise. */
import type { RolloutPlan } from '@drover/api'
import { Select } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { presetsQuery } from '../../api/rollout-queries.ts'
import { QueryView } from '../../ui/QueryView.tsx'
import { PlanEditor } from '../rollouts/start/PlanEditor.tsx'
import { planErrors } from '../rollouts/start/plan-form.ts'

interface Props {
  readonly plan: RolloutPlan | null
  readonly onChange: (plan: RolloutPlan | null) => void
}

export function GroupPlanField({ plan, onChange }: Props) {
  const presets = useQuery(presetsQuery)
  const [own, setOwn] = useState(false)
  return (
    <QueryView query={presets}>
      {(items) => {
        const staged = items.filter((preset) => preset.staged)
        const chosen = plan === null ? 'standard' : own ? 'own' : (staged.find((preset) => JSON.stringify(preset.plan) === JSON.stringify(plan))?.name ?? 'own')
        const choose = (value: string | null) => {
          setOwn(value === 'own')
          if (value === 'own') return onChange(plan ?? staged.find(({ name }) => name === 'standard')?.plan ?? null)
          onChange(value === 'standard' ? null : (staged.find(({ name }) => name === value)?.plan ?? null))
        }
        return (
          <div className="stack">
            <Select
              label="Changes of this group go out by"
              description="Whoever starts a rollout can choose another plan for it"
              data={[...staged.map(({ name, title }) => ({ value: name as string, label: title })), { value: 'own', label: 'Own plan' }]}
              value={chosen}
              onChange={choose}
              allowDeselect={false}
              maw={280}
            />
            {chosen === 'own' && plan !== null ? (
              <PlanEditor plan={plan} onChange={onChange} errors={planErrors(plan)} />
            ) : (
              <p className="dimmed">{staged.find(({ name }) => name === chosen)?.description}</p>
            )}
          </div>
        )
      }}
    </QueryView>
  )
}
