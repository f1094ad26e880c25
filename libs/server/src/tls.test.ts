/** The same over TLS, where Node's connections are other objects than the sockets below. A shared key stands in for certificates. */
import { once } from 'node:events'
import { createServer } from 'node:https'
import { connect, type AddressInfo } from 'node:net'
import { FakeClock } from '@drover/testing'
import { describe, expect, it } from 'vitest'
import { createOpampServer } from './opamp-server.ts'
import { firstReport, RecordingHandler, report, settle, TestSocket, uidA } from './test-agent.ts'

const psk = new Uint8Array(32).fill(7)
const tls = { ciphers: 'PSK-AES256-GCM-SHA384', maxVersion: 'TLSv1.2', minVersion: 'TLSv1.2' } as const

describe('a server behind TLS', () => {
  it('keeps connections that sent their request, and cuts one that never finishes its handshake', async () => {
    const clock = new FakeClock()
    const handler = new RecordingHandler()
    await using server = createOpampServer({ handler, clock, capabilities: ['AcceptsStatus'] })
    const https = createServer({ ...tls, pskCallback: () => psk })
    server.attach(https)
    https.listen(0, '127.0.0.1')
    await once(https, 'listening')
    const { port } = https.address() as AddressInfo // as: listening on TCP
    const idle = connect(port, '127.0.0.1')
    await once(idle, 'connect')
    // The types of the library leave out what it passes on to TLS.
    const options: object = { ...tls, pskCallback: () => ({ psk, identity: 'agent' }), checkServerIdentity: () => undefined }
    using agent = await TestSocket.connect(`127.0.0.1:${port}/v1/opamp`, options, 'wss')
    await agent.ask(firstReport(uidA))
    await settle()
    clock.advance(12_000)
    idle.resume()
    await once(idle, 'close')
    expect((await agent.ask(report(uidA, { sequenceNum: 1 }))).errorResponse).toBeUndefined()
    expect(handler.reports[0]?.connection.remoteAddress).toBe('127.0.0.1')
    https.closeAllConnections()
    https.close()
  })
})
