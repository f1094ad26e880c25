/** `drover configs create|update|delete|validate`. */
import { validateCollectorConfig } from '@drover/agent-config'
import type { Config, Validation } from '@drover/api'
import { clientCommand } from '../../command/command.ts'
import type { ClientContext } from '../../command/command.ts'
import { argument, flag, integer, someArguments, text, texts } from '../../command/spec.ts'
import { CliError, UsageError } from '../../errors.ts'
import { confirm, yesOption } from '../confirm.ts'
import { countOf } from '../../output/text.ts'
import { readConfigFiles } from '../files.ts'
import { findingLine, findingLines } from './findings.ts'

const fileOption = { file: texts('-f, --file <path>', 'file, folder, or - for stdin; may be repeated', { completes: 'file' }) } as const
const messageOption = { message: text('-m, --message <text>', 'what changed and why') } as const

export const createConfig = clientCommand({
  name: 'create',
  description: 'Create a config with its first version',
  args: { name: argument('lower-case letters, digits, dots, dashes') },
  options: { ...fileOption, ...messageOption, description: text('--description <text>', 'what it is for') },
  examples: [{ run: 'configs create gateway --file gateway.yaml', what: 'from one file' }],
  async run(context, args, { file, message = '', description = '' }) {
    const { api, io, output } = context
    const files = await readConfigFiles(io, requireFiles(file))
    const { data } = await withFindings(context, files, () =>
      api.createConfig({ body: { name: args.name, description, message, files }, idempotencyKey: crypto.randomUUID() }),
    )
    output.result(data, () => `${data.name}@${data.latest.version}\n`)
    output.note(`Config "${data.name}" is created. Give it to agents with: drover groups create NAME --selector SELECTOR --config ${data.name}`)
  },
})

export const updateConfig = clientCommand({
  name: 'update',
  description: 'Add a version to a config; groups take it when they are set to it',
  args: { name: argument('name of the config', { completes: 'config' }) },
  options: {
    ...fileOption,
    ...messageOption,
    ifVersion: integer('--if-version <version>', 'only if this is still the latest version', { min: 1, max: 999_999_999 }),
  },
  examples: [{ run: 'configs update gateway --file gateway.yaml -m "Batch before export" --if-version 3', what: 'refused when somebody else was faster' }],
  async run(context, args, { file, message = '', ifVersion }) {
    const { api, io, output } = context
    const given = await readConfigFiles(io, requireFiles(file))
    const params = { name: args.name }
    const { data: config, etag } = await api.getConfig({ params })
    if (ifVersion !== undefined && config.latest.version !== ifVersion) {
      throw new CliError(
        `config "${config.name}" is at version ${config.latest.version}, not ${ifVersion} (by ${config.latest.author}${config.latest.message === '' ? '' : `: ${config.latest.message}`}); look at it with: drover configs diff ${config.name}`,
      )
    }
    const files = await keepName(context, config, given)
    const call = { params, body: { message, files }, idempotencyKey: crypto.randomUUID(), ...(etag === null ? {} : { ifMatch: etag }) }
    const { data } = await withFindings(context, files, () => api.createVersion(call))
    output.result(data, () => `${data.config}@${data.version}\n`)
    for (const finding of data.findings) io.stderr.write(`${findingLine(finding, output.paint)}\n`)
    const groups = config.usedBy.map(({ group }) => group)
    if (groups.length > 0)
      output.note(`Groups still use an older version. Send it with: ${groups.map((group) => `drover groups set ${group} --upgrade ${data.config}`).join('; ')}`)
  },
})

/** One file in place of one file is the same file, whatever it is called on this disk. */
async function keepName({ api }: ClientContext, { name, latest }: Config, files: Files): Promise<Files> {
  const [file, ...others] = files
  if (file === undefined || others.length > 0) return files
  const { data } = await api.getVersion({ params: { name, version: latest.version } })
  const [before, ...more] = data.files
  return before === undefined || more.length > 0 ? files : [{ ...file, name: before.name }]
}

function requireFiles(paths: readonly string[]): readonly string[] {
  if (paths.length === 0) throw new UsageError('say which files with --file (- for stdin)')
  return paths
}

/** A refused version says where its errors are; the server is asked once more for their places. */
async function withFindings<T>(context: ClientContext, files: Awaited<ReturnType<typeof readConfigFiles>>, send: () => Promise<T>): Promise<T> {
  try {
    return await send()
  } catch (error) {
    const status = (error as { problem?: { status?: number } }).problem?.status
    if (status !== 422) throw error
    const { data } = await context.api.validateConfig({ body: { files } })
    if (data.valid) throw error
    for (const line of findingLines(data, context.output.paint)) context.io.stderr.write(`${line}\n`)
    throw new CliError('the configuration has errors and was not stored', { cause: error })
  }
}

export const deleteConfig = clientCommand({
  name: 'delete',
  description: 'Delete a config that no group uses',
  args: { name: argument('name of the config', { completes: 'config' }) },
  options: yesOption,
  examples: [{ run: 'configs delete old-gateway --yes', what: 'without being asked' }],
  async run(context, args, options) {
    await confirm(context.io, `Delete config "${args.name}" with all its versions?`, options)
    await context.api.deleteConfig({ params: { name: args.name } })
    context.output.note(`Config "${args.name}" is deleted.`)
  },
})

export const validateConfig = clientCommand({
  name: 'validate',
  description: 'Check files without storing them; exit code 1 when they have errors',
  args: { files: someArguments('files, folders, or - for stdin', { completes: 'file' }) },
  options: {
    group: text('--group <group>', 'also against the components that its members contain', { completes: 'group' }),
    selector: text('--selector <selector>', 'also against the components of the agents it selects'),
    offline: flag('--offline', 'without a server: structure only'),
  },
  examples: [
    { run: 'configs validate gateway.yaml --group gateways', what: 'can every member run it?' },
    { run: 'configs validate --offline *.yaml', what: 'in a pipeline without a server' },
  ],
  async run(context, args, options) {
    const { io, output } = context
    if (options.group !== undefined && options.selector !== undefined) throw new UsageError('give either --group or --selector')
    if (options.offline && (options.group ?? options.selector) !== undefined)
      throw new UsageError('--offline knows no agents: leave out --group and --selector')
    const files = await readConfigFiles(io, args.files)
    const validation = options.offline ? validateHere(files) : await validateThere(context, files, options)
    const lines = findingLines(validation, output.paint)
    output.result(validation, () => lines.map((line) => `${line}\n`).join(''))
    if (!validation.valid) throw new CliError(countErrors(validation))
    if (output.format === 'table') output.note(checked(validation, lines.length))
  },
})

function countErrors({ findings }: Validation): string {
  const count = findings.filter(({ severity }) => severity === 'error').length
  return count === 1 ? 'it has an error' : `it has ${count} errors`
}

type Files = Awaited<ReturnType<typeof readConfigFiles>>

function validateHere(files: Files): Validation {
  const findings = validateCollectorConfig(files).map((finding) => ({ ...finding }))
  return { valid: findings.every(({ severity }) => severity !== 'error'), findings, targets: null }
}

async function validateThere(
  { api }: ClientContext,
  files: Files,
  { group, selector }: { readonly group: string | undefined; readonly selector: string | undefined },
): Promise<Validation> {
  const target = group !== undefined ? { target: { group } } : selector !== undefined ? { target: { selector } } : {}
  return (await api.validateConfig({ body: { files, ...target } })).data
}

function checked({ targets }: Validation, warnings: number): string {
  const found = warnings === 0 ? 'No errors.' : 'No errors, but warnings.'
  return targets === null ? found : `${found} ${targets.checked} of ${countOf(targets.agents, 'agent')} said which components they contain.`
}
