/** Tokens that agents sign in with. */
import { IconPlus } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import { enrolmentTokensQuery } from '../../api/queries.ts'
import { ActionButton } from '../../ui/ActionButton.tsx'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { useReadOnlyReason } from '../../ui/access.ts'
import { useAddAgent } from '../add-agent/AddAgentProvider.tsx'
import { TokenTable } from './TokenTable.tsx'

export function EnrolmentTokens() {
  const query = useQuery(enrolmentTokensQuery)
  const addAgent = useAddAgent()
  const readOnly = useReadOnlyReason()
  return (
    <Panel
      title="Enrolment tokens"
      flush
      actions={
        <ActionButton leftSection={<IconPlus size={14} aria-hidden />} disabledReason={readOnly} onClick={addAgent}>
          New enrolment token
        </ActionButton>
      }
    >
      <QueryView query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <EmptyState title="No enrolment token">Agents sign in with one. Adding an agent makes it, and shows the file to paste.</EmptyState>
          ) : (
            <TokenTable
              label="Enrolment tokens table"
              tokens={items}
              own={{ header: 'Connected agents', cell: (token) => token.connectedAgents.toLocaleString('en') }}
              revoke={(id) => api.revokeEnrolmentToken({ params: { id } })}
              consequence={(token) =>
                `${token.connectedAgents.toLocaleString('en')} connected ${token.connectedAgents === 1 ? 'agent is' : 'agents are'} disconnected at once and cannot return with this token. They keep running what they run.`
              }
            />
          )
        }
      </QueryView>
    </Panel>
  )
}
