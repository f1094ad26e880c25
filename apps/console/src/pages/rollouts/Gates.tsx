/** Every gate of the plan with its verdict, its sentence and its numbers. */
import type { Rollout } from '@drover/api'
import { isOver } from '../../api/rollout-stream.ts'
import { AgentText } from '../../ui/AgentText.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { StateBadge } from '../../ui/StateBadge.tsx'
import { verdicts } from '../../ui/rollout-states.ts'
import { Numbers } from './Numbers.tsx'

export function Gates({ rollout }: { readonly rollout: Rollout }) {
  const { gates, wave } = rollout
  const isEnded = isOver(rollout) || rollout.state === 'rollingBack'
  return (
    <Panel title="Gates" actions={wave === null ? undefined : <span className="dimmed">of wave {wave.number}</span>} flush>
      {gates.length === 0 ? (
        <p className="panel-body dimmed">
          {rollout.plan.gates.length === 0 ? 'The plan asks for nothing: a wave passes when its agents have answered.' : 'Nothing is judged yet.'}
        </p>
      ) : (
        <ul className="gates">
          {gates.map((gate) => {
            const look = verdicts[gate.verdict ?? (isEnded ? 'ended' : 'none')]
            return (
              <li key={gate.gate} data-tone={look.tone}>
                <StateBadge tone={look.tone} title={look.meaning} {...(gate.verdict === null ? { mark: 'dashed' as const } : {})}>
                  {look.label}
                </StateBadge>
                <div>
                  <span className="gate-title">{gate.title}</span>
                  {gate.text !== '' && (
                    <p className="dimmed wrap-anywhere">
                      <AgentText text={gate.text} />
                    </p>
                  )}
                  <Numbers numbers={gate.numbers} {...(gate.verdict !== null && gate.round > 0 ? { note: `round ${gate.round}` } : {})} />
                </div>
              </li>
            )
          })}
        </ul>
      )}
    </Panel>
  )
}
