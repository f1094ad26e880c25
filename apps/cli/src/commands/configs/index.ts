/** `drover configs`. */
import type { CommandGroup } from '../../command/command.ts'
import { diffConfig, listConfigs, renderConfig, showConfig } from './read.ts'
import { createConfig, deleteConfig, updateConfig, validateConfig } from './write.ts'

export const configsCommands: CommandGroup = {
  kind: 'group',
  name: 'configs',
  description: 'Configs: named documents with numbered versions',
  commands: [listConfigs, showConfig, createConfig, updateConfig, diffConfig, validateConfig, renderConfig, deleteConfig],
}
