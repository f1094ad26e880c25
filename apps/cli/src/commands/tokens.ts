/** `drover tokens`: enrolment tokens of agents and API tokens of programs. */
import type { ApiToken, EnrolmentToken } from '@drover/api'
import { clientCommand } from '../command/command.ts'
import type { ClientContext, CommandGroup } from '../command/command.ts'
import { argument, choice, durationSeconds, flag, optionalArgument } from '../command/spec.ts'
import { CliError, UsageError } from '../errors.ts'
import { readPages } from '../live/pages.ts'
import type { Column } from '../output/table.ts'
import { countOf } from '../output/text.ts'
import { formatAgo } from '../output/time.ts'
import { confirm, yesOption } from './confirm.ts'

type Token = (EnrolmentToken & { readonly kind: 'enrolment' }) | (ApiToken & { readonly kind: 'api' })

const create = clientCommand({
  name: 'create',
  description: 'Create a token; its value is shown this once',
  args: { name: optionalArgument('what to call it, e.g. the hosts it is for (default: made from the date)') },
  options: {
    for: choice('--for <agent>', 'print a complete file to paste instead of the token', ['supervisor', 'extension']),
    api: flag('--api', 'a token for the API and this command rather than for agents'),
    access: choice('--access <what>', 'what an API token may do (default read)', ['read', 'write']),
    expiresIn: durationSeconds('--expires-in <time>', 'e.g. 12h or 90d (default: never)'),
  },
  examples: [
    { run: 'tokens create my-hosts --for supervisor > supervisor.yaml', what: 'a file for drover supervisor, or the stock opampsupervisor' },
    { run: 'tokens create edge --for extension --expires-in 30d', what: 'the part of a Collector configuration that connects it' },
    { run: 'tokens create deploy --api --access write -o json', what: 'for a pipeline; the field is "token"' },
  ],
  async run(context, args, options) {
    if (options.api && options.for !== undefined) throw new UsageError('--for is for agents: leave out --api')
    if (!options.api && options.access !== undefined) throw new UsageError('--access is for API tokens: add --api')
    const name = args.name ?? `${options.api ? 'api' : (options.for ?? 'agents')}-${new Date(context.io.now()).toISOString().slice(0, 10)}`
    const body = { name, expiresInSeconds: options.expiresIn ?? null }
    if (options.api) await createApiToken(context, { ...body, access: options.access ?? 'read' })
    else await createEnrolmentToken(context, body, options.for)
  },
})

async function createApiToken(
  { api, output }: ClientContext,
  body: { name: string; access: 'read' | 'write'; expiresInSeconds: number | null },
): Promise<void> {
  const { data } = await api.createApiToken({ body, idempotencyKey: crypto.randomUUID() })
  output.result(data, () => `${data.token}\n`)
  output.note(`API token "${data.name}" (${data.access}). Keep it now; it is not shown again. Use it as DROVER_TOKEN or with --token-file.`)
}

async function createEnrolmentToken(
  { api, output }: ClientContext,
  body: { name: string; expiresInSeconds: number | null },
  kind: 'supervisor' | 'extension' | undefined,
): Promise<void> {
  const { data } = await api.createEnrolmentToken({ body, idempotencyKey: crypto.randomUUID() })
  output.result(data, () =>
    kind === undefined
      ? output.facts([
          ['Token', data.token],
          ['Endpoint', data.endpoint],
          ['Header', `Authorization: Bearer ${data.token}`],
        ])
      : withFinalNewline(data.snippets[kind]),
  )
  const use = {
    supervisor: 'Adapt the lines "executable:" and "directory:", then run drover supervisor, or opampsupervisor, with --config and this file.',
    extension: 'Add this to the configuration of a Collector that contains the opamp extension.',
    none: 'Agents send it when they connect. --for supervisor prints a complete file.',
  }[kind ?? 'none']
  output.note(`Enrolment token "${data.name}". Keep it now; it is not shown again. ${use}`)
}

const withFinalNewline = (text: string) => (text.endsWith('\n') ? text : `${text}\n`)

const list = clientCommand({
  name: 'list',
  description: 'List enrolment and API tokens, never their values',
  args: {},
  options: { all: flag('--all', 'also those that expired or were revoked') },
  examples: [{ run: 'tokens list', what: 'which tokens are in use' }],
  async run(context, _args, { all }) {
    const tokens = (await readTokens(context)).filter(({ state }) => all || state === 'active')
    context.output.result({ items: tokens, nextCursor: null, total: tokens.length }, () =>
      tokens.length === 0 ? '' : context.output.table(columns(context.io.now()), tokens),
    )
    if (tokens.length === 0) context.output.note('There are no tokens. Make one for agents with: drover tokens create')
  },
})

const columns = (now: number): readonly Column<Token>[] => [
  { title: 'ID', value: ({ id }) => id },
  { title: 'NAME', value: ({ name }) => name, flexible: true },
  { title: 'FOR', value: (token) => (token.kind === 'api' ? `api (${token.access})` : 'agents') },
  { title: 'STATE', value: ({ state }) => state, paint: ({ state }) => (state === 'active' ? 'good' : 'bad') },
  { title: 'AGENTS', value: (token) => (token.kind === 'api' ? '' : String(token.connectedAgents)), align: 'right' },
  { title: 'LAST USED', value: ({ lastUsedAt }) => formatAgo(lastUsedAt, now) },
  { title: 'EXPIRES', value: ({ expiresAt }) => formatAgo(expiresAt, now) },
  { title: 'CREATED BY', value: ({ createdBy }) => createdBy, flexible: true },
]

async function readTokens({ api }: ClientContext): Promise<readonly Token[]> {
  const [enrolment, programs] = await Promise.all([
    readPages(0, (query) => api.listEnrolmentTokens({ query })),
    readPages(0, (query) => api.listApiTokens({ query })),
  ])
  return [...enrolment.items.map((token) => ({ ...token, kind: 'enrolment' as const })), ...programs.items.map((token) => ({ ...token, kind: 'api' as const }))]
}

const revoke = clientCommand({
  name: 'revoke',
  description: 'Revoke a token; agents that use it are disconnected',
  args: { token: argument('id or name of the token') },
  options: yesOption,
  examples: [{ run: 'tokens revoke my-hosts --yes', what: 'without being asked' }],
  async run(context, args, options) {
    const matching = (await readTokens(context)).filter(({ id, name, state }) => id === args.token || (name === args.token && state === 'active'))
    const [token, ...others] = matching
    if (token === undefined) throw new CliError(`there is no active token "${args.token}"; drover tokens list shows them`)
    if (others.length > 0) throw new CliError(`several tokens are named "${args.token}": give the id (${matching.map(({ id }) => id).join(', ')})`)
    const effect = token.kind === 'enrolment' && token.connectedAgents > 0 ? ` ${countOf(token.connectedAgents, 'connected agent')} will be disconnected.` : ''
    await confirm(context.io, `Revoke token "${token.name}"?${effect}`, options)
    const call = { params: { id: token.id } }
    await (token.kind === 'api' ? context.api.revokeApiToken(call) : context.api.revokeEnrolmentToken(call))
    context.output.note(`Token "${token.name}" is revoked.`)
  },
})

export const tokensCommands: CommandGroup = {
  kind: 'group',
  name: 'tokens',
  description: 'Enrolment tokens of agents, API tokens of programs',
  commands: [list, create, revoke],
}
