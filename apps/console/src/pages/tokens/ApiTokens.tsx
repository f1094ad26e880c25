/** Tokens of programs that use the API: the `drover` command, scripts, pipelines. */
import { IconPlus } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import { apiTokensQuery } from '../../api/queries.ts'
import { ActionButton } from '../../ui/ActionButton.tsx'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { useReadOnlyReason } from '../../ui/access.ts'
import { CreateApiTokenDialog } from './CreateApiTokenDialog.tsx'
import { TokenTable } from './TokenTable.tsx'

export function ApiTokens() {
  const query = useQuery(apiTokensQuery)
  const readOnly = useReadOnlyReason()
  const [opened, setOpened] = useState(0)
  const [shown, setShown] = useState(false)
  const open = () => {
    setOpened((count) => count + 1)
    setShown(true)
  }
  return (
    <Panel
      title="API tokens"
      flush
      actions={
        <ActionButton leftSection={<IconPlus size={14} aria-hidden />} disabledReason={readOnly} onClick={open}>
          New API token
        </ActionButton>
      }
    >
      <QueryView query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <EmptyState title="No API token">Scripts and the drover command on other machines use one.</EmptyState>
          ) : (
            <TokenTable
              label="API tokens table"
              tokens={items}
              own={{ header: 'May', cell: (token) => (token.access === 'write' ? 'read and change' : 'read') }}
              revoke={(id) => api.revokeApiToken({ params: { id } })}
              consequence={() => 'Programs that use it are refused from now on.'}
            />
          )
        }
      </QueryView>
      <CreateApiTokenDialog key={opened} opened={shown} onClose={() => setShown(false)} />
    </Panel>
  )
}
