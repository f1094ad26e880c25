/** Every command but the two programs, which bring much with them or must be small themselves. */
import type { Command } from '../command/command.ts'
import { agentsCommands } from './agents/index.ts'
import { completionCommand } from './completion.ts'
import { configsCommands } from './configs/index.ts'
import { consoleCommand } from './console.ts'
import { eventsCommand } from './events.ts'
import { applyCommand } from './apply/index.ts'
import { groupsCommands } from './groups/index.ts'
import { rolloutsCommands } from './rollouts/index.ts'
import { secretsCommands } from './secrets.ts'
import { statusCommand } from './status.ts'
import { templatesCommands } from './templates.ts'
import { tokensCommands } from './tokens.ts'
import { webhooksCommands } from './webhooks.ts'

export { completeCommand } from './completion.ts'

export const clientCommands: readonly Command[] = [
  statusCommand,
  agentsCommands,
  configsCommands,
  groupsCommands,
  rolloutsCommands,
  applyCommand,
  templatesCommands,
  secretsCommands,
  webhooksCommands,
  tokensCommands,
  eventsCommand,
  consoleCommand,
  completionCommand,
]
