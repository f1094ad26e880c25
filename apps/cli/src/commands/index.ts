/** Every command, as one tree. */
import type { Command, CommandGroup } from '../command/command.ts'
import { localCommand } from '../command/command.ts'
import { supervisorCommands } from './supervisor/index.ts'

const serverName = 'server'

/**
 * The tree, as far as the words need it. The server's own command brings the whole control plane with it, so that is loaded only when its name is in the
 * words. A supervisor runs for years on small machines, so its commands come alone, without what the others import.
 */
export async function loadRoot(words: readonly string[]): Promise<CommandGroup> {
  if (words[0] === supervisorCommands.name) return rootOf([supervisorCommands])
  const { clientCommands, completeCommand } = await import('./everything.ts')
  const server: Command = words.includes(serverName) ? (await import('./server.ts')).serverCommand : serverSummary
  return rootOf([server, supervisorCommands, ...clientCommands, completeCommand(loadRoot)])
}

const rootOf = (commands: readonly Command[]): CommandGroup => ({
  kind: 'group',
  name: 'drover',
  description: 'Control plane for fleets of telemetry agents',
  commands,
})

/** Stands for the server in help texts. */
const serverSummary = localCommand({
  name: serverName,
  description: 'Run the control plane',
  examples: [],
  args: {},
  options: {},
  run: () => Promise.reject(new Error('the server command was not loaded')),
})
