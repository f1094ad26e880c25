import { createServer } from 'node:net'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { startHealthServer } from './health-server.ts'

const anyPort = { host: '127.0.0.1', port: 0, path: '/health' }

describe('startHealthServer', () => {
  it('answers 503 until the supervisor is ready, then 200', async () => {
    let ready = false
    await using server = await startHealthServer(anyPort, () => ready)
    const url = `http://127.0.0.1:${server.port}/health`
    const before = await fetch(url)
    expect([before.status, await before.text()]).toEqual([503, 'starting\n'])
    ready = true
    const after = await fetch(`${url}?probe=1`)
    expect([after.status, await after.text()]).toEqual([200, ''])
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(200)
  })

  it('has nothing else', async () => {
    await using server = await startHealthServer(anyPort, () => true)
    expect((await fetch(`http://127.0.0.1:${server.port}/`)).status).toBe(404)
    expect((await fetch(`http://127.0.0.1:${server.port}/health`, { method: 'POST', body: 'x' })).status).toBe(405)
  })

  it('says which port is taken', async () => {
    const other = createServer()
    other.listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as { port: number } // as: it listens on a TCP port
    await expect(startHealthServer({ ...anyPort, port }, () => true)).rejects.toThrow(`healthcheck.endpoint: another program uses 127.0.0.1 port ${port}`)
    other.close()
  })
})
