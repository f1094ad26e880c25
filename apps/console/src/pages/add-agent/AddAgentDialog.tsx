/** Adds an agent: makes an enrolment token, shows the file to paste, and waits until the agent has connected. */
import type { AgentSummary, Event } from '@drover/api'
import { Button, Group, Loader, Select, Tabs, TextInput } from '@mantine/core'
import { IconCircleCheck } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type FormEvent, useEffect, useRef, useState } from 'react'
import { api, createIdempotencyKey, fieldErrors } from '../../api/client.ts'
import { useRecentEvents } from '../../api/live.tsx'
import { agentQuery } from '../../api/queries.ts'
import { AgentBadgesLine } from '../../ui/AgentBadges.tsx'
import { AgentText } from '../../ui/AgentText.tsx'
import { CodeBlock } from '../../ui/CodeBlock.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { ErrorState } from '../../ui/ErrorState.tsx'
import { Notice } from '../../ui/Notice.tsx'
import { useReadOnlyReason } from '../../ui/access.ts'

const lifetimes = [
  { value: '3600', label: '1 hour' },
  { value: '86400', label: '1 day' },
  { value: '604800', label: '1 week' },
  { value: '', label: 'Does not expire' },
]

type CreatedToken = Awaited<ReturnType<typeof api.createEnrolmentToken>>['data']

export function AddAgentDialog({ opened, onClose }: { readonly opened: boolean; readonly onClose: () => void }) {
  const [created, setCreated] = useState<CreatedToken>()
  return (
    <Dialog opened={opened} onClose={onClose} title="Add an agent" size="xl">
      {created === undefined ? <TokenForm onCreated={setCreated} /> : <Instructions token={created} onClose={onClose} />}
    </Dialog>
  )
}

function TokenForm({ onCreated }: { readonly onCreated: (token: CreatedToken) => void }) {
  const client = useQueryClient()
  const readOnly = useReadOnlyReason()
  const [name, setName] = useState('first-agents')
  const [lifetime, setLifetime] = useState('')
  const [idempotencyKey, setIdempotencyKey] = useState(createIdempotencyKey)
  const create = useMutation({
    mutationFn: async () =>
      (await api.createEnrolmentToken({ body: { name, expiresInSeconds: lifetime === '' ? null : Number(lifetime) }, idempotencyKey })).data,
    onSuccess: (token) => {
      void client.invalidateQueries({ queryKey: ['tokens'] })
      onCreated(token)
    },
    onError: () => setIdempotencyKey(createIdempotencyKey()),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    create.mutate()
  }
  if (readOnly !== undefined)
    return (
      <Notice tone="warn" title={readOnly}>
        Adding an agent makes an enrolment token, which takes a session that may change things.
      </Notice>
    )
  return (
    <form onSubmit={submit} className="stack">
      <p>
        Agents sign in with an enrolment token. One token can serve many agents: for example one for each site or team. Revoking it disconnects all of them.
      </p>
      <TextInput
        label="Name of the token"
        description="So that you know later which agents use it"
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        required
        maxLength={63}
        error={fieldErrors(create.error)['name']}
        data-autofocus
      />
      <Select label="New agents may use it for" data={lifetimes} value={lifetime} onChange={(value) => setLifetime(value ?? '')} allowDeselect={false} />
      {create.isError && <ErrorState error={create.error} />}
      <Group justify="flex-end">
        <Button type="submit" loading={create.isPending} disabled={name.trim() === ''}>
          Create token and show the file
        </Button>
      </Group>
    </form>
  )
}

function Instructions({ token, onClose }: { readonly token: CreatedToken; readonly onClose: () => void }) {
  return (
    <div className="stack">
      <Notice tone="busy" title="Copy it now: the token in it is not shown again." />
      <Tabs defaultValue="supervisor" keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="supervisor">Supervisor</Tabs.Tab>
          <Tabs.Tab value="extension">Collector alone</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="supervisor" pt="sm">
          <div className="stack">
            <p>
              For full control: a supervisor runs the Collector and applies what Drover sends. Save this as <code>supervisor.yaml</code>, adapt the{' '}
              <code>executable</code> and <code>directory</code> lines, and run <code>drover supervisor --config supervisor.yaml</code>. The stock{' '}
              <code>opampsupervisor</code> takes the same file.
            </p>
            <CodeBlock text={token.snippets.supervisor} label="supervisor.yaml" />
          </div>
        </Tabs.Panel>
        <Tabs.Panel value="extension" pt="sm">
          <div className="stack">
            <p>
              To look only: the <code>opamp</code> extension inside a Collector reports what it is and how it is doing, but takes no configuration. Merge this
              into the Collector&apos;s own file.
            </p>
            <CodeBlock text={token.snippets.extension} label="opamp extension" />
          </div>
        </Tabs.Panel>
      </Tabs>
      <p className="dimmed">
        Agents connect to <code>{token.endpoint}</code>.
      </p>
      <Arrivals token={token} onClose={onClose} />
    </div>
  )
}

/** The agents that enrolled with this token since the dialog was opened. Agents that connect with another token do not count. */
function Arrivals({ token, onClose }: { readonly token: CreatedToken; readonly onClose: () => void }) {
  const since = Date.parse(token.createdAt)
  const connected = useRecentEvents({ kind: 'agent.enrolled,agent.connected' }).filter((event) => Date.parse(event.at) >= since)
  const candidates = [...new Set(connected.map((event: Event) => event.subject))].slice(0, 8)
  const [arrived, setArrived] = useState<ReadonlySet<string>>(new Set())
  return (
    <div aria-live="polite" className="stack">
      {arrived.size === 0 && (
        <div className="row">
          <Loader size={14} aria-hidden /> Waiting for the agent to connect…
        </div>
      )}
      {candidates.map((id) => (
        <Arrival
          key={id}
          agentId={id}
          token={token}
          onArrived={() => setArrived((known) => (known.has(id) ? known : new Set([...known, id])))}
          onClose={onClose}
        />
      ))}
    </div>
  )
}

function Arrival(props: { readonly agentId: string; readonly token: CreatedToken; readonly onArrived: () => void; readonly onClose: () => void }) {
  const { data } = useQuery({
    ...agentQuery(props.agentId),
    select: ({ data: agent }) => agent,
  })
  const credential = data?.connection?.credential
  const ours = credential !== undefined && (credential.includes(props.token.id) || credential.includes(props.token.name))
  if (data === undefined || !ours) return null
  return <ArrivedLine agent={data} onArrived={props.onArrived} onClose={props.onClose} />
}

function ArrivedLine({ agent, onArrived, onClose }: { readonly agent: AgentSummary; readonly onArrived: () => void; readonly onClose: () => void }) {
  const arrived = useRef(onArrived)
  useEffect(() => arrived.current(), [])
  return (
    <div className="notice" data-tone="ok">
      <IconCircleCheck size={16} aria-hidden />
      <div className="notice-body">
        <span>
          <strong>
            <Link to="/agents/$agentId" params={{ agentId: agent.id }} onClick={onClose}>
              <AgentText text={agent.name} />
            </Link>
          </strong>{' '}
          has connected.
        </span>
        <AgentBadgesLine agent={agent} />
      </div>
    </div>
  )
}
