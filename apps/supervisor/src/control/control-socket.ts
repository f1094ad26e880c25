/** The socket through which a running supervisor says how it is: one line of JSON to whoever connects. */
import { once } from 'node:events'
import { chmodSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { formatReply } from './reply.ts'
import { readSupervisorStatus } from './read-status.ts'
import { socketAddress } from './socket-path.ts'
import { StorageLockedError, lockStorage } from './storage-lock.ts'
import type { SupervisorStatus } from './status.ts'

const maxReaders = 16
const readerTimeoutMs = 2_000

/** Another supervisor runs with this storage directory. */
export class SupervisorRunningError extends Error {
  override readonly name = 'SupervisorRunningError'
  readonly pid: number | undefined

  constructor(storageDirectory: string, pid: number | undefined) {
    super(
      `another supervisor${pid === undefined ? '' : ` (process ${pid})`} runs with the storage directory ${storageDirectory}: stop it, or give this one a storage.directory of its own`,
    )
    this.pid = pid
  }
}

export interface ControlSocketOptions {
  /** Something went wrong that does not keep the supervisor from running. */
  readonly onTrouble?: (message: string) => void
}

/**
 * Takes the storage directory, which is made when it is not there, and serves the status until it is disposed of. Comes before anything in the
 * directory is read and before the agent is touched: of two supervisors the second one must not see what the first one left.
 * `getStatus` may give `undefined` while the supervisor is starting. Throws `SupervisorRunningError`.
 */
export async function openControlSocket(
  storageDirectory: string,
  getStatus: () => SupervisorStatus | undefined,
  { onTrouble = () => undefined }: ControlSocketOptions = {},
): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack()
  stack.use(await takeStorage(storageDirectory))
  const address = socketAddress(storageDirectory)
  if (address === undefined) onTrouble(`the path of ${storageDirectory} is too long for a socket, so nobody can ask for the status`)
  else {
    stack.use(address)
    try {
      stack.use(await serve(address, getStatus))
    } catch (error) {
      onTrouble(`cannot serve the status: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return stack.move()
}

async function takeStorage(storageDirectory: string): Promise<Disposable> {
  try {
    return lockStorage(storageDirectory)
  } catch (error) {
    if (!(error instanceof StorageLockedError)) throw error
    const reply = await readSupervisorStatus(storageDirectory)
    throw new SupervisorRunningError(storageDirectory, 'pid' in reply ? reply.pid : undefined)
  }
}

async function serve(
  address: { readonly path: string; readonly file: string | undefined },
  getStatus: () => SupervisorStatus | undefined,
): Promise<AsyncDisposable> {
  // Whoever left it is gone: the lock says so.
  if (address.file !== undefined) rmSync(address.file, { force: true })
  const readers = new Set<Socket>()
  const server = createServer((socket) => {
    readers.add(socket)
    socket.on('close', () => readers.delete(socket))
    answer(socket, getStatus)
  })
  server.maxConnections = maxReaders
  await listen(server, address.path)
  if (address.file !== undefined) chmodSync(address.file, 0o600)
  // Status is no reason to stay.
  server.unref()
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of readers) socket.destroy()
      server.close()
      await once(server, 'close')
      if (address.file !== undefined) rmSync(address.file, { force: true })
    },
  }
}

async function listen(server: Server, path: string): Promise<void> {
  // The socket is made while `listen` runs, and must not be open to others for a moment.
  const before = process.umask(0o177)
  try {
    server.listen(path)
  } finally {
    process.umask(before)
  }
  await once(server, 'listening')
}

/** What a reader sends is never read. */
function answer(socket: Socket, getStatus: () => SupervisorStatus | undefined): void {
  socket.on('error', () => socket.destroy())
  socket.setTimeout(readerTimeoutMs, () => socket.destroy())
  socket.end(formatReply(process.pid, getStatus()), () => socket.destroySoon())
}
