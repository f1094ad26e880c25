/** Makes commander's tree from the commands, and runs the one that was asked for. */
import { Command as Commander, Option } from 'commander'
import { connectionOptions } from '../connection-options.ts'
import { UsageError } from '../errors.ts'
import type { Io } from '../io.ts'
import { painterFor } from '../output/colour.ts'
import { outputOption } from './output-option.ts'
import type { ClientCommand, CommandGroup, Example, LocalCommand } from './command.ts'
import type { ArgumentSpec, ArgumentSpecs, OptionSpec, OptionSpecs } from './spec.ts'

/** Options that a command takes, with those that every client of the server has. */
export function optionsOf(command: ClientCommand | LocalCommand): OptionSpecs {
  return command.kind === 'client' ? { ...command.options, ...outputOption, ...connectionOptions } : command.options
}

export function buildProgram(root: CommandGroup, io: Io, version: string): Commander {
  const program = buildGroup(root, io)
  program.version(version, '-V, --version', 'print the version')
  return program
}

function buildGroup(group: CommandGroup, io: Io): Commander {
  const commander = prepared(group.name, group.description, io)
  for (const command of group.commands) {
    if (command.kind === 'group') commander.addCommand(buildGroup(command, io))
    else commander.addCommand(buildLeaf(command, io), { hidden: command.kind === 'local' && command.hidden === true })
  }
  const { self } = group
  // Options behind the name of a command are that command's, also where the group has the same.
  commander.enablePositionalOptions()
  if (self !== undefined) addOptions(commander, self)
  commander.action(async () => {
    const [unknown] = commander.args
    if (unknown !== undefined) throw new UsageError(`there is no command "${unknown}"; ${pathOf(commander)} --help lists them`)
    if (self !== undefined) return self.run(io, {}, readOptions(self.options as OptionSpecs, commander.opts()))
    io.stderr.write(commander.helpInformation())
    throw new UsageError('')
  })
  commander.allowExcessArguments()
  return commander
}

function addOptions(commander: Commander, { options, examples }: { readonly options: OptionSpecs; readonly examples: readonly Example[] }): void {
  for (const spec of Object.values(options)) commander.addOption(buildOption(spec))
  commander.addHelpText('after', () => examplesText(examples))
}

/** `drover agents`: as a person writes it. */
function pathOf(commander: Commander): string {
  return commander.parent === null ? commander.name() : `${pathOf(commander.parent)} ${commander.name()}`
}

function buildLeaf(command: ClientCommand | LocalCommand, io: Io): Commander {
  const commander = prepared(command.name, command.description, io)
  for (const [name, spec] of Object.entries<ArgumentSpec>(command.args)) commander.argument(argumentText(name, spec), spec.description)
  addOptions(commander, { options: optionsOf(command), examples: command.examples })
  commander.action(async (...received: unknown[]) => {
    const values = commander.opts<Record<string, unknown>>()
    const args = readArguments(command.args as ArgumentSpecs, received)
    const options = readOptions(optionsOf(command), values)
    if (command.kind === 'local') await command.run(io, args, options)
    // What speaks with the server is loaded only for commands that do.
    else await (await import('./run-client.ts')).runClient(command, io, args, options)
  })
  return commander
}

function prepared(name: string, description: string, io: Io): Commander {
  const paint = painterFor(io.stdout, io.env)
  return new Commander(name)
    .description(description)
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHelpWidth: () => io.stdout.columns ?? 120,
      getErrHelpWidth: () => io.stderr.columns ?? 120,
      // Errors are printed once, by the caller.
      outputError: () => undefined,
    })
    .configureHelp({ styleTitle: (title) => paint('bold', title) })
}

function argumentText(name: string, { arity }: ArgumentSpec): string {
  const word = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  return { one: `<${word}>`, optional: `[${word}]`, some: `<${word}...>`, any: `[${word}...]` }[arity]
}

function buildOption(spec: OptionSpec): Option {
  const described = spec.choices === undefined ? spec.description : `${spec.description} (${spec.choices.join(', ')})`
  const option = new Option(spec.flags, described)
  if (spec.takes === 'several') option.argParser((given: string, before: readonly string[] | undefined) => [...(before ?? []), given])
  return option
}

function readArguments(specs: ArgumentSpecs, received: readonly unknown[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(specs).map(([name, spec], place) => [name, spec.parse(toList(received[place]))]))
}

function readOptions(specs: OptionSpecs, values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => {
      const given = toList(values[new Option(spec.flags).attributeName()])
      try {
        return [name, spec.parse(given)]
      } catch (error) {
        throw error instanceof UsageError ? new UsageError(`${spec.flags.split(' <')[0] ?? ''}: ${error.message}`) : error
      }
    }),
  )
}

/** What commander stores for a value: absent, `true`, a text or a list. */
function toList(value: unknown): readonly string[] {
  if (value === undefined || value === false) return []
  return Array.isArray(value) ? value.map(String) : [String(value)]
}

function examplesText(examples: readonly Example[]): string {
  if (examples.length === 0) return ''
  return `\nExamples:\n${examples.map(({ run, what }) => `  # ${what}\n  drover ${run}\n`).join('')}`
}
