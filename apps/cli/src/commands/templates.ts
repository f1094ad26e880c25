/** `drover templates`: configurations to begin from. */
import type { Template } from '@drover/api'
import { clientCommand } from '../command/command.ts'
import type { ClientContext, CommandGroup } from '../command/command.ts'
import { argument } from '../command/spec.ts'
import { CliError } from '../errors.ts'
import type { Column } from '../output/table.ts'
import { printable } from '../output/text.ts'

const list = clientCommand({
  name: 'list',
  description: 'List configurations to begin from',
  args: {},
  options: {},
  examples: [{ run: 'templates list', what: 'what there is' }],
  async run({ api, output }) {
    const { data } = await api.listTemplates({})
    output.result(data, () => output.table(columns, data.items))
  },
})

const columns: readonly Column<Template>[] = [
  { title: 'NAME', value: ({ name }) => name },
  { title: 'FOR', value: ({ category }) => category },
  { title: 'TITLE', value: ({ title }) => title, flexible: true },
  { title: 'VARIABLES', value: ({ variables }) => variables.map(({ name }) => name).join(' '), flexible: true },
  { title: 'SECRETS', value: ({ secrets }) => secrets.map(({ name }) => name).join(' '), flexible: true },
]

const show = clientCommand({
  name: 'show',
  description: 'Print the text of a template, to adapt and create a config from',
  args: { template: argument('name of the template') },
  options: {},
  examples: [{ run: 'templates show otlp-gateway > gateway.yaml', what: 'then: drover configs create gateway --file gateway.yaml' }],
  async run(context, args) {
    const template = await findTemplate(context, args.template)
    context.output.result(template, () => template.files.map(({ body }) => printable(body, 'lines')).join(''))
    for (const { name, description, example } of template.variables) context.output.note(`Set in the group: --variable ${name}=${example}  (${description})`)
    for (const { name, description } of template.secrets) context.output.note(`Set once: drover secrets set ${name}  (${description})`)
  },
})

async function findTemplate({ api }: ClientContext, given: string): Promise<Template> {
  const { data } = await api.listTemplates({})
  const template = data.items.find(({ name }) => name === given)
  if (template === undefined) throw new CliError(`there is no template "${given}"; drover templates list shows them`)
  return template
}

export const templatesCommands: CommandGroup = { kind: 'group', name: 'templates', description: 'Configurations to begin from', commands: [list, show] }
