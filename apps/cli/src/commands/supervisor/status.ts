/** `drover supervisor status`: how the supervisor on this machine is. */
import type { SupervisorReply, SupervisorStatus } from '@drover/supervisor'
import { localCommand } from '../../command/command.ts'
import { outputOption } from '../../command/output-option.ts'
import { text } from '../../command/spec.ts'
import { CliError, UsageError } from '../../errors.ts'
import type { Io } from '../../io.ts'
import type { Paint } from '../../output/colour.ts'
import { Output } from '../../output/format.ts'
import type { Column } from '../../output/table.ts'
import { formatAgo, formatDuration } from '../../output/time.ts'
import { configOption, summaryOf } from './config-option.ts'

export const supervisorStatusCommand = localCommand({
  name: 'status',
  description: 'Show how the supervisor on this machine is',
  args: {},
  options: {
    config: configOption,
    storage: text('--storage <dir>', 'its storage directory (default: that of --config, or the default one)', { completes: 'file' }),
    ...outputOption,
  },
  examples: [
    { run: 'supervisor status', what: 'with the default storage directory' },
    { run: 'supervisor status --config /etc/drover/supervisor.yaml -o json', what: 'for a script' },
  ],
  async run(io, _args, { config, storage, output: format = 'table' }) {
    if (config !== undefined && storage !== undefined) throw new UsageError('give either --config or --storage')
    const { readSupervisorStatus } = await import('@drover/supervisor')
    const directory = storage ?? (await findDirectory(io, config))
    const status = statusOf(await readSupervisorStatus(directory), directory, io)
    if (status === undefined) return
    const output = new Output(io, format)
    output.result(status, () => statusText(status, output, io.now()))
  },
})

async function findDirectory(io: Io, config: string | undefined): Promise<string> {
  const { SupervisorConfigError, defaultStorageDirectory, findStorageDirectory } = await import('@drover/supervisor')
  if (config === undefined) return defaultStorageDirectory({ platform: process.platform, env: io.env })
  try {
    return findStorageDirectory(config, io.env)
  } catch (error) {
    if (!(error instanceof SupervisorConfigError)) throw error
    throw new CliError(`${summaryOf(config, error.findings)}: ${error.findings[0]?.message ?? ''}`, { cause: error })
  }
}

/** `undefined`: it is starting, which was said. */
function statusOf(reply: SupervisorReply, directory: string, io: Io): SupervisorStatus | undefined {
  switch (reply.kind) {
    case 'running':
      return reply.status
    case 'starting':
      io.stderr.write(`the supervisor (process ${reply.pid}) is starting\n`)
      return undefined
    case 'absent':
      throw new CliError(
        `no supervisor runs with the storage directory ${directory}: start one with drover supervisor --config FILE, or say which one with --config or --storage`,
      )
    case 'forbidden':
      throw new CliError(`this user may not ask the supervisor of ${directory}: ask as the user that runs it, or as root`)
    case 'silent':
      throw new CliError(`the supervisor of ${directory} does not answer, or is of another version`)
    default:
      return reply satisfies never
  }
}

function statusText(status: SupervisorStatus, output: Output, now: number): string {
  const { agent, config } = status
  const facts = output.facts([
    [
      'Supervisor',
      `process ${status.pid}, up ${formatDuration(now - Date.parse(status.startedAt))}, version ${status.versions.supervisor}, Node ${status.versions.node}`,
    ],
    ['Instance uid', status.instanceUid],
    ['Storage', status.storageDirectory],
    ['Server', describeConnection(status, now)],
    ['', status.connection.lastError],
    ['Config', describeConfig(status)],
    ['Last good', config.lastGoodHash === config.hash ? undefined : config.lastGoodHash],
    [
      'Last failure',
      config.lastFailure === undefined
        ? undefined
        : `${config.lastFailure.hash}, ${formatAgo(config.lastFailure.at, now)}: ${firstLine(config.lastFailure.reason)}`,
    ],
    ['Agent', describeAgent(status, now)],
    [
      'Health',
      agent.healthy === undefined ? 'not known yet' : `${agent.healthy ? 'healthy' : 'unhealthy'}${agent.status === undefined ? '' : `, ${agent.status}`}`,
    ],
    ['', agent.lastError === undefined ? undefined : firstLine(agent.lastError)],
  ])
  if (agent.unhealthy.length === 0) return facts
  return `${facts}${output.heading(`Unhealthy, of ${agent.parts} parts`)}${output.table(partColumns, agent.unhealthy)}`
}

const bad = (): Paint => 'bad'
const partColumns: readonly Column<SupervisorStatus['agent']['unhealthy'][number]>[] = [
  { title: 'PART', value: ({ path }) => path, flexible: true, paint: bad },
  { title: 'STATUS', value: ({ status }) => status ?? '' },
  { title: 'ERROR', value: ({ lastError }) => firstLine(lastError ?? ''), flexible: true },
]

const firstLine = (text: string) => text.trim().split('\n', 1)[0] ?? ''

function describeConnection({ connection }: SupervisorStatus, now: number): string {
  const { state, endpoint, since, retryAt, offered } = connection
  const when =
    since !== undefined ? `, since ${formatDuration(now - Date.parse(since))}` : retryAt !== undefined ? `, next attempt ${formatAgo(retryAt, now)}` : ''
  const words = { stopped: 'stopped', connecting: 'connecting', connected: 'connected', waiting: 'not connected' } as const
  return `${words[state]}: ${endpoint}${offered === true ? ' (offered by the Server)' : ''}${when}`
}

const configWords: Readonly<Record<SupervisorStatus['config']['state'], string>> = {
  none: 'none offered yet, local files run',
  fallback: 'start-up fallback, the Server was not reached yet',
  applying: 'being tried',
  applied: 'applied',
  failed: 'failed, the last good one runs',
}

function describeConfig({ config }: SupervisorStatus): string {
  return config.hash === undefined ? configWords[config.state] : `${config.hash}, ${configWords[config.state]}`
}

function describeAgent({ agent, versions }: SupervisorStatus, now: number): string {
  const version = versions.agent === undefined ? '' : `, version ${versions.agent}`
  const restarts = agent.restarts === 0 ? '' : `, restarted ${agent.restarts === 1 ? 'once' : `${agent.restarts} times`}`
  if (agent.pid === undefined) return `not running${restarts}: ${agent.executable}${version}`
  const since = agent.runningSince === undefined ? '' : `, up ${formatDuration(now - Date.parse(agent.runningSince))}`
  return `process ${agent.pid}${since}${restarts}: ${agent.executable}${version}`
}
