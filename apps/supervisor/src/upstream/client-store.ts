/** Where the OpAMP client keeps things: its instance uid and status are the supervisor's own, in the files of the stock supervisor. */
import { create, toBinary } from '@bufbuild/protobuf'
import type { ClientStore } from '@drover/client'
import { fromHex, parseInstanceUid, RemoteConfigStatusSchema } from '@drover/protocol'
import type { StateFolder } from '../state/state-folder.ts'

const uidName = 'instance-uid'
const statusName = 'remote-config-status'

/** `rest` has what the stock supervisor does not keep: connection settings, keys. */
export function clientStore(folder: StateFolder, rest: ClientStore): ClientStore {
  return {
    isDurable: rest.isDurable,
    async read(name) {
      if (name === uidName) return new TextEncoder().encode(folder.found.instanceUid)
      if (name === statusName) return storedStatus(folder)
      return rest.read(name)
    },
    async write(name, value) {
      if (name === uidName) return folder.writeInstanceUid(parseInstanceUid(new TextDecoder().decode(value)))
      // The apply machine writes it before the client hears of it.
      if (name === statusName) return
      return rest.write(name, value)
    },
    async remove(name) {
      if (name !== uidName && name !== statusName) await rest.remove(name)
    },
  }
}

function storedStatus({ found: { status } }: StateFolder): Uint8Array | undefined {
  // A Server without hashes cannot be told of any.
  if (status === undefined || status.hash === '') return undefined
  const { hash, errorMessage } = status
  return toBinary(RemoteConfigStatusSchema, create(RemoteConfigStatusSchema, { lastRemoteConfigHash: fromHex(hash), status: status.status, errorMessage }))
}
