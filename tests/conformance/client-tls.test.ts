/** Our client against opamp-go's server behind TLS: whom it trusts, which certificate it shows, and how it asks for one. */
import { createCertificateRequest } from '@drover/client'
import type { TlsSettings } from '@drover/client'
import { ConnectionSettingsStatuses } from '@drover/protocol'
import { X509Certificate } from 'node:crypto'
import { expect, it } from 'vitest'
import { describeWithPeers } from '../peers/index.ts'
import { everyCapability, health, transports } from './agent-values.ts'
import type { Transport } from './agent-values.ts'
import { AgentUnderTest, durableStore } from './client-under-test.ts'
import type { AgentOptions } from './client-under-test.ts'
import { GoServer } from './go-server.ts'
import type { Certificates } from './go-server.ts'
import { everyServerCapability } from './scripted-server.ts'
import type { TlsOptions } from './scripted-server.ts'

const { ConnectionSettingsStatuses_APPLIED, ConnectionSettingsStatuses_FAILED } = ConnectionSettingsStatuses
const capabilities = [...everyCapability, 'ReportsConnectionSettingsStatus'] as const
const bytes = (text: string) => new TextEncoder().encode(text)

interface SecureServer extends AsyncDisposable {
  readonly server: GoServer
  readonly pem: Certificates
}

await describeWithPeers("our client and opamp-go's server behind TLS", ['opamp-server'], (peers) => {
  async function startSecure(options: Partial<TlsOptions> & { readonly wantsCertificate?: true } = {}): Promise<SecureServer> {
    const server = new GoServer(peers['opamp-server'])
    const pem = await server.createCertificates()
    const { wantsCertificate, ...more } = options
    await server.listen({ tls: { cert: pem.cert, key: pem.key, ...(wantsCertificate ? { clientCa: pem.ca } : {}), ...more } })
    return { server, pem, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
  }
  const start = (server: GoServer, transport: Transport, tls: TlsSettings, options: AgentOptions = {}) =>
    AgentUnderTest.start(server, transport, { capabilities, store: durableStore(), settings: { tls }, ...options })

  it.each(transports)('trust only whom they are told to, over %s [TF-01] [KM-18] [KM-19]', async (transport) => {
    await using secure = await startSecure()
    const { server, pem } = secure
    await using stranger = await start(server, transport, {})
    expect((await stranger.untilStatus('waiting')).lastError).toMatch(/certificate|authority|issuer|self[- ]signed/i)
    expect(server.messages).toHaveLength(0)
    await using careless = await start(server, transport, { insecureSkipVerify: true })
    await careless.untilStatus('connected')
    await using agent = await start(server, transport, { ca: pem.ca })
    await agent.untilStatus('connected')
  })

  it.each(transports)('show the client certificate that is configured, over %s [KM-03] [CSR-03]', async (transport) => {
    await using secure = await startSecure({ wantsCertificate: true })
    const { server, pem } = secure
    await using nobody = await start(server, transport, { ca: pem.ca })
    await nobody.untilStatus('waiting')
    await using agent = await start(server, transport, { ca: pem.ca, cert: pem.clientCert, key: pem.clientKey })
    await agent.untilStatus('connected')
    expect(server.requests.map(({ certificate }) => certificate)).toContain('client')
    expect(server.messages.every(({ message }) => message.instanceUid.length === 16)).toBe(true)
  })

  it.each(transports)(
    'move on to another authority and certificate, and show the old one no more, over %s [KM-03] [KM-04] [KM-16] [KM-18] [K-11] [K-13] [K-14]',
    async (transport) => {
      await using first = await startSecure({ wantsCertificate: true })
      await using second = await startSecure({ wantsCertificate: true })
      await using agent = await start(first.server, transport, { ca: first.pem.ca, cert: first.pem.clientCert, key: first.pem.clientKey })
      await agent.untilStatus('connected')
      const { clientCert, clientKey, ca } = second.pem
      await first.server.answer({
        capabilities: everyServerCapability,
        connectionSettings: {
          hash: Uint8Array.of(1),
          opamp: {
            destinationEndpoint: second.server.url(transport),
            heartbeatIntervalSeconds: 30n,
            certificate: { cert: bytes(clientCert), privateKey: bytes(clientKey), caCert: bytes(ca) },
            tls: { caPemContents: ca },
          },
        },
      })
      agent.client.setHealth(health(false))
      await second.server.untilMessage(({ connectionSettingsStatus: status }) => status?.status === ConnectionSettingsStatuses_APPLIED, 'APPLIED')
      expect(new Set(second.server.requests.map(({ certificate }) => certificate))).toEqual(new Set(['client']))
      expect(agent.client.settings.tls).toMatchObject({ ca, cert: clientCert })
    },
  )

  it.each(transports)('do not take the authority of an offered certificate for one to trust, over %s [KM-29] [K-15] [K-16]', async (transport) => {
    await using first = await startSecure()
    await using second = await startSecure()
    await using agent = await start(first.server, transport, { ca: first.pem.ca })
    await agent.untilStatus('connected')
    const { clientCert, clientKey, ca } = second.pem
    await first.server.answer({
      capabilities: everyServerCapability,
      connectionSettings: {
        hash: Uint8Array.of(1),
        opamp: {
          destinationEndpoint: second.server.url(transport),
          heartbeatIntervalSeconds: 30n,
          certificate: { cert: bytes(clientCert), privateKey: bytes(clientKey), caCert: bytes(ca) },
        },
      },
    })
    agent.client.setHealth(health(false))
    const failed = await first.server.untilMessage(({ connectionSettingsStatus: status }) => status?.status === ConnectionSettingsStatuses_FAILED, 'FAILED')
    expect(failed.connectionSettingsStatus?.errorMessage).toMatch(/certificate|authority|issuer|self[- ]signed/i)
    expect(second.server.messages).toHaveLength(0)
    expect(agent.client.settings.endpoint).toBe(first.server.url(transport))
  })

  it.each(transports)(
    'ask for a certificate that Go can sign, keep the key, and move to what comes back, again and again, over %s [CSR-01] [CSR-02] [CSR-04] [CSR-05] [CSR-06] [CSR-13] [CSR-16] [CSR-17] [T-17]',
    async (transport) => {
      await using bootstrap = await startSecure({ wantsCertificate: true })
      const { server, pem } = bootstrap
      await using agent = await start(server, transport, { ca: pem.ca, cert: pem.clientCert, key: pem.clientKey })
      await agent.untilStatus('connected')
      for (const name of ['agent-1', 'agent-2']) {
        const { csr, privateKey } = createCertificateRequest(name)
        const { length } = server.messages
        const answered = agent.client.requestCertificate(csr, privateKey)
        const request = await server.untilMessage(({ connectionSettingsRequest: one }) => one?.opamp?.certificateRequest !== undefined, 'the request', length)
        const text = Buffer.from(request.connectionSettingsRequest?.opamp?.certificateRequest?.csr ?? []).toString()
        const certificate = await server.sign(text)
        expect(new X509Certificate(certificate).subject).toBe(`CN=${name}`)
        await server.answer({
          capabilities: everyServerCapability,
          connectionSettings: {
            hash: bytes(name),
            opamp: {
              destinationEndpoint: server.url(transport),
              heartbeatIntervalSeconds: 30n,
              certificate: { cert: bytes(certificate), caCert: bytes(pem.ca) },
            },
          },
        })
        agent.client.setHealth(health(false, name))
        await answered
        await server.untilMessage(
          ({ connectionSettingsStatus: status }) => status?.status === ConnectionSettingsStatuses_APPLIED && status.lastConnectionSettingsHash.length > 0,
          'APPLIED',
          length,
        )
        await server.until(() => server.requests.find((one) => one.certificate === name), 'a connection with the new certificate')
        await agent.until(() => (agent.client.settings.tls.cert === certificate ? true : undefined), 'the adoption')
        expect(server.requests.at(-1)?.certificate).toBe(name)
        expect(
          server.messages.some(({ message }) =>
            Buffer.from(JSON.stringify(message, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))).includes('PRIVATE KEY'),
          ),
        ).toBe(false)
      }
    },
  )

  it.each(transports)('show no certificate any more once settings without one were offered, over %s [KM-05] [KM-04] [KM-17] [K-13]', async (transport) => {
    await using secure = await startSecure({ wantsCertificate: true, isClientCertOptional: true })
    const { server, pem } = secure
    await using agent = await start(server, transport, { ca: pem.ca, cert: pem.clientCert, key: pem.clientKey })
    await agent.untilStatus('connected')
    expect(server.requests[0]?.certificate).toBe('client')
    await server.answer({
      capabilities: everyServerCapability,
      connectionSettings: { hash: Uint8Array.of(1), opamp: { destinationEndpoint: server.url(transport), heartbeatIntervalSeconds: 30n } },
    })
    agent.client.setHealth(health(false))
    await server.untilMessage(({ connectionSettingsStatus: status }) => status?.status === ConnectionSettingsStatuses_APPLIED, 'APPLIED')
    expect(server.requests.at(-1)?.certificate).toBeUndefined()
    expect(agent.client.settings.tls).toEqual({ ca: pem.ca })
  })

  it.each(transports)('speak TLS 1.2 with an old server, but not when 1.3 is the least that is configured, over %s [KM-20]', async (transport) => {
    await using secure = await startSecure({ isOld: true })
    const { server, pem } = secure
    await using strict = await start(server, transport, { ca: pem.ca, minVersion: 'TLSv1.3' })
    await strict.untilStatus('waiting')
    expect(server.messages).toHaveLength(0)
    await using agent = await start(server, transport, { ca: pem.ca })
    await agent.untilStatus('connected')
  })

  it.each(transports)('ask for none of a server whose identity they do not verify, over %s [CSR-02]', async (transport) => {
    await using secure = await startSecure()
    const { server } = secure
    await using agent = await start(server, transport, { insecureSkipVerify: true })
    await agent.untilStatus('connected')
    const { csr, privateKey } = createCertificateRequest('agent')
    await expect(agent.client.requestCertificate(csr, privateKey)).rejects.toMatchObject({ code: 'insecure' })
    agent.client.setHealth(health(false))
    await server.untilMessage(({ health: tree }) => tree?.healthy === false, 'the health')
    expect(server.messages.some(({ message }) => message.connectionSettingsRequest !== undefined)).toBe(false)
  })
})
