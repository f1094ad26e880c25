/** The keys under `drover.agent` that describe a program other than a Collector. */
import { basename, resolve } from 'node:path'
import type { Host } from './host.ts'
import type { keys } from './keys.ts'
import { collectorAlone } from './keys-without-effect.ts'
import { pathOf } from './read-keys.ts'
import type { ReadKeys, Report } from './read-keys.ts'
import type { DroverSettings, ProcessAgentSettings } from './supervisor-config.ts'

const processKeys = ['name', 'version', 'version_command', 'config_file', 'validate_command', 'reload', 'health'] as const

export function readAgentKind({ values, given }: ReadKeys<typeof keys>, host: Host, report: Report): DroverSettings['agent'] {
  if (values['drover.agent.kind'] === 'process') {
    for (const key of collectorAlone) if (given.has(key)) report('note', pathOf(key), 'has no effect: it is for Collectors')
    return { kind: 'process', ...readProcess(values, host, report) }
  }
  for (const key of processKeys)
    if ([...given].some((name) => name === `drover.agent.${key}` || name.startsWith(`drover.agent.${key}.`)))
      report('error', pathOf(`drover.agent.${key}`), 'is for kind: process; for a Collector the supervisor knows it')
  return { kind: 'collector' }
}

function readProcess(values: ReadKeys<typeof keys>['values'], host: Host, report: Report): ProcessAgentSettings {
  const configFile = values['drover.agent.config_file']
  if (configFile === undefined)
    report('error', pathOf('drover.agent'), 'config_file must be given for kind: process: where the program reads its configuration')
  const { 'drover.agent.version': version, 'drover.agent.version_command': versionCommand, 'drover.agent.validate_command': validateCommand } = values
  return {
    name: values['drover.agent.name'] ?? basename(values['agent.executable'] ?? 'agent'),
    ...(version === undefined ? {} : { version }),
    ...(versionCommand === undefined ? {} : { versionCommand }),
    configFile: resolve(host.cwd, configFile ?? '.'),
    ...(validateCommand === undefined ? {} : { validateCommand: needsConfig(validateCommand, report) }),
    ...readReload(values, report),
    ...readHealth(values, report),
  }
}

function needsConfig(command: readonly string[], report: Report): readonly string[] {
  if (!command.some((word) => word.includes('{config}')))
    report(
      'error',
      pathOf('drover.agent.validate_command'),
      'must have {config} where the path of the configuration belongs: the one to check is not the one that runs',
    )
  return command
}

function readReload(values: ReadKeys<typeof keys>['values'], report: Report): Pick<ProcessAgentSettings, 'reload'> {
  const signal = values['drover.agent.reload.signal']
  const command = values['drover.agent.reload.command']
  if (signal !== undefined && command !== undefined) report('error', pathOf('drover.agent.reload'), 'give either signal or command')
  if (signal !== undefined) return { reload: { kind: 'signal', signal } }
  return command === undefined ? {} : { reload: { kind: 'command', command } }
}

function readHealth(values: ReadKeys<typeof keys>['values'], report: Report): Pick<ProcessAgentSettings, 'health'> {
  const url = values['drover.agent.health.url']
  const command = values['drover.agent.health.command']
  const intervalMs = values['drover.agent.health.interval']
  if (url !== undefined && command !== undefined) report('error', pathOf('drover.agent.health'), 'give either url or command')
  if (url !== undefined) {
    if (!['http:', 'https:'].includes(URL.parse(url)?.protocol ?? '')) report('error', pathOf('drover.agent.health.url'), 'takes an http or https address')
    return { health: { kind: 'http', url, intervalMs } }
  }
  return command === undefined ? {} : { health: { kind: 'command', command, intervalMs } }
}
