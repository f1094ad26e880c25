/** Every command but the two programs, which bring much with them or must be small themselves. */
import type { Command } from '../command/command.ts'
import { agentsCommands } from './agents/index.ts'
import { completionCommand } from './completion.ts'
import { configsCommands } from './configs/index.ts'
import { consoleCommand } from './console.ts'
import { eventsCommand } from './events.ts'
import { groupsCommands } from './groups/index.ts'
import { statusCommand } from './status.ts'
import { tokensCommands } from './tokens.ts'

export { completeCommand } from './completion.ts'

export const clientCommands: readonly Command[] = [
  statusCommand,
  agentsCommands,
  configsCommands,
  groupsCommands,
  tokensCommands,
  eventsCommand,
  consoleCommand,
  completionCommand,
]
