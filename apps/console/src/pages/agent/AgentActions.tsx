/** Restart, retry, forget: each asks first, and says why when it is not possible. */
import type { AgentDetail } from '@drover/api'
import { IconRefresh, IconRotateClockwise, IconTrash } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import { ActionButton } from '../../ui/ActionButton.tsx'
import { AgentText } from '../../ui/AgentText.tsx'
import { ConfirmDialog } from '../../ui/ConfirmDialog.tsx'
import { useReadOnlyReason } from '../../ui/access.ts'
import { toastDone } from '../../ui/toasts.ts'
import { type AgentAction, actionReasons } from './agent-actions.ts'

const texts: Readonly<Record<AgentAction, { readonly title: string; readonly body: string; readonly confirm: string; readonly danger: boolean }>> = {
  restart: {
    title: 'Restart this agent?',
    body: 'The agent restarts its Collector. Telemetry that it has not passed on may be lost, unless its queues are on disk.',
    confirm: 'Restart',
    danger: false,
  },
  retry: {
    title: 'Offer the failed configuration again?',
    body: 'The agent failed it before. If the cause is still there it fails again, and gets its last good configuration back.',
    confirm: 'Offer it again',
    danger: false,
  },
  forget: {
    title: 'Forget this agent?',
    body: 'Its labels, attempts and state are deleted. When it connects again it comes back as a new agent.',
    confirm: 'Forget',
    danger: true,
  },
}

export function AgentActions({ agent }: { readonly agent: AgentDetail }) {
  const reasons = actionReasons(agent, useReadOnlyReason())
  const [asked, setAsked] = useState<AgentAction>()
  const client = useQueryClient()
  const navigate = useNavigate()
  const run = useMutation({
    mutationFn: (action: AgentAction) => perform(action, agent.id),
    onSuccess: async (message, action) => {
      setAsked(undefined)
      toastDone(message)
      if (action === 'forget') await navigate({ to: '/agents' })
      await client.invalidateQueries({ queryKey: ['agent', agent.id], refetchType: action === 'forget' ? 'none' : 'active' })
    },
  })
  const ask = (action: AgentAction) => {
    run.reset()
    setAsked(action)
  }
  const text = asked === undefined ? undefined : texts[asked]
  return (
    <>
      <ActionButton variant="default" leftSection={<IconRotateClockwise size={14} aria-hidden />} disabledReason={reasons.retry} onClick={() => ask('retry')}>
        Retry configuration
      </ActionButton>
      <ActionButton variant="default" leftSection={<IconRefresh size={14} aria-hidden />} disabledReason={reasons.restart} onClick={() => ask('restart')}>
        Restart
      </ActionButton>
      <ActionButton variant="default" leftSection={<IconTrash size={14} aria-hidden />} disabledReason={reasons.forget} onClick={() => ask('forget')}>
        Forget
      </ActionButton>
      <ConfirmDialog
        opened={text !== undefined}
        title={text?.title ?? ''}
        confirmLabel={text?.confirm ?? ''}
        danger={text?.danger ?? false}
        busy={run.isPending}
        error={run.error}
        onConfirm={() => asked !== undefined && run.mutate(asked)}
        onClose={() => setAsked(undefined)}
      >
        <p>
          <strong>
            <AgentText text={agent.name} />
          </strong>
        </p>
        <p>{text?.body}</p>
      </ConfirmDialog>
    </>
  )
}

/** Carries an action out and says what was done. */
async function perform(action: AgentAction, agentId: string): Promise<string> {
  switch (action) {
    case 'restart': {
      const { data } = await api.restartAgent({ params: { agentId } })
      return data.delivery === 'sent' ? 'The restart command was sent' : 'The restart command goes out with the next poll'
    }
    case 'retry':
      await api.retryAgent({ params: { agentId } })
      return 'The configuration is offered again'
    case 'forget':
      await api.forgetAgent({ params: { agentId } })
      return 'The agent was forgotten'
    default:
      return action satisfies never
  }
}
