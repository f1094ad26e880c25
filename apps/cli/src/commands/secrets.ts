/** `drover secrets`: values that configurations name as `${drover:secret.NAME}`. */
import type { Secret } from '@drover/api'
import { clientCommand } from '../command/command.ts'
import type { CommandGroup } from '../command/command.ts'
import { argument, text } from '../command/spec.ts'
import { CliError, UsageError } from '../errors.ts'
import { readPages } from '../live/pages.ts'
import type { Column } from '../output/table.ts'
import { formatAgo } from '../output/time.ts'
import { confirm, yesOption } from './confirm.ts'
import { readTextFile } from './files.ts'

const nameArgument = argument('name, as in ${drover:secret.NAME}')

const list = clientCommand({
  name: 'list',
  description: 'List secrets, never their values',
  args: {},
  options: {},
  examples: [{ run: 'secrets list', what: 'which there are, and which groups use them' }],
  async run({ api, io, output }) {
    const page = await readPages(0, (query) => api.listSecrets({ query }))
    output.result(page, () => (page.items.length === 0 ? '' : output.table(columns(io.now()), page.items)))
    if (page.items.length === 0) output.note('There are no secrets. Make one with: drover secrets set NAME < file')
  },
})

const columns = (now: number): readonly Column<Secret>[] => [
  { title: 'NAME', value: ({ name }) => name },
  { title: 'VERSION', value: ({ version }) => String(version), align: 'right' },
  { title: 'USED BY', value: ({ usedBy }) => usedBy.map(({ group, version }) => `${group}@${version}`).join(' '), flexible: true },
  { title: 'UPDATED', value: ({ updatedAt }) => formatAgo(updatedAt, now) },
  { title: 'BY', value: ({ updatedBy }) => updatedBy, flexible: true },
  { title: 'DESCRIPTION', value: ({ description }) => description, flexible: true },
]

const set = clientCommand({
  name: 'set',
  description: 'Give a secret a value, which is read from a file or from stdin so that no shell remembers it',
  args: { name: nameArgument },
  options: {
    file: text('-f, --file <path>', 'file with the value (default: stdin); one line end at its end is dropped', { completes: 'file' }),
    description: text('--description <text>', 'what it is for'),
  },
  examples: [{ run: 'secrets set api_key < key.txt', what: 'members of groups get it with: drover groups set GROUP --secrets latest' }],
  async run({ api, io, output }, args, { file, description }) {
    if (file === undefined && io.canAsk) throw new UsageError('give the value on stdin or with --file; typed here it would be seen')
    const value = (file === undefined || file === '-' ? await io.readStdin() : await readTextFile(io, file)).replace(/\r?\n$/, '')
    if (value === '') throw new CliError('the value is empty')
    const { data } = await api.setSecret({ params: { name: args.name }, body: { value, ...(description === undefined ? {} : { description }) } })
    output.result(data, () => `${data.name}@${data.version}\n`)
    const groups = data.usedBy.map(({ group }) => group)
    if (groups.length > 0)
      output.note(`Groups still give an older value. Send it with: ${groups.map((group) => `drover groups set ${group} --secrets latest`).join('; ')}`)
  },
})

const remove = clientCommand({
  name: 'delete',
  description: 'Delete a secret that no group uses',
  args: { name: nameArgument },
  options: yesOption,
  examples: [{ run: 'secrets delete api_key --yes', what: 'without being asked' }],
  async run({ api, io, output }, args, options) {
    await confirm(io, `Delete secret "${args.name}" with all its versions?`, options)
    await api.deleteSecret({ params: { name: args.name } })
    output.note(`Secret "${args.name}" is deleted.`)
  },
})

export const secretsCommands: CommandGroup = { kind: 'group', name: 'secrets', description: 'Secrets that configurations name', commands: [list, set, remove] }
