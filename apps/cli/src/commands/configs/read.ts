/** `drover configs list|show|diff|render`. */
import { mergeFiles, toYaml, unifiedDiff } from '@drover/agent-config'
import type { Config, ConfigVersion } from '@drover/api'
import { clientCommand } from '../../command/command.ts'
import type { ClientContext } from '../../command/command.ts'
import { argument, flag, integer, text, texts } from '../../command/spec.ts'
import { UsageError } from '../../errors.ts'
import { readPages } from '../../live/pages.ts'
import type { Painter } from '../../output/colour.ts'
import type { Column } from '../../output/table.ts'
import { printable } from '../../output/text.ts'
import { formatAgo, formatBytes } from '../../output/time.ts'
import { findAgentId } from '../agents/find-agent.ts'
import { readConfigFiles } from '../files.ts'
import { diffText } from './diff-text.ts'
import { parseConfigRef, resolveConfigRef } from './refs.ts'

export const listConfigs = clientCommand({
  name: 'list',
  description: 'List configs',
  args: {},
  options: { search: text('--search <text>', 'part of the name') },
  examples: [{ run: 'configs list', what: 'with the groups that use them' }],
  async run({ api, io, output }, _args, { search }) {
    const page = await readPages(0, (place) => api.listConfigs({ query: { ...place, ...(search === undefined ? {} : { search }) } }))
    output.result(page, () => (page.items.length === 0 ? '' : output.table(configColumns(io.now()), page.items)))
    if (page.items.length === 0) output.note('There are no configs. Make one with: drover configs create NAME --file FILE')
  },
})

const configColumns = (now: number): readonly Column<Config>[] => [
  { title: 'NAME', value: ({ name }) => name },
  { title: 'VERSION', value: ({ latest }) => String(latest.version), align: 'right' },
  { title: 'USED BY', value: ({ usedBy }) => usedBy.map(({ group, version }) => `${group}@${version}`).join(' '), flexible: true },
  { title: 'SIZE', value: ({ latest }) => formatBytes(latest.bytes), align: 'right' },
  { title: 'UPDATED', value: ({ updatedAt }) => formatAgo(updatedAt, now) },
  { title: 'BY', value: ({ latest }) => latest.author, flexible: true },
  { title: 'MESSAGE', value: ({ latest }) => latest.message, flexible: true },
]

export const showConfig = clientCommand({
  name: 'show',
  description: 'Show the text of a config, or its versions',
  args: { config: argument('name, or name@version', { completes: 'config' }) },
  options: { versions: flag('--versions', 'list its versions instead') },
  examples: [
    { run: 'configs show gateway@3', what: 'the text of version 3' },
    { run: 'configs show gateway --versions', what: 'who changed what when' },
  ],
  async run(context, args, { versions }) {
    const { api, io, output } = context
    if (versions) {
      const page = await readPages(0, (place) => api.listVersions({ params: { name: parseConfigRef(args.config).name }, query: place }))
      output.result(page, () => output.table(versionColumns(io.now()), page.items))
      return
    }
    const version = await readVersion(context, args.config)
    output.result(version, () => filesText(version.files, output.paint))
  },
})

const versionColumns = (now: number): readonly Column<Config['latest']>[] => [
  { title: 'VERSION', value: ({ version }) => String(version), align: 'right' },
  { title: 'CREATED', value: ({ createdAt }) => formatAgo(createdAt, now) },
  { title: 'BY', value: ({ author }) => author, flexible: true },
  { title: 'SIZE', value: ({ bytes }) => formatBytes(bytes), align: 'right' },
  { title: 'HASH', value: ({ hash }) => hash.slice(0, 12) },
  { title: 'MESSAGE', value: ({ message }) => message, flexible: true },
]

async function readVersion(context: ClientContext, given: string): Promise<ConfigVersion> {
  const { config, version } = await resolveConfigRef(context, given)
  return (await context.api.getVersion({ params: { name: config, version } })).data
}

/** One file as it is; several with their names above. */
function filesText(files: ConfigVersion['files'], paint: Painter): string {
  return files
    .map(({ name, body }) => (files.length > 1 ? `${paint('dim', `# ${printable(name)}`)}\n` : '') + withFinalNewline(printable(body, 'lines')))
    .join('')
}

const withFinalNewline = (text: string) => (text === '' || text.endsWith('\n') ? text : `${text}\n`)

export const diffConfig = clientCommand({
  name: 'diff',
  description: 'Show what a version changed, or what local files would change',
  args: { config: argument('name, or name@version', { completes: 'config' }) },
  options: {
    from: integer('--from <version>', 'compare with this version (default: the one before; 0 for nothing)', { min: 0, max: 999_999_999 }),
    file: texts('-f, --file <path>', 'compare with these files, folders or - for stdin; may be repeated', { completes: 'file' }),
  },
  examples: [
    { run: 'configs diff gateway@5 --from 3', what: 'everything between two versions' },
    { run: 'configs diff gateway --file gateway.yaml', what: 'what an update would change' },
  ],
  async run(context, args, { from, file }) {
    const { api, io, output } = context
    if (file.length > 0) {
      if (from !== undefined) throw new UsageError('give either --from or --file')
      const unified = unifiedDiff((await readVersion(context, args.config)).files, await readConfigFiles(io, file))
      output.result({ unified }, () => diffText(unified, output.paint))
      return
    }
    const { config, version } = await resolveConfigRef(context, args.config)
    const { data } = await api.diffVersions({ params: { name: config, version }, query: from === undefined ? {} : { from } })
    output.result(data, () => diffText(data.unified, output.paint))
  },
})

export const renderConfig = clientCommand({
  name: 'render',
  description: 'Show the merged configuration that an agent, or a group alone, gets',
  args: {},
  options: {
    agent: text('--agent <agent>', 'id, instance uid or name', { completes: 'agent' }),
    group: text('--group <group>', 'the configs of this group, without others that its members are in', { completes: 'group' }),
    files: flag('--files', 'the files as they are offered instead'),
  },
  examples: [
    { run: 'configs render --agent web-1', what: 'what it should run' },
    { run: 'configs render --group gateways -o json', what: 'with the files' },
  ],
  async run(context, _args, { agent, group, files }) {
    if ((agent === undefined) === (group === undefined)) throw new UsageError('give either --agent or --group')
    const rendered = agent === undefined ? await renderGroup(context, group ?? '') : await renderAgent(context, agent)
    context.output.result(rendered, () => (files ? filesText(rendered.files, context.output.paint) : withFinalNewline(printable(rendered.merged, 'lines'))))
    if (rendered.files.length === 0) context.output.note('It gets no configuration.')
  },
})

interface Rendered {
  readonly files: ConfigVersion['files']
  readonly merged: string
}

async function renderAgent(context: ClientContext, given: string): Promise<Rendered> {
  const { data } = await context.api.getDesiredConfig({ params: { agentId: await findAgentId(context, given) } })
  return data
}

async function renderGroup(context: ClientContext, name: string): Promise<Rendered> {
  const { data: group } = await context.api.getGroup({ params: { name } })
  const versions = await Promise.all(group.revision.configs.map(({ config, version }) => context.api.getVersion({ params: { name: config, version } })))
  // Named so that they merge in the order of the group's list, a later config over an earlier one.
  const files = versions.flatMap(({ data }, place) =>
    data.files.map((file) => ({ ...file, name: `${String(place).padStart(3, '0')}-${name}-${data.config}-${file.name}` })),
  )
  return { files, merged: files.length === 0 ? '' : toYaml(mergeFiles(files).merged) }
}
