/** Free ports for programs that cannot be asked which one they took. */
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below the ports that the kernel gives to outgoing connections and to port 0, so that nobody gets one by chance before it is used. */
const first = 12_000
const last = 32_000

/** Test processes begin at different places and go round. */
let next = first + ((process.pid * 97) % (last - first))

export async function freePort(): Promise<number> {
  for (;;) {
    const port = next
    next = next + 1 < last ? next + 1 : first
    if (await isFree(port)) return port
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  server.listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
