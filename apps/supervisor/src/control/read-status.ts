/** Asks the supervisor of a storage directory how it is. */
import { createConnection } from 'node:net'
import { maxReplyBytes, parseReply } from './reply.ts'
import type { Reply } from './reply.ts'
import { socketAddress } from './socket-path.ts'

const answerTimeoutMs = 2_000

export type SupervisorReply =
  | Reply
  /** `absent`: none runs there; `forbidden`: another user's; `silent`: it runs and does not answer in time or not understandably. */
  | { readonly kind: 'absent' | 'forbidden' | 'silent' }

/** Never throws. */
export async function readSupervisorStatus(storageDirectory: string, timeoutMs = answerTimeoutMs): Promise<SupervisorReply> {
  try {
    using address = socketAddress(storageDirectory)
    return address === undefined ? { kind: 'absent' } : await ask(address.path, timeoutMs)
  } catch (error) {
    return { kind: kindOf(error) }
  }
}

function ask(path: string, timeoutMs: number): Promise<SupervisorReply> {
  const { promise, resolve, reject } = Promise.withResolvers<SupervisorReply>()
  const socket = createConnection(path)
  const limit = setTimeout(() => resolve({ kind: 'silent' }), timeoutMs)
  let received = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    received += chunk
    if (received.length > maxReplyBytes) resolve({ kind: 'silent' })
  })
  socket.on('end', () => resolve(parseReply(received) ?? { kind: 'silent' }))
  socket.on('error', reject)
  return promise.finally(() => {
    clearTimeout(limit)
    socket.destroy()
  })
}

function kindOf(error: unknown): 'absent' | 'forbidden' | 'silent' {
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? '' // as: what node:net and node:fs throw
  if (['ENOENT', 'ENOTDIR', 'ECONNREFUSED'].includes(code)) return 'absent'
  return code === 'EACCES' || code === 'EPERM' ? 'forbidden' : 'silent'
}
