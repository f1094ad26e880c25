import { once } from 'node:events'
import { createServer as createHttpServer, get as httpGet } from 'node:http'
import { createServer as createHttpsServer, get as httpsGet } from 'node:https'
import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { ConnectionSettings, ProxySettings, TlsSettings } from '../client.ts'
import { createAuthority, createCertificate } from '../tls/test-certificates.ts'
import { type Connector, createConnector } from './connector.ts'
import { startHttpProxy, startSocksProxy, type TestProxy } from './test-proxies.ts'

const authority = createAuthority('authority')
const certificate = createCertificate('server', { issuer: authority, hosts: ['drover.test', '10.1.2.3'] })
const proxyCertificate = createCertificate('proxy', { issuer: authority, hosts: ['127.0.0.1'] })
const agent = createCertificate('agent', { issuer: authority })

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

function using<Resource extends AsyncDisposable>(resource: Resource): Resource {
  cleanups.push(() => resource[Symbol.asyncDispose]())
  return resource
}

/** A server that is only known to proxies, as `drover.test`. */
async function serve(scheme: 'http' | 'https'): Promise<number> {
  const server = scheme === 'http' ? createHttpServer() : createHttpsServer({ cert: certificate.cert, key: certificate.key })
  server.on('request', (_request, response) => response.end('hello'))
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (webSocket) => {
    webSocket.send('hello')
    webSocket.on('message', (data: Buffer) => webSocket.send(`echo ${data.toString()}`))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => {
    for (const client of sockets.clients) client.terminate()
    server.closeAllConnections()
    return new Promise((resolve) => void server.close(resolve))
  })
  return (server.address() as AddressInfo).port
}

function connectorFor(endpoint: string, proxy: ProxySettings, tls: TlsSettings = { ca: authority.cert }, env = {}, proxyTimeoutMs = 20_000): Connector {
  const settings: Pick<ConnectionSettings, 'endpoint' | 'tls' | 'proxy'> = { endpoint, tls, proxy }
  const connector = createConnector(settings, env, { proxyTimeoutMs })
  cleanups.push(() => connector.close())
  return connector
}

function ask(url: string, connector: Connector): Promise<string> {
  return new Promise((resolve, reject) => {
    const get = url.startsWith('https:') ? httpsGet : httpGet
    get(url, connector.reach(new URL(url)), (response) => {
      response.setEncoding('utf8').on('data', resolve)
    }).on('error', reject)
  })
}

function open(url: string, connector: Connector): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const webSocket = new WebSocket(url, connector.reach(new URL(url)))
    webSocket.on('error', reject)
    webSocket.once('message', () => resolve(webSocket))
  })
}

/** For proxies that are to be given up. */
const shortMs = 200

const through = (url: string, connectHeaders: readonly (readonly [string, string])[] = []): ProxySettings => ({ kind: 'url', url, connectHeaders })

interface Kind {
  readonly name: string
  readonly start: () => Promise<TestProxy>
  readonly url: (port: number) => string
}

const kinds: readonly Kind[] = [
  { name: 'an HTTP proxy', start: () => startHttpProxy(), url: (port) => `http://127.0.0.1:${port}` },
  {
    name: 'a proxy that is https itself',
    start: () => startHttpProxy(200, { cert: proxyCertificate.cert, key: proxyCertificate.key }),
    url: (port) => `https://127.0.0.1:${port}`,
  },
  { name: 'a SOCKS5 proxy', start: () => startSocksProxy(), url: (port) => `socks5://127.0.0.1:${port}` },
]

describe.each(kinds)('through $name', ({ start, url }) => {
  it.each(['https', 'http'] as const)('requests and WebSockets reach a server (%s), which keeps its own name', async (scheme) => {
    const port = await serve(scheme)
    const proxy = using(await start())
    const endpoint = `${scheme}://drover.test:${port}/v1/opamp`
    const connector = connectorFor(endpoint, through(url(proxy.port)))
    expect(await ask(endpoint, connector)).toBe('hello')
    const webSocket = await open(endpoint.replace('http', 'ws'), connector)
    webSocket.send('x')
    expect(String((await once(webSocket, 'message'))[0])).toBe('echo x')
    webSocket.terminate()
    // The WebSocket may have taken over the connection of the request.
    expect(new Set(proxy.asked.map(({ authority }) => authority))).toEqual(new Set([`drover.test:${port}`]))
  })

  it('the certificate of the server is verified as ever [TF-01]', async () => {
    const port = await serve('https')
    const proxy = using(await start())
    const named = connectorFor(`wss://other.test:${port}`, through(url(proxy.port)))
    await expect(open(`wss://other.test:${port}`, named)).rejects.toThrow("Host: other.test. is not in the cert's altnames")
  })

  it('a server that is not there is an error at once', async () => {
    const gone = createTcpServer().listen(0, '127.0.0.1')
    await once(gone, 'listening')
    const { port } = gone.address() as AddressInfo
    await new Promise((resolve) => void gone.close(resolve))
    const proxy = using(await start())
    await expect(ask(`http://drover.test:${port}/`, connectorFor(`http://drover.test:${port}/`, through(url(proxy.port))))).rejects.toThrow(
      /hang up|closed the connection/,
    )
  })
})

describe('an HTTP proxy', () => {
  it('gets the connect headers and the credentials, and the server gets neither [KM-25]', async () => {
    const port = await serve('http')
    const proxy = using(await startHttpProxy())
    const endpoint = `http://drover.test:${port}/`
    const connector = connectorFor(
      endpoint,
      through(`http://us%40er:pass@127.0.0.1:${proxy.port}`, [
        ['X-Site', 'eu'],
        ['x-site', 'de'],
        ['__proto__', 'x'],
      ]),
    )
    await ask(endpoint, connector)
    expect(proxy.asked[0]?.headers).toMatchObject({ 'x-site': 'eu, de', 'proxy-authorization': `Basic ${btoa('us@er:pass')}`, host: `drover.test:${port}` })
    expect(connector.describe()).toBe(`through the proxy http://127.0.0.1:${proxy.port}, without TLS`)
  })

  it('that wants other credentials is told from a server that does', async () => {
    const proxy = using(await startHttpProxy(407))
    const endpoint = 'https://drover.test/'
    const name = `http://127.0.0.1:${proxy.port}`
    await expect(ask(endpoint, connectorFor(endpoint, through(name)))).rejects.toThrow(`the proxy ${name} asks for credentials: put them into its URL (407)`)
    const refused = ask(endpoint, connectorFor(endpoint, through(`http://user:hunter2@127.0.0.1:${proxy.port}`)))
    await expect(refused).rejects.toThrow(/^(?!.*hunter2).*asks for other credentials/)
    await expect(open('wss://drover.test/', connectorFor(endpoint, through(name)))).rejects.toThrow('(407)')
  })

  it.each([
    [403, 'does not allow connections'],
    [502, 'could not connect to the Server (502)'],
  ])('that answers %i is told so', async (status, sentence) => {
    const proxy = using(await startHttpProxy(status))
    await expect(ask('https://drover.test/', connectorFor('https://drover.test/', through(`http://127.0.0.1:${proxy.port}`)))).rejects.toThrow(sentence)
  })

  it('that is https uses the TLS settings of the connection, certificate included, but not its server name [KM-24]', async () => {
    const port = await serve('https')
    const mutual = { cert: proxyCertificate.cert, key: proxyCertificate.key, requestCert: true, rejectUnauthorized: true, ca: authority.cert }
    const proxy = using(await startHttpProxy(200, mutual))
    const endpoint = `https://hidden.test:${port}/`
    const name = through(`https://127.0.0.1:${proxy.port}`)
    const tls = { ca: authority.cert, cert: agent.cert, key: agent.key, serverName: 'drover.test' }
    expect(await ask(endpoint, connectorFor(endpoint, name, tls))).toBe('hello')
    expect(proxy.asked[0]?.peer).toBe('agent')
    expect(await ask(endpoint, connectorFor(endpoint, name, { ...tls, serverName: '10.1.2.3' }))).toBe('hello')
    const foreign = createAuthority('foreign authority')
    await expect(ask(endpoint, connectorFor(endpoint, name, { ...tls, ca: foreign.cert }))).rejects.toThrow(
      `no way through the proxy https://127.0.0.1:${proxy.port}: the certificate of 127.0.0.1:${proxy.port} is signed by an authority that is not trusted`,
    )
  })

  it.each([
    ['says nothing', () => undefined],
    ['never stops talking', 'HTTP/1.1 200 OK\r\nX: '],
  ])('that %s is given up', async (_, words) => {
    const server = await raw(typeof words === 'string' ? words : '')
    const endpoint = 'https://drover.test/'
    const connector = connectorFor(endpoint, through(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), {}, {}, shortMs)
    await expect(ask(endpoint, connector)).rejects.toThrow(/does not answer|Header overflow/)
  })
})

/** Says the words and then letters for ever; nothing at all without words. */
async function raw(words: string): Promise<Server> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined).resume()
    cleanups.push(() => socket.destroy())
    if (words === '') return
    socket.write(words)
    const talk = () => {
      if (!socket.destroyed) socket.write('x'.repeat(10_000), () => setImmediate(talk))
    }
    talk()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => void server.close())
  return server
}

describe('a SOCKS5 proxy', () => {
  it('looks names up itself, and takes addresses of both kinds', async () => {
    const port = await serve('http')
    const proxy = using(await startSocksProxy())
    for (const host of ['drover.test', '10.1.2.3', '[fd00::1:2]']) {
      const endpoint = `http://${host}:${port}/`
      expect(await ask(endpoint, connectorFor(endpoint, through(`socks5h://127.0.0.1:${proxy.port}`)))).toBe('hello')
    }
    expect(proxy.asked.map(({ authority }) => authority)).toEqual([`drover.test:${port}`, `10.1.2.3:${port}`, `253.0.0.0.0.0.0.0.0.0.0.0.0.1.0.2:${port}`])
  })

  it('gets the credentials, and says so when they are missing or wrong', async () => {
    const port = await serve('http')
    const proxy = using(await startSocksProxy('us@er:pass'))
    const endpoint = `http://drover.test:${port}/`
    expect(await ask(endpoint, connectorFor(endpoint, through(`socks5://us%40er:pass@127.0.0.1:${proxy.port}`)))).toBe('hello')
    await expect(ask(endpoint, connectorFor(endpoint, through(`socks5://127.0.0.1:${proxy.port}`)))).rejects.toThrow('asks for credentials')
    await expect(ask(endpoint, connectorFor(endpoint, through(`socks5://us%40er:hunter2@127.0.0.1:${proxy.port}`)))).rejects.toThrow(
      /^(?!.*hunter2).*does not take the credentials/,
    )
  })

  it.each([
    [2, 'its rules do not allow it'],
    [4, 'the host cannot be reached'],
    [99, 'reply 99'],
  ])('that replies %i is told so', async (reply, sentence) => {
    const proxy = using(await startSocksProxy(undefined, reply))
    await expect(ask('http://drover.test/', connectorFor('http://drover.test/', through(`socks5://127.0.0.1:${proxy.port}`)))).rejects.toThrow(sentence)
  })

  it('that is none, or says nothing, is given up', async () => {
    const endpoint = 'http://drover.test/'
    const port = await serve('http')
    const none = connectorFor(endpoint, through(`socks5://127.0.0.1:${port}`), {}, {}, shortMs)
    await expect(ask(endpoint, none)).rejects.toThrow(/is no SOCKS5 proxy|closed the connection|does not answer/)
    const silent = await raw('')
    const waiting = connectorFor(endpoint, through(`socks5://127.0.0.1:${(silent.address() as AddressInfo).port}`), {}, {}, shortMs)
    await expect(ask(endpoint, waiting)).rejects.toThrow('does not answer')
  })
})

describe('a connector', () => {
  it('asks the environment for each URL', async () => {
    const port = await serve('http')
    const proxy = using(await startHttpProxy())
    const connector = connectorFor(`http://drover.test:${port}/`, { kind: 'environment' }, {}, { HTTP_PROXY: `127.0.0.1:${proxy.port}` })
    expect(await ask(`http://drover.test:${port}/`, connector)).toBe('hello')
    expect(await ask(`http://127.0.0.1:${port}/`, connector)).toBe('hello')
    expect(proxy.asked).toHaveLength(1)
  })

  it('that is closed ends attempts that are under way, and leaves WebSockets open', async () => {
    const port = await serve('http')
    const proxy = using(await startHttpProxy())
    const endpoint = `ws://drover.test:${port}/`
    const connector = connectorFor(endpoint, through(`http://127.0.0.1:${proxy.port}`))
    const webSocket = await open(endpoint, connector)
    const silent = await raw('')
    const waiting = createConnector({ endpoint, tls: {}, proxy: through(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`) }, {})
    const attempt = open(endpoint, waiting)
    await once(silent, 'connection')
    waiting.close()
    await expect(attempt).rejects.toThrow('no longer wanted')
    connector.close()
    webSocket.send('still here')
    expect(String((await once(webSocket, 'message'))[0])).toBe('echo still here')
    webSocket.terminate()
    await expect(open(endpoint, connector)).rejects.toThrow('aborted')
  })

  it('tells a proxy that is not there from a server that is not', async () => {
    const gone = createTcpServer().listen(0, '127.0.0.1')
    await once(gone, 'listening')
    const { port } = gone.address() as AddressInfo
    await new Promise((resolve) => void gone.close(resolve))
    const endpoint = new URL('wss://drover.test/')
    for (const scheme of ['http', 'socks5']) {
      const connector = connectorFor(endpoint.href, through(`${scheme}://127.0.0.1:${port}`))
      const error = await open(endpoint.href, connector).catch((reason: unknown) => reason)
      expect(connector.explain(error, endpoint)).toContain(
        `no way through the proxy ${scheme}://127.0.0.1:${port}: nothing accepts connections at 127.0.0.1:${port}`,
      )
    }
    const direct = connectorFor(endpoint.href, { kind: 'none' })
    expect(direct.explain(Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), endpoint)).toContain('nothing accepts connections at drover.test')
  })

  it('describes itself without secrets', () => {
    const tls = { ca: authority.cert, cert: agent.cert, key: agent.key, serverName: 'drover.test', includeSystemCa: true }
    expect(connectorFor('wss://drover.test', { kind: 'none' }, tls).describe()).toBe(
      "directly, TLS 1.2 or newer, trusting given authorities and the system's, expecting drover.test, with a client certificate",
    )
    expect(connectorFor('wss://drover.test', { kind: 'none' }, { insecureSkipVerify: true, minVersion: 'TLSv1.3' }).describe()).toBe(
      'directly, TLS 1.3 or newer, verifying nobody',
    )
    expect(connectorFor('wss://drover.test', through('http://user:hunter2@proxy'), {}).describe()).toBe(
      "through the proxy http://proxy:80, TLS 1.2 or newer, trusting the system's authorities",
    )
  })
})
