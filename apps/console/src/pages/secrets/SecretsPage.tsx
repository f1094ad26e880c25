/** Secrets by name: which version, who uses it. Values are never shown. */
import type { Secret } from '@drover/api'
import { IconLock, IconPlus } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import { secretListQuery } from '../../api/settings-queries.ts'
import { ActionButton } from '../../ui/ActionButton.tsx'
import { AgentText } from '../../ui/AgentText.tsx'
import { ConfirmDialog } from '../../ui/ConfirmDialog.tsx'
import { CopyButton } from '../../ui/CopyButton.tsx'
import { DataTable } from '../../ui/DataTable.tsx'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { PageHeader } from '../../ui/PageHeader.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { RelativeTime } from '../../ui/RelativeTime.tsx'
import { useReadOnlyReason } from '../../ui/access.ts'
import { toastDone } from '../../ui/toasts.ts'
import { SetSecretDialog } from './SetSecretDialog.tsx'
import { deleteRefusal, reference } from './secret-form.ts'

/** `secret` absent: a new one. `opened` counts, so that each dialog starts empty. */
interface Asked {
  readonly secret: Secret | undefined
  readonly opened: number
}

export function SecretsPage() {
  const query = useQuery(secretListQuery)
  const readOnly = useReadOnlyReason()
  const [asked, setAsked] = useState<Asked>({ secret: undefined, opened: 0 })
  const [shown, setShown] = useState(false)
  const open = (secret: Secret | undefined) => {
    setAsked(({ opened }) => ({ secret, opened: opened + 1 }))
    setShown(true)
  }
  const taken = query.data?.items.map(({ name }) => name) ?? []
  return (
    <>
      <PageHeader
        title="Secrets"
        below={
          <span className="dimmed">
            Configurations name them as <code>{reference('NAME')}</code>. Values are kept encrypted and are never shown again.
          </span>
        }
        actions={
          <ActionButton leftSection={<IconPlus size={14} aria-hidden />} disabledReason={readOnly} onClick={() => open(undefined)}>
            New secret
          </ActionButton>
        }
      />
      <div className="panel">
        <QueryView query={query}>
          {({ items }) =>
            items.length === 0 ? (
              <EmptyState title="No secret yet" icon={<IconLock size={28} stroke={1.4} aria-hidden />}>
                Give a key or password a name here, and write the name into a configuration instead of the value.
              </EmptyState>
            ) : (
              <SecretTable secrets={items} onSet={open} />
            )
          }
        </QueryView>
      </div>
      <SetSecretDialog key={asked.opened} secret={asked.secret} taken={taken} opened={shown} onClose={() => setShown(false)} />
    </>
  )
}

function SecretTable({ secrets, onSet }: { readonly secrets: readonly Secret[]; readonly onSet: (secret: Secret) => void }) {
  const readOnly = useReadOnlyReason()
  const client = useQueryClient()
  const [asked, setAsked] = useState<Secret>()
  const remove = useMutation({
    mutationFn: (secret: Secret) => api.deleteSecret({ params: { name: secret.name } }),
    onSuccess: async (_, secret) => {
      setAsked(undefined)
      toastDone(`Secret ${secret.name} was deleted`)
      await client.invalidateQueries({ queryKey: ['secrets'] })
    },
  })
  return (
    <>
      <DataTable label="Secrets table">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col" className="number">
              Version
            </th>
            <th scope="col">Used by</th>
            <th scope="col">Changed</th>
            <th scope="col">
              <span style={{ float: 'right' }}>Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {secrets.map((secret) => (
            <tr key={secret.name}>
              <td className="wrap-anywhere">
                <code>{secret.name}</code> <CopyButton text={reference(secret.name)} label={`Copy ${reference(secret.name)}`} />
                {secret.description !== '' && (
                  <div className="dimmed">
                    <AgentText text={secret.description} />
                  </div>
                )}
              </td>
              <td className="number">{secret.version}</td>
              <td>
                <UsedBy secret={secret} />
              </td>
              <td>
                <RelativeTime at={secret.updatedAt} /> <span className="dimmed">by {secret.updatedBy}</span>
              </td>
              <td>
                <div className="row" style={{ justifyContent: 'flex-end', flexWrap: 'nowrap' }}>
                  <ActionButton
                    variant="default"
                    size="compact-xs"
                    aria-label={`New value for ${secret.name}`}
                    disabledReason={readOnly}
                    onClick={() => onSet(secret)}
                  >
                    New value
                  </ActionButton>
                  <ActionButton
                    variant="default"
                    size="compact-xs"
                    aria-label={`Delete ${secret.name}`}
                    disabledReason={readOnly ?? deleteRefusal(secret)}
                    onClick={() => {
                      remove.reset()
                      setAsked(secret)
                    }}
                  >
                    Delete
                  </ActionButton>
                </div>
              </td>
            </tr>
          ))}
        </tbody>
      </DataTable>
      <ConfirmDialog
        opened={asked !== undefined}
        title={`Delete secret ${asked?.name ?? ''}?`}
        confirmLabel="Delete"
        danger
        busy={remove.isPending}
        error={remove.error}
        onConfirm={() => asked && remove.mutate(asked)}
        onClose={() => setAsked(undefined)}
      >
        <p>No group uses it. Its value cannot be brought back.</p>
      </ConfirmDialog>
    </>
  )
}

function UsedBy({ secret }: { readonly secret: Secret }) {
  if (secret.usedBy.length === 0) return <span className="dimmed">no group</span>
  return (
    <span className="row">
      {secret.usedBy.map(({ group, version }) => (
        <Link
          key={`${group} ${version}`}
          to="/groups/$name"
          params={{ name: group }}
          className="chip"
          title={version < secret.version ? `Its agents have the value of version ${version}, the newest is ${secret.version}` : undefined}
        >
          {group} @{version}
          {version < secret.version ? ' (older)' : ''}
        </Link>
      ))}
    </span>
  )
}
