/** Flags over environment over file over defaults, checked as a whole: one error lists everything that is wrong and where it stands. */
import { readFileSync } from 'node:fs'
import { LineCounter, isMap, isScalar, parseDocument } from 'yaml'
import { formatHostPort, isLoopback } from './host-port.ts'
import { serverOptions } from './options.ts'
import type { ControlPlaneConfig, OptionDefinition } from './options.ts'

export interface ConfigSources {
  /** By option name (`agents-listen`) or in camel case; undefined values count as not given. A list is refused: each option stands once. */
  readonly flags?: Readonly<Record<string, unknown>>
  /** Usually `process.env`; only `DROVER_…` is looked at. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** A YAML file. Default: what `DROVER_CONFIG` names, else none. */
  readonly file?: string
}

/** What is wrong with the configuration, every point with its place. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(
      problems.length === 1
        ? String(problems[0])
        : `the configuration has ${problems.length} errors:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
    )
    this.problems = problems
  }
}

/** Text of one option and where it was found, for messages. */
interface Given {
  readonly text: string
  readonly place: string
}

/** Variables that others read: the client side of the command, and the file itself. */
const FOREIGN_ENV = new Set(['DROVER_CONFIG', 'DROVER_URL', 'DROVER_TOKEN', 'DROVER_TOKEN_FILE', 'DROVER_SECRET'])

/** @throws {ConfigError} */
export function loadConfig(sources: ConfigSources = {}): ControlPlaneConfig {
  const problems: string[] = []
  const file = sources.file ?? sources.env?.['DROVER_CONFIG']
  const layers = [readFlags(sources.flags ?? {}, problems), readEnvironment(sources.env ?? {}), file ? readFile(file, problems) : new Map<string, Given>()]
  const values = serverOptions.map((option) => [option.key, readOption(option, layers, problems)] as const)
  const config = Object.fromEntries(values) as unknown as ControlPlaneConfig // as: the table has every key, each with a parser of its type
  if (problems.length === 0) checkListeners(config, problems)
  if (problems.length > 0) throw new ConfigError(problems)
  return config
}

function readOption(option: OptionDefinition, layers: readonly ReadonlyMap<string, Given>[], problems: string[]): unknown {
  const given = layers.map((layer) => layer.get(option.name)).find((found) => found !== undefined)
  if (given === undefined) return option.default
  try {
    return option.parse(given.text)
  } catch (error) {
    problems.push(`${given.place}: ${error instanceof Error ? error.message : String(error)}`)
    return option.default
  }
}

function readFlags(flags: Readonly<Record<string, unknown>>, problems: string[]): Map<string, Given> {
  const found = new Map<string, Given>()
  for (const [key, value] of Object.entries(flags)) {
    if (value === undefined) continue
    const option = findOption(key)
    if (option === undefined) problems.push(`--${key}: there is no such option`)
    else if (typeof value === 'object') problems.push(`--${option.name}: give it once`)
    else found.set(option.name, { text: String(value), place: `--${option.name}` })
  }
  return found
}

function readEnvironment(env: Readonly<Record<string, string | undefined>>): Map<string, Given> {
  const found = new Map<string, Given>()
  for (const [key, text] of Object.entries(env)) {
    if (!key.startsWith('DROVER_') || text === undefined || FOREIGN_ENV.has(key)) continue
    const option = serverOptions.find(({ name }) => key === `DROVER_${name.toUpperCase().replaceAll('-', '_')}`)
    // Not an error: DROVER_SERVICE_HOST and the like come from Kubernetes by themselves.
    if (option !== undefined) found.set(option.name, { text, place: `${key} in the environment` })
  }
  return found
}

function readFile(path: string, problems: string[]): Map<string, Given> {
  const found = new Map<string, Given>()
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    problems.push(`${path}: cannot be read: ${error instanceof Error ? error.message : String(error)}`)
    return found
  }
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const at = (offset: number | undefined): string => `${path}:${lines.linePos(offset ?? 0).line}`
  for (const error of document.errors) problems.push(`${at(error.pos[0])}: ${error.message}`)
  if (document.errors.length > 0 || document.contents === null) return found
  if (!isMap(document.contents)) {
    problems.push(`${path}: has to be a list of "option: value" lines`)
    return found
  }
  for (const { key, value } of document.contents.items) {
    const name = isScalar(key) ? String(key.value) : ''
    const place = `${at(isScalar(key) ? key.range?.[0] : undefined)}: ${name}`
    const option = findOption(name)
    if (option === undefined) problems.push(`${place}: there is no such option; known are ${serverOptions.map((known) => known.name).join(', ')}`)
    else if (!isScalar(value)) problems.push(`${place}: has to be a single value`)
    else if (value.value !== null) found.set(option.name, { text: value.source ?? String(value.value), place })
  }
  return found
}

/** `agents-listen`, `agents_listen` and `agentsListen` are the same name. */
function findOption(key: string): OptionDefinition | undefined {
  const name = key
    .replaceAll(/([a-z])([A-Z])/g, '$1-$2')
    .replaceAll('_', '-')
    .toLowerCase()
  return serverOptions.find((option) => option.name === name)
}

function checkListeners(config: ControlPlaneConfig, problems: string[]): void {
  if (!config.allowPlainHttp) {
    for (const [name, listen] of [
      ['agents-listen', config.agentsListen],
      ['console-listen', config.consoleListen],
    ] as const) {
      if (isLoopback(listen.host)) continue
      problems.push(
        `${name}: ${formatHostPort(listen)} is reachable from other machines, and the server speaks plain HTTP: put a TLS proxy in front (or trust the network) and say so with --allow-plain-http`,
      )
    }
  }
  const { agentsListen, consoleListen } = config
  if (agentsListen.port !== 0 && agentsListen.port === consoleListen.port && agentsListen.host === consoleListen.host) {
    problems.push(`agents-listen and console-listen are both ${formatHostPort(agentsListen)}: agents and people need listeners of their own`)
  }
}
