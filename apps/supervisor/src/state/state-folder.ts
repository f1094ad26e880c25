/**
 * What outlives the supervisor, in files that the stock supervisor reads and writes too:
 *
 * - `persistent_state.yaml`: the instance uid, and the status of the last offer
 * - `last_recv_remote_config.dat` (R), `last_working_remote_config.dat` (W): `AgentRemoteConfig`
 * - `last_recv_own_telemetry_config.dat`: `ConnectionSettingsOffers`, here always with all three signals as they are to be
 *
 * and in two of our own: `previous_working_remote_config.dat` (P), the way back while W is still in its grace, and `drover_state.json`.
 *
 * Each file is replaced as a whole and durably. No two are written at once, so the order decides what a kill in between leaves; `resume` reads it so
 * that whatever it finds is one whole configuration, the offered or the last good one:
 *
 * - An offer: R. (Killed: W runs, R has no verdict and is tried anew.)
 * - Applying: the count of tries, then the status APPLYING. Only then is the agent touched. (Killed: as above.)
 * - Applied: P, then W, then the status APPLIED. (Killed before W: as above, and P begins with W. Before the status: W is R, which is found to run already.)
 * - Failed: the status FAILED, then, when the last good one runs again, R = W. (Killed: W runs, and FAILED is told.)
 * - Failed after all, in its grace: W = the first of P, the status FAILED, R = W, then P without it. (Killed before the status: R is APPLIED and runs, W is what it
 *   goes back to when it crashes again. Later: W runs.)
 */
import type { ClientStore } from '@drover/client'
import { type InstanceUid, RemoteConfigStatuses } from '@drover/protocol'
import type { Log } from '../log.ts'
import { formatMemory, emptyMemory, type Memory, parseMemory } from './memory.ts'
import { decodeOfferedConfig, decodeWayBack, encodeWayBack, type OfferedConfig, type WayBack } from './offered-config.ts'
import { formatPersistentState, parsePersistentState, type PersistentState, type StoredStatus } from './persistent-state.ts'
import type { StoredConfigs } from './resume.ts'

export interface StoredState extends StoredConfigs {
  readonly instanceUid: InstanceUid
  /** Encoded `ConnectionSettingsOffers`. */
  readonly ownTelemetry: Uint8Array | undefined
  readonly memory: Memory
}

export interface StateFolder {
  /** As it was when the folder was opened. */
  readonly found: StoredState
  writeReceived(offer: OfferedConfig | undefined): Promise<void>
  writeWorking(offer: OfferedConfig | undefined): Promise<void>
  /** Empty: no way back is needed any more. */
  writePrevious(previous: WayBack): Promise<void>
  writeOwnTelemetry(encoded: Uint8Array): Promise<void>
  writeMemory(memory: Memory): Promise<void>
  writeStatus(status: StoredStatus): Promise<void>
  writeInstanceUid(instanceUid: InstanceUid): Promise<void>
}

export const stateFileNames = {
  persistentState: 'persistent_state.yaml',
  received: 'last_recv_remote_config.dat',
  working: 'last_working_remote_config.dat',
  previous: 'previous_working_remote_config.dat',
  ownTelemetry: 'last_recv_own_telemetry_config.dat',
  memory: 'drover_state.json',
} as const

export interface StateFolderOptions {
  /** One value to a file of that name in the storage directory. */
  readonly files: ClientStore
  readonly log: Log
  /** For a first start. */
  readonly newInstanceUid: () => InstanceUid
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Reads what there is; on a first start the instance uid is written. A file that cannot be understood is kept aside under another name. */
export async function openStateFolder({ files, log, newInstanceUid }: StateFolderOptions): Promise<StateFolder> {
  let persistent = await readPersistentState(files, log)
  const writePersistent = async (next: PersistentState): Promise<void> => {
    // Before it is written: the next write may come before this one is done, and must not take it back.
    persistent = next
    await files.write(stateFileNames.persistentState, encoder.encode(formatPersistentState(next)))
  }
  const known = persistent ?? { instanceUid: newInstanceUid(), status: undefined }
  if (persistent === undefined) await writePersistent(known)
  const current = (): PersistentState => persistent ?? known

  const found: StoredState = {
    instanceUid: known.instanceUid,
    status: known.status,
    received: await readOffer(files, stateFileNames.received, log),
    working: await readOffer(files, stateFileNames.working, log),
    previous: await readPrevious(files, log),
    ownTelemetry: await files.read(stateFileNames.ownTelemetry),
    memory: await readMemory(files),
  }
  const writeOffer = async (name: string, offer: OfferedConfig | undefined): Promise<void> =>
    offer === undefined ? files.remove(name) : files.write(name, offer.encoded)
  return {
    found,
    writeReceived: async (offer) => writeOffer(stateFileNames.received, offer),
    writeWorking: async (offer) => writeOffer(stateFileNames.working, offer),
    writePrevious: async (previous) =>
      previous.length === 0 ? files.remove(stateFileNames.previous) : files.write(stateFileNames.previous, encodeWayBack(previous)),
    writeOwnTelemetry: async (encoded) => files.write(stateFileNames.ownTelemetry, encoded),
    writeMemory: async (memory) => files.write(stateFileNames.memory, encoder.encode(formatMemory(memory))),
    writeStatus: async (status) => writePersistent({ ...current(), status }),
    writeInstanceUid: async (instanceUid) => writePersistent({ ...current(), instanceUid }),
  }
}

async function readPersistentState(files: ClientStore, log: Log): Promise<PersistentState | undefined> {
  const bytes = await files.read(stateFileNames.persistentState)
  if (bytes === undefined) return undefined
  try {
    return parsePersistentState(decoder.decode(bytes))
  } catch (error) {
    await setAside(files, stateFileNames.persistentState, bytes, log, error)
    return undefined
  }
}

async function readOffer(files: ClientStore, name: string, log: Log): Promise<OfferedConfig | undefined> {
  const bytes = await files.read(name)
  if (bytes === undefined) return undefined
  try {
    return decodeOfferedConfig(bytes)
  } catch (error) {
    await setAside(files, name, bytes, log, error)
    return undefined
  }
}

async function readPrevious(files: ClientStore, log: Log): Promise<WayBack> {
  const bytes = await files.read(stateFileNames.previous)
  if (bytes === undefined) return []
  try {
    return decodeWayBack(bytes)
  } catch (error) {
    await setAside(files, stateFileNames.previous, bytes, log, error)
    return []
  }
}

async function readMemory(files: ClientStore): Promise<Memory> {
  const bytes = await files.read(stateFileNames.memory)
  return bytes === undefined ? emptyMemory : parseMemory(decoder.decode(bytes))
}

/** An agent that runs under a new identity is better than one that does not run, and a person can still look at what was there. */
async function setAside(files: ClientStore, name: string, bytes: Uint8Array, log: Log, error: unknown): Promise<void> {
  const aside = `${name}.broken`
  log('error', 'A state file cannot be understood and is set aside', { file: name, aside, error: error instanceof Error ? error.message : 'unknown' })
  await files.write(aside, bytes)
  await files.remove(name)
}

export const storedStatuses = {
  applying: RemoteConfigStatuses.RemoteConfigStatuses_APPLYING,
  applied: RemoteConfigStatuses.RemoteConfigStatuses_APPLIED,
  failed: RemoteConfigStatuses.RemoteConfigStatuses_FAILED,
} as const
