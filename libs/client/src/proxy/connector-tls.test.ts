import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { get } from 'node:https'
import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:https'
import type { ServerOptions } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { TlsSettings } from '../client.ts'
import { explainConnectError } from '../tls/explain.ts'
import { createAuthority, createCertificate } from '../tls/test-certificates.ts'
import { TlsSettingsError } from '../tls/tls-options.ts'
import { createConnector } from './connector.ts'

const authority = createAuthority('authority')
const foreign = createAuthority('foreign authority')
const server = createCertificate('server', { issuer: authority, hosts: ['127.0.0.1', 'localhost'] })
const agent = createCertificate('agent', { issuer: authority })

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

/** The answer says what the server knows of the client. */
async function serve(options: ServerOptions = {}): Promise<number> {
  const https = createServer({ cert: server.cert, key: server.key, ...options }, (request, response) => {
    const socket = request.socket as TLSSocket // as: a server of https
    response.end(
      JSON.stringify({
        peer: socket.getPeerCertificate().subject?.CN,
        protocol: socket.getProtocol(),
        cipher: socket.getCipher().standardName,
        name: socket.servername,
      }),
    )
  })
  const sockets = new WebSocketServer({ server: https })
  sockets.on('connection', (webSocket) => webSocket.send('hello'))
  https.listen(0, '127.0.0.1')
  await once(https, 'listening')
  cleanups.push(() => {
    for (const client of sockets.clients) client.terminate()
    https.closeAllConnections()
    return new Promise((resolve) => void https.close(resolve))
  })
  return (https.address() as AddressInfo).port
}

interface Seen {
  readonly peer?: string
  readonly protocol: string
  readonly cipher: string
  readonly name: string | false
}

/** Over HTTP, and over a WebSocket, which must end alike. Rejects with a sentence. */
async function reach(port: number, tls: TlsSettings, host = '127.0.0.1'): Promise<Seen> {
  const endpoint = `https://${host}:${port}/`
  const connector = createConnector({ endpoint, tls, proxy: { kind: 'none' } }, {})
  cleanups.push(() => connector.close())
  const overHttp = await settled(ask(connector.reach(new URL(endpoint)), endpoint))
  const overWebSocket = await settled(greet(connector.reach(new URL(`wss://${host}:${port}/`)), `wss://${host}:${port}/`))
  if (overHttp.error !== undefined) {
    const sentences = [overHttp.error, overWebSocket.error].map((error) => explainConnectError(error, { endpoint, tls }))
    expect(sentences[0]).toBe(sentences[1])
    throw new Error(sentences[0])
  }
  expect(overWebSocket).toEqual({ value: 'hello' })
  return overHttp.value as Seen // as: what the server answers
}

async function settled(promise: Promise<unknown>): Promise<{ readonly value?: unknown; readonly error?: unknown }> {
  return promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
}

function ask(options: object, url: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    get(url, options, (response) => {
      response.setEncoding('utf8').on('data', (text: string) => resolve(JSON.parse(text)))
    }).on('error', reject)
  })
}

function greet(options: object, url: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const webSocket = new WebSocket(url, options)
    webSocket.on('error', reject)
    webSocket.on('message', (data: Buffer) => {
      resolve(data.toString())
      webSocket.close()
    })
  })
}

describe('whom a connection trusts', () => {
  it('is verified also without a client certificate: given authorities only [TF-01] [KM-18] [CSR-02]', async () => {
    const port = await serve()
    expect(await reach(port, { ca: authority.cert })).toMatchObject({ protocol: 'TLSv1.3' })
    expect(await reach(port, { ca: `${foreign.cert}${authority.cert}` })).toBeDefined()
    await expect(reach(port, { ca: foreign.cert })).rejects.toThrow('signed by an authority that is not trusted')
    await expect(reach(port, {})).rejects.toThrow('signed by an authority that is not trusted')
  })

  it('is the CA of a client certificate not [KM-29]', async () => {
    const port = await serve()
    await expect(reach(port, { cert: `${agent.cert}${authority.cert}`, key: agent.key })).rejects.toThrow('signed by an authority that is not trusted')
  })

  it('is everybody when verification is off [KM-19]', async () => {
    const expired = createCertificate('elsewhere', { issuer: foreign, hosts: ['elsewhere.example'], expiresInDays: -2 })
    expect(await reach(await serve({ cert: expired.cert, key: expired.key }), { insecureSkipVerify: true })).toBeDefined()
  })

  it.skipIf(process.platform !== 'linux')("is the system's authorities by default, and besides given ones when that is wished [KM-18]", async () => {
    const folder = await mkdtemp(join(tmpdir(), 'drover-ca-'))
    cleanups.push(() => rm(folder, { recursive: true, force: true }))
    await writeFile(join(folder, 'system.pem'), authority.cert)
    const port = await serve()
    const env = { PATH: process.env['PATH'], SSL_CERT_FILE: join(folder, 'system.pem'), SSL_CERT_DIR: folder }
    const script = fileURLToPath(new URL('./test-reach.ts', import.meta.url))
    const outcome = async (tls: TlsSettings) =>
      (await promisify(execFile)(process.execPath, [script, `https://127.0.0.1:${port}/`, JSON.stringify(tls)], { env })).stdout
    expect(await outcome({})).toBe('status 200\n')
    expect(await outcome({ ca: foreign.cert })).toContain('not trusted')
    expect(await outcome({ ca: foreign.cert, includeSystemCa: true })).toBe('status 200\n')
  })
})

describe('the name of a server', () => {
  it('must be in its certificate', async () => {
    await expect(reach(await serve(), { ca: authority.cert }, 'localhost')).resolves.toMatchObject({ name: 'localhost' })
    const elsewhere = createCertificate('elsewhere', { issuer: authority, hosts: ['elsewhere.example'] })
    await expect(reach(await serve({ cert: elsewhere.cert, key: elsewhere.key }), { ca: authority.cert })).rejects.toThrow(
      /is for "DNS:elsewhere\.example" and not for 127\.0\.0\.1: connect by a name/,
    )
  })

  it('may be another than that of the endpoint, a name or an address', async () => {
    const named = createCertificate('named', { issuer: authority, hosts: ['elsewhere.example', '10.1.2.3'] })
    const port = await serve({ cert: named.cert, key: named.key })
    expect(await reach(port, { ca: authority.cert, serverName: 'elsewhere.example' })).toMatchObject({ name: 'elsewhere.example' })
    expect(await reach(port, { ca: authority.cert, serverName: '10.1.2.3' })).toMatchObject({ name: false })
    await expect(reach(port, { ca: authority.cert, serverName: '10.9.9.9' })).rejects.toThrow('not for 10.9.9.9')
    await expect(reach(port, { ca: authority.cert, serverName: 'other.example' })).rejects.toThrow('not for other.example')
  })
})

describe('a client certificate', () => {
  const asking = { requestCert: true, rejectUnauthorized: true, ca: authority.cert }

  it('is shown to the server [KM-03] [CSR-03]', async () => {
    expect(await reach(await serve(asking), { ca: authority.cert, cert: agent.cert, key: agent.key })).toMatchObject({ peer: 'agent' })
  })

  it('is not shown when there is none [KM-05]', async () => {
    expect(await reach(await serve({ ...asking, rejectUnauthorized: false }), { ca: authority.cert })).not.toHaveProperty('peer')
    await expect(reach(await serve({ ...asking, maxVersion: 'TLSv1.3' }), { ca: authority.cert })).rejects.toThrow(
      /asks for a client certificate and there is none|closed the connection/,
    )
  })

  it('that the server does not take is explained', async () => {
    const unknown = createCertificate('unknown', { issuer: foreign })
    const port = await serve({ ...asking, maxVersion: 'TLSv1.2' })
    await expect(reach(port, { ca: authority.cert, cert: unknown.cert, key: unknown.key })).rejects.toThrow(/client certificate|closed the connection/)
  })
})

describe('TLS versions and cipher suites', () => {
  it('are at least TLS 1.2 when nothing is said [KM-20]', async () => {
    const old = await serve({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })
    await expect(reach(old, { ca: authority.cert })).rejects.toThrow('speaks no TLS version that is allowed here')
    expect(await reach(old, { ca: authority.cert, minVersion: 'TLSv1' })).toMatchObject({ protocol: 'TLSv1.1' })
    expect(await reach(await serve({ maxVersion: 'TLSv1.2' }), { ca: authority.cert })).toMatchObject({ protocol: 'TLSv1.2' })
  })

  it('stay within the given range [KM-20]', async () => {
    const port = await serve()
    expect(await reach(port, { ca: authority.cert, maxVersion: 'TLSv1.2' })).toMatchObject({ protocol: 'TLSv1.2' })
    await expect(reach(await serve({ maxVersion: 'TLSv1.2' }), { ca: authority.cert, minVersion: 'TLSv1.3' })).rejects.toThrow('speaks no TLS version')
  })

  it('are limited to the given suites, by the names of the standard or of OpenSSL [KM-20]', async () => {
    const port = await serve()
    const within = { ca: authority.cert, maxVersion: 'TLSv1.2' } as const
    expect(await reach(port, { ...within, cipherSuites: ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'] })).toMatchObject({
      cipher: 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
    })
    expect(await reach(port, { ...within, cipherSuites: ['ECDHE-ECDSA-CHACHA20-POLY1305'] })).toMatchObject({
      cipher: 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
    })
    expect(await reach(port, { ca: authority.cert, cipherSuites: ['TLS_AES_128_GCM_SHA256'] })).toMatchObject({ cipher: 'TLS_AES_128_GCM_SHA256' })
    await expect(reach(port, { ...within, cipherSuites: ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'] })).rejects.toThrow('no cipher suite in common')
  })

  it('of a list of older suites leave TLS 1.3 as it is, as in Collectors', async () => {
    expect(await reach(await serve(), { ca: authority.cert, cipherSuites: ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'] })).toMatchObject({ protocol: 'TLSv1.3' })
  })
})

describe('what is wrong with a connection', () => {
  it('is said in a sentence: time, port, network', async () => {
    const expired = createCertificate('server', { issuer: authority, hosts: ['127.0.0.1'], expiresInDays: -2 })
    await expect(reach(await serve({ cert: expired.cert, key: expired.key }), { ca: authority.cert })).rejects.toThrow('expired: renew it')
    const future = createCertificate('server', { issuer: authority, hosts: ['127.0.0.1'], startsInDays: 2 })
    await expect(reach(await serve({ cert: future.cert, key: future.key }), { ca: authority.cert })).rejects.toThrow('not valid yet')
    const plain = createTcpServer((socket) => socket.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1')
    await once(plain, 'listening')
    const { port } = plain.address() as AddressInfo
    await expect(reach(port, { ca: authority.cert })).rejects.toThrow('does not speak TLS')
    await new Promise((resolve) => void plain.close(resolve))
    await expect(reach(port, { ca: authority.cert })).rejects.toThrow(`nothing accepts connections at 127.0.0.1:${port}`)
  })

  it('is short and in one line, whatever the peer wrote', () => {
    const target = { endpoint: 'wss://user:secret@drover.example/', tls: {} }
    const error = Object.assign(new Error('x'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID', cert: { subjectaltname: `DNS:\u001b[31m\n${'x'.repeat(5_000)}` } })
    const sentence = explainConnectError(error, target)
    expect(sentence.length).toBeLessThan(500)
    expect(sentence).not.toMatch(/[\n\u001b]|secret/)
    expect(explainConnectError(new AggregateError([Object.assign(new Error('x'), { code: 'ECONNREFUSED' })]), target)).toContain(
      'nothing accepts connections at drover.example',
    )
    expect(explainConnectError(new Error('outer', { cause: Object.assign(new Error('x'), { code: 'ETIMEDOUT' }) }), target)).toContain('does not answer')
    expect(explainConnectError(Object.assign(new Error('x'), { code: 'ENOTFOUND' }), target)).toContain('the name of drover.example is not known')
    expect(explainConnectError(new Error('something else'), target)).toBe('the connection to drover.example failed: something else')
    expect(explainConnectError('not an error', target)).toBe('the connection to drover.example failed')
  })
})

describe('settings with which no connection can be made', () => {
  const attempt = (tls: TlsSettings) => () => createConnector({ endpoint: 'wss://drover.example', tls, proxy: { kind: 'none' } }, {})

  it.each<[string, TlsSettings]>([
    ['authorities to trust has no PEM certificate', { ca: 'x' }],
    ['is damaged', { ca: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' }],
    ['but no private key', { cert: agent.cert }],
    ['but no client certificate', { key: agent.key }],
    ['private key is damaged', { cert: agent.cert, key: 'x' }],
    ['does not belong to the client certificate', { cert: agent.cert, key: server.key }],
    ['(TLS 1.2) is older than the oldest one (TLS 1.3)', { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' }],
    ['no cipher suite "TLS_NONE"', { cipherSuites: ['TLS_NONE'] }],
  ])('are refused: %s', (sentence, tls) => {
    expect(attempt(tls)).toThrow(TlsSettingsError)
    expect(attempt(tls)).toThrow(sentence)
  })
})
