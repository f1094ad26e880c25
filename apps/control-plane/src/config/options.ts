/** Every option of the server as data: its name, what it is for, how its text is read. The command line, the file and the help are made from it. */
import type { AllowedTarget } from './allowed-targets.ts'
import { parseAllowedTargets } from './allowed-targets.ts'
import type { HostPort } from './host-port.ts'
import { parseHostPort } from './host-port.ts'

/** One value with everything decided; nothing else reads flags, environment or files. */
export interface ControlPlaneConfig {
  readonly dataDir: string
  /** Holds the server secret. Default: one that is made in the data folder at first start. `DROVER_SECRET` travels apart. */
  readonly secretFile: string | null
  readonly agentsListen: HostPort
  readonly consoleListen: HostPort
  /** Plain HTTP on other addresses than loopback: a TLS proxy stands in front, or the network is trusted. */
  readonly allowPlainHttp: boolean
  /** Under which address agents reach the server; goes into what people paste. Default: where it listens. */
  readonly agentsUrl: URL | null
  /** Under which address people reach the console. Default: where it listens. */
  readonly consoleUrl: URL | null
  /** Where gates and webhooks may call besides the public internet by https. */
  readonly outgoingAllow: readonly AllowedTarget[]
  readonly readyFile: string | null
  readonly demoAgents: number
  /** What the store of the agents' own telemetry may take of the disk. */
  readonly telemetryBudgetBytes: number
  /** One more OTLP/HTTP backend that gets a copy of the agents' own telemetry. */
  readonly telemetryForward: URL | null
  /** What that backend asks for, such as `Authorization: Bearer …`. */
  readonly telemetryForwardHeader: HttpHeader | null
  /** How many agents may be known; one more is told to come back later. */
  readonly maxAgents: number
  readonly logLevel: LogLevel
  /** Folder of the built console. */
  readonly consoleDir: string | null
}

export interface HttpHeader {
  readonly name: string
  readonly value: string
}

export const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug', 'trace'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export interface OptionDefinition<T = unknown> {
  readonly key: keyof ControlPlaneConfig
  /** `--name`, `DROVER_NAME`, and `name:` in the file. */
  readonly name: string
  /** Shape of the value in help texts; absent for switches. */
  readonly placeholder?: string
  readonly description: string
  readonly default: T
  /** Throws an Error that says what is wrong with the text. */
  readonly parse: (text: string) => T
}

const MEBIBYTE = 1024 * 1024

const option = <K extends keyof ControlPlaneConfig>(key: K, definition: Omit<OptionDefinition<ControlPlaneConfig[K]>, 'key'>): OptionDefinition => ({
  key,
  ...definition,
})

export const serverOptions: readonly OptionDefinition[] = [
  option('dataDir', { name: 'data', placeholder: 'DIR', description: 'Data folder: database, tokens', default: 'data', parse: notEmpty }),
  option('secretFile', {
    name: 'secret-file',
    placeholder: 'FILE',
    description: 'Holds the secret that seals stored secrets; default: DROVER_SECRET, else a file made in the data folder',
    default: null,
    parse: notEmpty,
  }),
  option('agentsListen', {
    name: 'agents-listen',
    placeholder: 'HOST:PORT',
    description: 'Where agents connect; port 0 takes a free one',
    default: { host: '127.0.0.1', port: 4320 },
    parse: parseHostPort,
  }),
  option('consoleListen', {
    name: 'console-listen',
    placeholder: 'HOST:PORT',
    description: 'Where the console and the API are served',
    default: { host: '127.0.0.1', port: 4321 },
    parse: parseHostPort,
  }),
  option('allowPlainHttp', {
    name: 'allow-plain-http',
    description: 'Listen without TLS on other addresses than loopback (a TLS proxy stands in front, or the network is trusted)',
    default: false,
    parse: parseBoolean,
  }),
  option('agentsUrl', {
    name: 'agents-url',
    placeholder: 'URL',
    description: 'Address of the agents listener as agents reach it, for the files to paste',
    default: null,
    parse: (text) => parseUrl(text, ['http:', 'https:', 'ws:', 'wss:']),
  }),
  option('consoleUrl', {
    name: 'console-url',
    placeholder: 'URL',
    description: 'Address of the console as people reach it',
    default: null,
    parse: (text) => parseUrl(text, ['http:', 'https:']),
  }),
  option('outgoingAllow', {
    name: 'outgoing-allow',
    placeholder: 'LIST',
    description: 'Where gates and webhooks may call besides the public internet by https, e.g. 10.0.0.0/8,prometheus.internal:9090',
    default: [],
    parse: parseAllowedTargets,
  }),
  option('telemetryBudgetBytes', {
    name: 'telemetry-budget',
    placeholder: 'MEBIBYTES',
    description: "Disk for the agents' own metrics; what does not fit reaches less far back",
    default: 1024 * MEBIBYTE,
    parse: (text) => parseWholeNumber(text, 16, 1024 * 1024) * MEBIBYTE,
  }),
  option('telemetryForward', {
    name: 'telemetry-forward',
    placeholder: 'URL',
    description: "One more OTLP/HTTP backend that gets a copy of the agents' own telemetry",
    default: null,
    parse: (text) => parseUrl(text, ['https:', 'http:']),
  }),
  option('telemetryForwardHeader', {
    name: 'telemetry-forward-header',
    placeholder: 'HEADER',
    description:
      'A header for that backend, such as "Authorization: Bearer …"; better as DROVER_TELEMETRY_FORWARD_HEADER, which others on the machine cannot see',
    default: null,
    parse: parseHeader,
  }),
  option('readyFile', {
    name: 'ready-file',
    placeholder: 'FILE',
    description: 'Written (JSON: agents, console, pid) when both listeners accept',
    default: null,
    parse: notEmpty,
  }),
  option('demoAgents', {
    name: 'demo',
    placeholder: 'N',
    description: 'Add N scripted agents that behave like supervisors',
    default: 0,
    parse: (text) => parseWholeNumber(text, 0, 100_000),
  }),
  option('maxAgents', {
    name: 'max-agents',
    placeholder: 'N',
    description: 'How many agents may be known, so that a leaked token cannot fill the disk',
    default: 100_000,
    parse: (text) => parseWholeNumber(text, 1, 10_000_000),
  }),
  option('logLevel', { name: 'log-level', placeholder: 'LEVEL', description: `One of ${LOG_LEVELS.join(', ')}`, default: 'info', parse: parseLogLevel }),
  option('consoleDir', { name: 'console-dir', placeholder: 'DIR', description: 'Folder of the built console', default: null, parse: notEmpty }),
]

function notEmpty(text: string): string {
  if (text.trim() === '') throw new Error('must not be empty')
  return text
}

function parseBoolean(text: string): boolean {
  if (/^(true|yes|on|1)$/i.test(text)) return true
  if (/^(false|no|off|0)$/i.test(text)) return false
  throw new Error(`${JSON.stringify(text)} is neither true nor false`)
}

function parseWholeNumber(text: string, min: number, max: number): number {
  const value = Number(text)
  if (!/^\d+$/.test(text.trim()) || value < min || value > max) throw new Error(`${JSON.stringify(text)} is not a whole number from ${min} to ${max}`)
  return value
}

function parseHeader(text: string): HttpHeader {
  const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): *([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)$/.exec(text.trim()) ?? []
  // The text may be a secret, so it is not repeated.
  if (name === undefined || value === undefined) throw new Error('is not a header such as "Authorization: Bearer …"')
  return { name, value }
}

function parseLogLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((known) => known === text.toLowerCase())
  if (level === undefined) throw new Error(`${JSON.stringify(text)} is none of ${LOG_LEVELS.join(', ')}`)
  return level
}

function parseUrl(text: string, protocols: readonly string[]): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !protocols.includes(url.protocol) || url.username !== '' || url.search !== '' || url.hash !== '') {
    throw new Error(
      `${JSON.stringify(text)} is not an address such as ${protocols[0]}//drover.example.com (${protocols.map((protocol) => protocol.slice(0, -1)).join(', ')}; no user, query or fragment)`,
    )
  }
  return url
}
