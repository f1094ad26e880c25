/** Every command, as one tree. */
import type { Command, CommandGroup } from '../command/command.ts'
import { localCommand } from '../command/command.ts'
import { agentsCommands } from './agents/index.ts'
import { completeCommand, completionCommand } from './completion.ts'
import { configsCommands } from './configs/index.ts'
import { consoleCommand } from './console.ts'
import { eventsCommand } from './events.ts'
import { groupsCommands } from './groups/index.ts'
import { statusCommand } from './status.ts'
import { tokensCommands } from './tokens.ts'

const serverName = 'server'

/** The whole tree. The server's own command brings the whole control plane with it, so that is loaded only when its name is in the words. */
export async function loadRoot(words: readonly string[]): Promise<CommandGroup> {
  const server: Command = words.includes(serverName) ? (await import('./server.ts')).serverCommand : serverSummary
  const root: CommandGroup = {
    kind: 'group',
    name: 'drover',
    description: 'Control plane for fleets of telemetry agents',
    commands: [server, statusCommand, agentsCommands, configsCommands, groupsCommands, tokensCommands, eventsCommand, consoleCommand, completionCommand],
  }
  return { ...root, commands: [...root.commands, completeCommand(loadRoot)] }
}

/** Stands for the server in help texts. */
const serverSummary = localCommand({
  name: serverName,
  description: 'Run the control plane',
  examples: [],
  args: {},
  options: {},
  run: () => Promise.reject(new Error('the server command was not loaded')),
})
