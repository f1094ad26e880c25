/** Reads the configuration as the Collector does: several sources merged, environment expanded, properties set over it. */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import type { CommandLine } from './command-line.ts'

export type ConfigValue = null | boolean | number | string | ConfigValue[] | ConfigMap
export interface ConfigMap {
  [key: string]: ConfigValue
}

export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
}

const maxFileBytes = 16 * 1024 * 1024

export function isMap(value: unknown): value is ConfigMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value at a path; undefined when there is none. */
export function valueAt(config: ConfigValue | undefined, ...path: readonly string[]): ConfigValue | undefined {
  let value: ConfigValue | undefined = config
  for (const key of path) value = isMap(value) ? value[key] : undefined
  return value
}

/** A map at a path; empty when there is none. */
export function mapAt(config: ConfigValue | undefined, ...path: readonly string[]): ConfigMap {
  const value = valueAt(config, ...path)
  return isMap(value) ? value : {}
}

/** The texts of a list at a path. */
export function textsAt(config: ConfigValue | undefined, ...path: readonly string[]): readonly string[] {
  const value = valueAt(config, ...path)
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

export function loadConfiguration(line: Pick<CommandLine, 'configs' | 'properties'>, env: NodeJS.ProcessEnv = process.env): ConfigMap {
  if (line.configs.length === 0) throw new ConfigurationError('at least one config flag must be provided')
  let merged: ConfigMap = {}
  for (const source of line.configs) merged = merge(merged, readSource(source))
  const expanded = expand(merged, env)
  for (const [path, text] of line.properties) setAt(expanded, path, parse(text) as ConfigValue) // as: YAML gives plain values
  return expanded
}

function readSource(source: string): ConfigMap {
  let text: string
  try {
    text = source.startsWith('yaml:') ? source.slice(5).replaceAll('::', ': ') : readFileSync(source.replace(/^file:/, ''), 'utf8')
  } catch (error) {
    throw new ConfigurationError(`failed to get config: cannot resolve the configuration: ${(error as Error).message}`) // as: fs throws errors
  }
  if (text.length > maxFileBytes) throw new ConfigurationError('failed to get config: too large')
  let value: unknown
  try {
    value = parse(text)
  } catch (error) {
    throw new ConfigurationError(`failed to get config: cannot resolve the configuration: cannot retrieve the configuration: ${(error as Error).message}`) // as: the parser throws errors
  }
  if (value === null) return {}
  if (!isMap(value)) throw new ConfigurationError('failed to get config: retrieved value does not have unmarshaled type map[string]any')
  return value
}

/** Maps key by key; anything else is replaced. */
function merge(lower: ConfigMap, higher: ConfigMap): ConfigMap {
  const result: ConfigMap = { ...lower }
  for (const [key, value] of Object.entries(higher)) {
    const below = result[key]
    result[key] = isMap(below) && isMap(value) ? merge(below, value) : value
  }
  return result
}

function expand<T extends ConfigValue>(value: T, env: NodeJS.ProcessEnv): T
function expand(value: ConfigValue, env: NodeJS.ProcessEnv): ConfigValue {
  if (typeof value === 'string') return expandText(value, env)
  if (Array.isArray(value)) return value.map((item) => expand(item, env))
  if (isMap(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, expand(item, env)]))
  return value
}

/** `${env:NAME}`, `${NAME}` and `${env:NAME:-default}`. A text that is one reference takes the type of what it stands for. */
function expandText(text: string, env: NodeJS.ProcessEnv): ConfigValue {
  const pattern = /\$\{(?:env:)?([A-Za-z_]\w*)(?::-([^}]*))?\}/g
  const look = (name: string, fallback: string | undefined) => env[name] ?? fallback ?? ''
  const whole = new RegExp(`^${pattern.source}$`).exec(text)
  if (whole !== null) return parse(look(whole[1] ?? '', whole[2])) as ConfigValue // as: YAML gives plain values
  return text.replaceAll(pattern, (_, name: string, fallback: string | undefined) => look(name, fallback))
}

function setAt(config: ConfigMap, path: readonly string[], value: ConfigValue): void {
  let map = config
  for (const key of path.slice(0, -1)) {
    const below = map[key]
    map = isMap(below) ? below : (map[key] = {})
  }
  map[path.at(-1) ?? ''] = value
}
