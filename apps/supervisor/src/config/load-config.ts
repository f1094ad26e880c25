/** Reads the supervisor's file: text, references, keys, values. Everything that is wrong is said at once. */
import { resolve } from 'node:path'
import { defaultLimits, formatPath, parseYaml } from '@drover/agent-config'
import type { Path } from '@drover/agent-config'
import { expandDocument } from './expand.ts'
import { SupervisorConfigError } from './finding.ts'
import type { ConfigFinding } from './finding.ts'
import { FileProblem, nodeHost } from './host.ts'
import type { Host } from './host.ts'
import { readConfig, readStorage } from './read-config.ts'
import { keys } from './keys.ts'
import { readKeys } from './read-keys.ts'
import type { SupervisorConfig } from './supervisor-config.ts'

export interface LoadedConfig {
  /** As it was given. */
  readonly file: string
  readonly config: SupervisorConfig
  /** Warnings and notes, in the order of the file. */
  readonly notes: readonly ConfigFinding[]
}

/** Throws `SupervisorConfigError`. */
export function loadSupervisorConfig(path: string, env: Host['env'], host: Host = nodeHost(env)): LoadedConfig {
  if (path === '') throw new SupervisorConfigError(path, [{ severity: 'error', path: '', message: 'say which file: --config supervisor.yaml' }])
  return readSupervisorConfig(readSource(path, host), path, host)
}

/** Throws `SupervisorConfigError`. */
export function readSupervisorConfig(text: string, file: string, host: Host): LoadedConfig {
  const parsed = parseYaml(text, file, defaultLimits)
  // Where YAML is broken, what follows is said of what it was taken for.
  const firstBreak = parsed.findings.find(({ code }) => code === 'yaml-syntax')
  const aboutText = parsed.findings.filter((finding) => finding.code !== 'yaml-syntax' || finding === firstBreak)
  const findings: ConfigFinding[] = aboutText.map(({ severity, message, line, column }) => ({
    severity,
    path: '',
    message,
    ...(line === undefined ? {} : { line, column: column ?? 1 }),
  }))
  if (findings.some(({ severity }) => severity === 'error')) throw new SupervisorConfigError(file, findings)
  const document = parsed.document ?? {}
  const report = (severity: ConfigFinding['severity'], path: Path, message: string): undefined => {
    // What is missing altogether has no place.
    const place = Object.hasOwn(document, String(path[0])) ? parsed.locate(path) : undefined
    findings.push({ severity, path: formatPath(path), ...place, message })
    return undefined
  }
  const config = readConfig(expandDocument(document, host, report), host, report)
  const sorted = findings.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0))
  if (sorted.some(({ severity }) => severity === 'error')) throw new SupervisorConfigError(file, sorted)
  return { file, config, notes: sorted }
}

/** Where the supervisor of this file keeps its state, whatever else is wrong with the file. Throws `SupervisorConfigError` when it cannot be read at all. */
export function findStorageDirectory(path: string, env: Host['env'], host: Host = nodeHost(env)): string {
  const ignore = () => undefined
  return readStorage(readKeys(keys, expandDocument(parseYaml(readSource(path, host), path).document ?? {}, host, ignore), ignore), host)
}

/** A path, `file:PATH` or `env:NAME`. */
function readSource(source: string, host: Host): string {
  const refuse = (message: string): never => {
    throw new SupervisorConfigError(source, [{ severity: 'error', path: '', message }])
  }
  if (source.startsWith('env:')) return host.env[source.slice('env:'.length)] ?? refuse(`the environment variable ${source.slice('env:'.length)} is not set`)
  try {
    return host.readText(resolve(host.cwd, source.replace(/^file:/, '')))
  } catch (error) {
    if (error instanceof FileProblem) return refuse(error.message)
    throw error
  }
}
