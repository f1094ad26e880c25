/** The columns that all tokens have, with revocation. */
import type { ApiToken, EnrolmentToken } from '@drover/api'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { ActionButton } from '../../ui/ActionButton.tsx'
import { ConfirmDialog } from '../../ui/ConfirmDialog.tsx'
import { DataTable } from '../../ui/DataTable.tsx'
import { RelativeTime } from '../../ui/RelativeTime.tsx'
import { StateBadge, type Tone } from '../../ui/StateBadge.tsx'
import { useReadOnlyReason } from '../../ui/access.ts'
import { toastDone } from '../../ui/toasts.ts'

const tones: Readonly<Record<EnrolmentToken['state'], Tone>> = { active: 'ok', expired: 'idle', revoked: 'idle' }
const labels: Readonly<Record<EnrolmentToken['state'], string>> = { active: 'Active', expired: 'Expired', revoked: 'Revoked' }

interface Props<Token> {
  readonly label: string
  readonly tokens: readonly Token[]
  /** A column of this sort of token alone. */
  readonly own: { readonly header: string; readonly cell: (token: Token) => ReactNode }
  readonly revoke: (id: string) => Promise<unknown>
  readonly consequence: (token: Token) => string
}

export function TokenTable<Token extends EnrolmentToken | ApiToken>(props: Props<Token>) {
  const readOnly = useReadOnlyReason()
  const client = useQueryClient()
  const [asked, setAsked] = useState<Token>()
  const revoke = useMutation({
    mutationFn: (token: Token) => props.revoke(token.id),
    onSuccess: async (_, token) => {
      setAsked(undefined)
      toastDone(`Token ${token.name} was revoked`)
      await client.invalidateQueries({ queryKey: ['tokens'] })
    },
  })
  return (
    <>
      <DataTable label={props.label}>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">State</th>
            <th scope="col">{props.own.header}</th>
            <th scope="col">Created</th>
            <th scope="col">Last used</th>
            <th scope="col">Expires</th>
            <th scope="col">
              <span style={{ float: 'right' }}>Action</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {props.tokens.map((token) => (
            <tr key={token.id}>
              <td className="wrap-anywhere">{token.name}</td>
              <td>
                <StateBadge tone={tones[token.state]}>{labels[token.state]}</StateBadge>
              </td>
              <td>{props.own.cell(token)}</td>
              <td>
                <RelativeTime at={token.createdAt} /> <span className="dimmed">by {token.createdBy}</span>
              </td>
              <td>
                <RelativeTime at={token.lastUsedAt} />
              </td>
              <td>
                <RelativeTime at={token.expiresAt} />
              </td>
              <td style={{ textAlign: 'right' }}>
                {token.state === 'active' && (
                  <ActionButton
                    variant="default"
                    size="compact-xs"
                    aria-label={`Revoke ${token.name}`}
                    disabledReason={readOnly}
                    onClick={() => {
                      revoke.reset()
                      setAsked(token)
                    }}
                  >
                    Revoke
                  </ActionButton>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </DataTable>
      <ConfirmDialog
        opened={asked !== undefined}
        title={`Revoke ${asked?.name ?? ''}?`}
        confirmLabel="Revoke"
        danger
        busy={revoke.isPending}
        error={revoke.error}
        onConfirm={() => asked && revoke.mutate(asked)}
        onClose={() => setAsked(undefined)}
      >
        <p>{asked && props.consequence(asked)} This cannot be undone.</p>
      </ConfirmDialog>
    </>
  )
}
