/** Settings of other connections, and certificates that the agent asks for. */
import { createServer as createTlsServer } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { ConnectionSettingsStatuses as Status, ServerErrorResponseType } from '@drover/protocol'
import { settle } from '@drover/testing'
import { describe, expect, it } from 'vitest'
import { capabilities, durableStore, nextStatus, offerOf, statusOf } from './test-offers.ts'
import { connected, rawWebSocketServer, settingsFor, testClient } from './test-peers.ts'
import { createAuthority, createCertificate } from './tls/test-certificates.ts'

describe('settings of other connections', () => {
  const metrics = (hash: number) => ({
    connectionSettings: { hash: Uint8Array.of(hash), ownMetrics: { destinationEndpoint: 'http://localhost:4318/v1/metrics' } },
  })

  it('are handed on without the rest, and their fate is told [OT-06] [K-22] [K-23] [K-24]', async () => {
    await using server = await rawWebSocketServer()
    const offered: unknown[] = []
    await using agent = await testClient(server.endpoint, {
      capabilities,
      handler: {
        onConnectionSettings: async (offer) => {
          offered.push(offer)
          if (offered.length === 2) throw new Error('no such host')
        },
      },
    })
    const connection = await connected(server, agent)
    connection.send(metrics(1))
    await connection.messages.find((message) => statusOf(message)?.[1] === Status.ConnectionSettingsStatuses_APPLIED)
    expect(offered).toEqual([{ otherConnections: {}, ownMetrics: expect.objectContaining({ destinationEndpoint: 'http://localhost:4318/v1/metrics' }) }])
    connection.send(metrics(1))
    connection.send(metrics(2))
    const failed = await connection.messages.find((message) => statusOf(message)?.[1] === Status.ConnectionSettingsStatuses_FAILED)
    expect(failed.connectionSettingsStatus?.errorMessage).toBe('no such host')
    expect(offered).toHaveLength(2)
    expect(agent.client.settings.endpoint).toBe(server.endpoint)
  })
})

describe('a request for a certificate', () => {
  const authority = createAuthority('authority')
  const host = createCertificate('server', { issuer: authority, hosts: ['localhost'] })
  const csr = new TextEncoder().encode('-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n')

  it('is answered with a certificate, which is proven with the key that never left [CSR-04] [CSR-05] [CSR-16] [CSR-13] [KM-03]', async () => {
    const http = createTlsServer({ cert: host.cert, key: host.key, ca: authority.cert, requestCert: true, rejectUnauthorized: false })
    await using server = await rawWebSocketServer({ http, scheme: 'wss' })
    const issued = createCertificate('agent', { issuer: authority })
    const store = durableStore()
    const settings = settingsFor(server.endpoint, { tls: { ca: authority.cert } })
    // The certificates are of today.
    await using agent = await testClient(server.endpoint, { capabilities, store, settings, startMs: Date.now() })
    const connection = await connected(server, agent)
    const asked = agent.client.requestCertificate(csr, issued.key)
    const message = await connection.messages.find(({ connectionSettingsRequest }) => connectionSettingsRequest !== undefined)
    expect(message.connectionSettingsRequest?.opamp?.certificateRequest?.csr).toEqual(csr)
    connection.send(offerOf(1, server.endpoint, { certificate: { cert: new TextEncoder().encode(issued.cert) } }))
    await asked
    const proven = await server.connections.next()
    expect((proven.request.socket as TLSSocket).getPeerCertificate().subject.CN).toBe('agent') // as: an HTTPS server has no others
    expect(statusOf(await nextStatus(proven))).toEqual([1, Status.ConnectionSettingsStatuses_APPLYING])
    expect(statusOf(await nextStatus(proven))).toEqual([1, Status.ConnectionSettingsStatuses_APPLIED])
    expect(agent.client.settings.tls.key).toBe(issued.key)
    await settle()
    expect(await store.read('certificate-request-key')).toBeUndefined()
  })

  it('is rejected when the server refuses it, takes none, or is not known to be the right one [CSR-02]', async () => {
    await using server = await rawWebSocketServer()
    await using agent = await testClient(server.endpoint, { capabilities })
    const connection = await connected(server, agent)
    const refused = agent.client.requestCertificate(csr, 'key')
    await connection.messages.find(({ connectionSettingsRequest }) => connectionSettingsRequest !== undefined)
    connection.send({ errorResponse: { type: ServerErrorResponseType.ServerErrorResponseType_BadRequest, errorMessage: 'no' } })
    await expect(refused).rejects.toMatchObject({ code: 'refused' })
    connection.send({ capabilities: 1n })
    await settle()
    await expect(agent.client.requestCertificate(csr, 'key')).rejects.toMatchObject({ code: 'unsupported' })
    await using insecure = await testClient('ws://fleet.example/', { capabilities })
    await expect(insecure.client.requestCertificate(csr, 'key')).rejects.toMatchObject({ code: 'insecure' })
  })
})
