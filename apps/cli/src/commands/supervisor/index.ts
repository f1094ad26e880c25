/** `drover supervisor`: runs an agent and speaks OpAMP for it. What it needs is loaded when it is needed. */
import type { CommandGroup } from '../../command/command.ts'
import { checkCommand } from './check.ts'
import { runAction } from './run.ts'
import { supervisorStatusCommand } from './status.ts'

export const supervisorCommands: CommandGroup = {
  kind: 'group',
  name: 'supervisor',
  description: 'Run a Collector or another agent, and speak OpAMP for it',
  commands: [checkCommand, supervisorStatusCommand],
  self: runAction,
}
