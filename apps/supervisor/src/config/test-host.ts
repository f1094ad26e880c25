/** A machine with the files of a test, and the file of a supervisor on it. */
import { formatFinding, SupervisorConfigError } from './finding.ts'
import { FileProblem } from './host.ts'
import type { Host } from './host.ts'
import { readSupervisorConfig } from './load-config.ts'
import type { LoadedConfig } from './load-config.ts'

export interface TestMachine {
  readonly env?: Readonly<Record<string, string>>
  /** Content by absolute path; a name that ends in `*` is executable. */
  readonly files?: Readonly<Record<string, string>>
  readonly platform?: NodeJS.Platform
  /** Permission bits of all files. */
  readonly mode?: number
}

export function testHost({ env = {}, files = {}, platform = 'linux', mode = 0o600 }: TestMachine = {}): Host {
  return {
    env,
    cwd: '/here',
    platform,
    readText(path) {
      const text = files[path]
      if (text === undefined) throw new FileProblem(`cannot read ${path}: there is no such file`)
      return text
    },
    look(path) {
      if (path === '/otelcol' || Object.hasOwn(files, `${path}*`)) return { kind: 'file', executable: true, mode: 0o755 }
      if (Object.hasOwn(files, path)) return { kind: 'file', executable: false, mode }
      return { kind: path === '/folder' ? 'folder' : 'absent' }
    },
  }
}

/** The least that a file must say. */
export const least = 'server:\n  endpoint: ws://127.0.0.1:4320/v1/opamp\nagent:\n  executable: /otelcol\n'

export function load(text: string, machine?: TestMachine): LoadedConfig {
  return readSupervisorConfig(text, 'supervisor.yaml', testHost(machine))
}

/** Everything that is said about a file, a line each. */
export function said(text: string, machine?: TestMachine): readonly string[] {
  try {
    return load(text, machine).notes.map((note) => formatFinding('supervisor.yaml', note).replace('supervisor.yaml:', ''))
  } catch (error) {
    if (!(error instanceof SupervisorConfigError)) throw error
    return error.findings.map((finding) => formatFinding('supervisor.yaml', finding).replace('supervisor.yaml:', ''))
  }
}

/** What is wrong. */
export const errorsIn = (text: string, machine?: TestMachine): readonly string[] => said(text, machine).filter((line) => line.includes(' error: '))
