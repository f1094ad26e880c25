/** `drover groups`. */
import type { CommandGroup } from '../../command/command.ts'
import { listGroups, showGroup } from './read.ts'
import { createGroup, deleteGroup, previewGroup, setGroup } from './write.ts'

export const groupsCommands: CommandGroup = {
  kind: 'group',
  name: 'groups',
  description: 'Groups: which agents get which configs',
  commands: [listGroups, showGroup, createGroup, setGroup, previewGroup, deleteGroup],
}
