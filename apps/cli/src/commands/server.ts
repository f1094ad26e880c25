/** `drover server`: runs the control plane until a signal ends it. */
import { ConfigError, loadConfig, serverOptions, startControlPlane } from '@drover/control-plane'
import type { ControlPlane } from '@drover/control-plane'
import { localCommand } from '../command/command.ts'
import { flag, text } from '../command/spec.ts'
import type { OptionSpec } from '../command/spec.ts'
import { UsageError } from '../errors.ts'
import type { Io } from '../io.ts'
import { drain, untilAskedToEnd } from '../live/until-asked-to-end.ts'
import { painterFor } from '../output/colour.ts'

/** `--data DIR` and so on, from the options that the control plane knows. Its own check of the values follows later. */
const options: Readonly<Record<string, OptionSpec<string | boolean | undefined>>> = Object.fromEntries(
  serverOptions.map(({ name, placeholder, description }) => [
    name,
    placeholder === undefined ? flag(`--${name}`, lowerFirst(description)) : text(`--${name} <${placeholder}>`, lowerFirst(description)),
  ]),
)

export const serverCommand = localCommand({
  name: 'server',
  description: 'Run the control plane',
  args: {},
  options: {
    ...options,
    config: text('--config <FILE>', 'YAML file with these options as keys; flags and DROVER_… variables go first', { completes: 'file' }),
  },
  examples: [
    { run: 'server', what: 'agents on 127.0.0.1:4320, console on 127.0.0.1:4321, data in ./data' },
    { run: 'server --demo 100', what: 'the same with a hundred scripted agents' },
    { run: 'server --data /var/lib/drover --agents-listen :4320 --allow-plain-http', what: 'agents of other machines, through a TLS proxy' },
  ],
  async run(io, _args, given) {
    const { config: file, ...flags } = given
    // A switch that is not given must not hide what the environment or the file says.
    const set = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined && value !== false))
    // Before the start, so that a signal during it ends the server in order as well.
    const asked = untilAskedToEnd(io)
    const controlPlane = await start(io, set, typeof file === 'string' ? file : undefined)
    introduce(io, controlPlane)
    await drain(io, await asked, () => controlPlane.stop())
  },
})

async function start(io: Io, flags: Readonly<Record<string, unknown>>, file: string | undefined): Promise<ControlPlane> {
  try {
    return await startControlPlane(loadConfig({ flags, env: io.env, ...(file === undefined ? {} : { file }) }), { secret: io.env['DROVER_SECRET'] })
  } catch (error) {
    // What else goes wrong at the start is a sentence already.
    throw error instanceof ConfigError ? new UsageError(error.message) : error
  }
}

function introduce(io: Io, { agentsUrl, consoleUrl, signInUrl, dataDir }: ControlPlane): void {
  const paint = painterFor(io.stderr, io.env)
  // After `npm start` the command is not on PATH.
  const command = io.env['npm_lifecycle_event'] === 'start' ? './bin/drover' : 'drover'
  const lines = [
    paint('bold', 'Drover is running.'),
    `  Console   ${consoleUrl}`,
    `  Agents    ${agentsUrl}`,
    `  Data      ${dataDir}`,
    ...(signInUrl === null ? [] : ['', 'Sign in to the console once with', `  ${paint('good', signInUrl)}`]),
    '',
    'Add the first agent: write a file for its supervisor with',
    `  ${command} tokens create my-hosts --for supervisor > supervisor.yaml`,
    `adapt its lines "executable:" and "directory:", and run there: ${command} supervisor --config supervisor.yaml`,
    '(The stock opampsupervisor takes the same file.)',
  ]
  io.stderr.write(`${lines.join('\n')}\n`)
}

function lowerFirst(sentence: string): string {
  return /^[A-Z][a-z]/.test(sentence) ? sentence.charAt(0).toLowerCase() + sentence.slice(1) : sentence
}
