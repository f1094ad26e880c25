/** Free ports for programs that cannot be asked which one they took. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

/** Another program could take it before it is used; the kernel hands out free ports in turn, so that is unlikely. */
export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // as: a TCP listener's address is never text
  server.close()
  await once(server, 'close')
  return port
}
