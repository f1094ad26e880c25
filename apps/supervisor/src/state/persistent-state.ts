/** `persistent_state.yaml`: who the agent is and how its last offer went, as the stock supervisor writes and reads it. */
import { type InstanceUid, parseInstanceUid, RemoteConfigStatuses } from '@drover/protocol'
import { parse, stringify } from 'yaml'

export interface StoredStatus {
  readonly status: RemoteConfigStatuses
  /** In hex. */
  readonly hash: string
  readonly errorMessage: string
}

export interface PersistentState {
  readonly instanceUid: InstanceUid
  readonly status: StoredStatus | undefined
}

/** The file cannot be understood. */
export class PersistentStateError extends Error {
  override readonly name = 'PersistentStateError'
}

export function formatPersistentState({ instanceUid, status }: PersistentState): string {
  return stringify({
    instance_id: instanceUid,
    last_remote_config_status:
      status === undefined ? null : { status: status.status, last_remote_config_hash: status.hash, error_message: status.errorMessage },
  })
}

/** A status that makes no sense is left out; without an instance id it throws. */
export function parsePersistentState(text: string): PersistentState {
  const value = parseYaml(text)
  const id = field(value, 'instance_id')
  if (typeof id !== 'string') throw new PersistentStateError('it has no instance_id')
  try {
    return { instanceUid: parseInstanceUid(id), status: parseStatus(field(value, 'last_remote_config_status')) }
  } catch (error) {
    throw new PersistentStateError('its instance_id is not a UUID', { cause: error })
  }
}

function parseYaml(text: string): unknown {
  try {
    // A hash such as 1234 or 12e4 is text, not a number.
    return parse(text, { schema: 'failsafe', logLevel: 'error' })
  } catch (error) {
    throw new PersistentStateError('it is not YAML', { cause: error })
  }
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return (value as Record<string, unknown>)[name] // as: an object that has the key
}

function parseStatus(value: unknown): StoredStatus | undefined {
  const status = Number(field(value, 'status'))
  const hash = field(value, 'last_remote_config_hash')
  const errorMessage = field(value, 'error_message')
  if (!(status in RemoteConfigStatuses) || typeof hash !== 'string' || !/^([0-9a-f]{2})*$/i.test(hash)) return undefined
  return { status, hash: hash.toLowerCase(), errorMessage: typeof errorMessage === 'string' ? errorMessage : '' }
}
