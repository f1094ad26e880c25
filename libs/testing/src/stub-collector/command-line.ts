/** The Collector's command line: subcommands, several configurations, properties, feature gates. */
import { featureGates } from './feature-gates.ts'

export interface CommandLine {
  readonly command: 'run' | 'validate' | 'components' | 'featuregate' | 'version'
  /** Files, or inline text as `yaml:…`; later ones win. */
  readonly configs: readonly string[]
  /** `--set path::to::key=value`, also with dots. */
  readonly properties: readonly (readonly [path: readonly string[], value: string])[]
  /** Enabled beyond the defaults. */
  readonly featureGates: ReadonlySet<string>
}

export class UsageError extends Error {
  override readonly name = 'UsageError'
}

const valued = ['config', 'set', 'feature-gates'] as const

export function parseCommandLine(args: readonly string[]): CommandLine {
  let command: CommandLine['command'] = 'run'
  const configs: string[] = []
  const properties: [string[], string][] = []
  const gates = new Set<string>()
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? ''
    if (arg === '--version' || arg === '-v') command = 'version'
    else if (arg === 'validate' || arg === 'components' || arg === 'featuregate') command = arg
    else if (arg.startsWith('-')) {
      const [, name = '', inline] = /^--?([^=]*)(?:=(.*))?$/s.exec(arg) ?? []
      if (!valued.includes(name as (typeof valued)[number])) throw new UsageError(`unknown flag: --${name}`) // as: includes() wants its own type
      const value = inline ?? args[++index]
      if (value === undefined) throw new UsageError(`flag needs an argument: --${name}`)
      if (name === 'config') configs.push(value)
      else if (name === 'set') properties.push(parseProperty(value))
      else parseGates(value, gates)
    } else throw new UsageError(`unknown command "${arg}" for "otelcol"`)
  }
  return { command, configs, properties, featureGates: gates }
}

function parseProperty(text: string): [string[], string] {
  const at = text.indexOf('=')
  if (at < 1) throw new UsageError(`missing equal sign for set value ${text}`)
  const path = text.slice(0, at)
  return [path.split(path.includes('::') ? '::' : '.'), text.slice(at + 1)]
}

function parseGates(text: string, gates: Set<string>): void {
  for (const item of text.split(',').filter((one) => one !== '')) {
    const id = item.replace(/^[+-]/, '')
    if (!featureGates.some((gate) => gate.id === id))
      throw new UsageError(`invalid argument "${text}" for "--feature-gates" flag: no such feature gate "${id}"`)
    if (item.startsWith('-')) gates.delete(id)
    else gates.add(id)
  }
}
