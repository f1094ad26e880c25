/** How a configuration asks the stub to behave. Written as settings of a receiver `stub`, so that it merges, validates and is reported like any other. */
import { ConfigurationError, mapAt } from './configuration.ts'
import type { ConfigMap } from './configuration.ts'
import { typeOf } from './components.ts'

export interface Behaviour {
  /** The configuration is refused, by `validate` and at start, with this text. */
  readonly invalid?: string
  /** `validate` takes it; the start ends with exit code 1 and this text. */
  readonly failsAtStart?: string
  /** Between the process's start and its being ready. */
  readonly startDelayMs?: number
  /** Ends with `exitCode` this long after it reported that it is healthy. */
  readonly crashAfterMs?: number
  /** Default 1. */
  readonly exitCode?: number
  /** Takes memory, once healthy, until this much; then the kernel's way: SIGKILL. */
  readonly eatMib?: number
  readonly ignoresSigterm?: boolean
  /** Its health stays as at the start: not healthy, and nothing more is said. */
  readonly silent?: boolean
  /** Runs, and says that it is not healthy, with this text. */
  readonly unhealthy?: string
  /** Healthy and not healthy in turn. */
  readonly flapEveryMs?: number
  /** Lines written to the log at the start, each of about 1 KiB. */
  readonly logKib?: number
  /** Announced to the server; messages are answered with the same content and the type `echo`. */
  readonly customCapability?: string
  /** Custom messages sent once it is healthy. */
  readonly customMessages?: number
  /** Once healthy, another description follows that has this as attribute `stub.note`. */
  readonly laterNote?: string
}

type Kind = 'text' | 'number' | 'flag'

const keys: Readonly<Record<string, readonly [keyof Behaviour, Kind]>> = {
  invalid: ['invalid', 'text'],
  fails_at_start: ['failsAtStart', 'text'],
  start_delay_ms: ['startDelayMs', 'number'],
  crash_after_ms: ['crashAfterMs', 'number'],
  exit_code: ['exitCode', 'number'],
  eat_mib: ['eatMib', 'number'],
  ignores_sigterm: ['ignoresSigterm', 'flag'],
  silent: ['silent', 'flag'],
  unhealthy: ['unhealthy', 'text'],
  flap_every_ms: ['flapEveryMs', 'number'],
  log_kib: ['logKib', 'number'],
  custom_capability: ['customCapability', 'text'],
  custom_messages: ['customMessages', 'number'],
  later_note: ['laterNote', 'text'],
}

const typeNames: Readonly<Record<Kind, string>> = { text: 'string', number: 'number', flag: 'boolean' }

/** Throws a ConfigurationError for a key that does not exist, as the Collector does. */
export function readBehaviour(config: ConfigMap): Behaviour {
  const behaviour: Record<string, unknown> = {}
  for (const id of Object.keys(mapAt(config, 'receivers')).filter((one) => typeOf(one) === 'stub')) {
    for (const [key, value] of Object.entries(mapAt(config, 'receivers', id))) {
      const [name, kind] = keys[key] ?? []
      if (name === undefined || kind === undefined || typeof value !== typeNames[kind])
        throw new ConfigurationError(
          `failed to get config: cannot unmarshal the configuration: decoding failed due to the following error(s):\n\n'receivers' error reading configuration for "${id}": decoding failed due to the following error(s):\n\n'' has invalid keys: ${key}`,
        )
      behaviour[name] = value
    }
  }
  return behaviour // every name was filled with a value of its type
}
