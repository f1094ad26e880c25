/** Where the control socket of a storage directory is. */
import { closeSync, constants, openSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { join, resolve } from 'node:path'

export const socketName = 'supervisor.sock'

/** A socket's address has 108 bytes on Linux, 104 elsewhere, the last of them zero. */
const maxAddressBytes = 103

export interface SocketAddress extends Disposable {
  /** What to listen on or to connect to, while this is not disposed of. */
  readonly path: string
  /** The same in the file system; undefined: it is not there. */
  readonly file: string | undefined
}

/**
 * `supervisor.sock` in the directory. Where that is too long for a socket, the directory is opened and the socket reached through it, which is short
 * whatever the path; `undefined` where the system cannot do that. On Windows it is a pipe whose name depends on the directory.
 */
export function socketAddress(storageDirectory: string, platform: NodeJS.Platform = process.platform): SocketAddress | undefined {
  const directory = resolve(storageDirectory)
  if (platform === 'win32') {
    const name = createHash('sha256').update(directory.toLowerCase()).digest('hex').slice(0, 32)
    return { path: `\\\\.\\pipe\\drover-supervisor-${name}`, file: undefined, [Symbol.dispose]: () => undefined }
  }
  const file = join(directory, socketName)
  if (Buffer.byteLength(file) <= maxAddressBytes) return { path: file, file, [Symbol.dispose]: () => undefined }
  if (platform !== 'linux') return undefined
  const descriptor = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY)
  return { path: `/proc/self/fd/${descriptor}/${socketName}`, file, [Symbol.dispose]: () => closeSync(descriptor) }
}
