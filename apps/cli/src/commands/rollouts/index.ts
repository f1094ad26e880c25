/** `drover rollouts`. */
import type { CommandGroup } from '../../command/command.ts'
import { approveRollout, pauseRollout, promoteRollout, resumeRollout, retryRollout, rollBackRollout, stopRollout } from './actions.ts'
import { listRollouts } from './list.ts'
import { previewRollout } from './preview.ts'
import { showRollout } from './show.ts'
import { deleteRollout, startRollout } from './start.ts'
import { watchRollout } from './watch.ts'

export const rolloutsCommands: CommandGroup = {
  kind: 'group',
  name: 'rollouts',
  description: 'Rollouts: changes on their way through the fleet, in waves',
  commands: [
    listRollouts,
    showRollout,
    watchRollout,
    previewRollout,
    startRollout,
    approveRollout,
    pauseRollout,
    resumeRollout,
    promoteRollout,
    retryRollout,
    stopRollout,
    rollBackRollout,
    deleteRollout,
  ],
}
