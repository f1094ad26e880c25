/** `drover completion`: scripts that let a shell complete commands, options and names. The shell asks `drover __complete` at each tab. */
import { optionsOf } from '../command/build.ts'
import type { ClientCommand, Command, CommandGroup, LocalCommand } from '../command/command.ts'
import { localCommand } from '../command/command.ts'
import { anyArguments, argument } from '../command/spec.ts'
import type { ArgumentSpec, Completes, OptionSpec } from '../command/spec.ts'
import { connect, resolveConnection } from '../connection.ts'
import { UsageError } from '../errors.ts'
import type { Io } from '../io.ts'
import { isUnsafe } from '../output/text.ts'

const askServerMs = 1_500
const mostNames = 50
/** Told to the shell instead of words: complete file names. */
const filesMark = ':files'

const scripts: Readonly<Record<string, string>> = {
  bash: `# drover completion for bash: source <(drover completion bash)
_drover() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    if [ "$line" = "${filesMark}" ]; then compopt -o default; else COMPREPLY+=("$line"); fi
  done < <("\${COMP_WORDS[0]}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _drover drover
`,
  zsh: `#compdef drover
# drover completion for zsh: source <(drover completion zsh)
_drover() {
  local -a found
  found=("\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ "\${found[1]}" == "${filesMark}" ]]; then _files; else compadd -a found; fi
}
compdef _drover drover
`,
  fish: `# drover completion for fish: drover completion fish | source
function __drover_complete
  set -l found (drover __complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)
  if test "$found[1]" = "${filesMark}"
    __fish_complete_path (commandline -ct)
  else
    printf '%s\\n' $found
  end
end
complete -c drover -f -a '(__drover_complete)'
`,
}

export const completionCommand = localCommand({
  name: 'completion',
  description: 'Print a script that makes a shell complete this command',
  args: { shell: argument('bash, zsh or fish', { choices: Object.keys(scripts) }) },
  options: {},
  examples: [{ run: 'completion bash >> ~/.bashrc', what: 'for every new shell' }],
  run(io, args) {
    const script = scripts[args.shell]
    if (script === undefined) throw new UsageError(`"${args.shell}" is none of ${Object.keys(scripts).join(', ')}`)
    io.stdout.write(script)
    return Promise.resolve()
  },
})

export function completeCommand(loadRoot: (words: readonly string[]) => Promise<CommandGroup>): Command {
  return localCommand({
    name: '__complete',
    description: 'Candidates for the last word',
    hidden: true,
    args: { words: anyArguments('the words after drover, the last one as far as it is typed') },
    options: {},
    examples: [],
    async run(io, args) {
      const candidates = await complete(await loadRoot(args.words), args.words, (kind) => readNames(io, kind))
      io.stdout.write(candidates.map((word) => `${word}\n`).join(''))
    },
  })
}

/** Words that may stand where the last one is being typed. */
export async function complete(
  root: CommandGroup,
  words: readonly string[],
  names: (kind: Completes) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const typed = words.at(-1) ?? ''
  const before = words.slice(0, -1)
  const { command, given } = findCommand(root, before)
  const candidates = command.kind === 'group' ? await candidatesOfGroup(command, given, typed, names) : await candidatesOf(command, given, typed, names)
  return candidates.filter((word) => word.startsWith(typed) || word === filesMark)
}

const visible = (group: CommandGroup) => group.commands.filter((command) => !(command.kind === 'local' && command.hidden)).map(({ name }) => name)

function findCommand(root: CommandGroup, words: readonly string[]): { command: Command; given: readonly string[] } {
  let command: Command = root
  for (const [place, word] of words.entries()) {
    if (command.kind !== 'group') return { command, given: words.slice(place) }
    const next: Command | undefined = command.commands.find(({ name }) => name === word)
    if (next === undefined) return { command, given: words.slice(place) }
    command = next
  }
  return { command, given: [] }
}

/** Its commands, and where it does something itself, what that takes. */
async function candidatesOfGroup(
  group: CommandGroup,
  given: readonly string[],
  typed: string,
  names: (kind: Completes) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  if (group.self === undefined) return visible(group)
  const own = await candidatesOf({ kind: 'local', name: group.name, description: group.description, args: {}, ...group.self }, given, typed, names)
  return own.includes(filesMark) || given.length > 0 ? own : [...visible(group), ...own]
}

async function candidatesOf(
  command: ClientCommand | LocalCommand,
  given: readonly string[],
  typed: string,
  names: (kind: Completes) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const options = Object.values(optionsOf(command))
  const valueOf = optionWithValue(options, given.at(-1))
  if (valueOf !== undefined) return valuesFor(valueOf, names)
  if (typed.startsWith('-')) return [...options.flatMap((option) => longFlag(option)), '--help']
  const place = given.filter((word, index) => !word.startsWith('-') && optionWithValue(options, given[index - 1]) === undefined).length
  const specs = Object.values<ArgumentSpec>(command.args)
  const last = specs.at(-1)
  const spec = specs[place] ?? (last?.arity === 'some' || last?.arity === 'any' ? last : undefined)
  return spec === undefined ? [] : valuesFor(spec, names)
}

const longFlag = ({ flags }: OptionSpec) => [/--[\w-]+/.exec(flags)?.[0] ?? ''].filter((name) => name !== '')

function optionWithValue(options: readonly OptionSpec[], word: string | undefined): OptionSpec | undefined {
  if (word === undefined || !word.startsWith('-')) return undefined
  return options.find(({ flags, takes }) => takes !== 'nothing' && flags.split(/[ ,]+/).includes(word))
}

async function valuesFor(spec: Pick<OptionSpec, 'choices' | 'completes'>, names: (kind: Completes) => Promise<readonly string[]>): Promise<readonly string[]> {
  if (spec.choices !== undefined) return spec.choices
  if (spec.completes === 'file') return [filesMark]
  return spec.completes === undefined ? [] : names(spec.completes)
}

/** Names from the server; none when it cannot be asked quickly, for a person is waiting. */
async function readNames(io: Io, kind: Completes): Promise<readonly string[]> {
  try {
    const api = connect(resolveConnection(io, { url: undefined, token: undefined, tokenFile: undefined }))
    const call = { query: { limit: mostNames }, signal: AbortSignal.timeout(askServerMs) }
    if (kind === 'rollout') return (await api.listRollouts(call)).data.items.flatMap(({ id, group }) => [id, group])
    const { data } = kind === 'agent' ? await api.listAgents(call) : kind === 'config' ? await api.listConfigs(call) : await api.listGroups(call)
    return data.items.map(({ name }) => name).filter((name) => !isUnsafe(name) && !name.includes(' '))
  } catch {
    return []
  }
}
